//! Files, read and judged on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stackgen_cfn::{Node, Sources};
use stackgen_lint::output::Linted;
use stackgen_lint::{Subject, lint};

use super::inputs::Input;
use crate::error::CliError;
use crate::file::{self, Input as Kind};
use crate::template;
use crate::ui::Ui;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is a template.
    Linted(Linted),
    /// It is none, and was not named.
    PassedOver,
    /// It has to be a template, and cannot be read as one.
    Unread(CliError),
}

/// Every file in the order that is given.
pub(super) fn judge(inputs: &[Input], ui: &Ui) -> Vec<Judged> {
    let mut progress = Progress::new(inputs.len(), ui);
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    let mut judged: Vec<Option<Judged>> = inputs.iter().map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..workers.min(inputs.len()) {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                while let Some((index, input)) = take(inputs, next) {
                    let _ = tell.send((index, one(input)));
                }
            });
        }
        drop(tell);
        for (index, one) in told {
            judged[index] = Some(one);
            progress.one_more();
        }
    });
    progress.end();
    judged.into_iter().flatten().collect()
}

fn take<'i>(inputs: &'i [Input], next: &AtomicUsize) -> Option<(usize, &'i Input)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(index).map(|input| (index, input))
}

fn one(input: &Input) -> Judged {
    match read(input) {
        Err(error) => Judged::Unread(error),
        Ok(None) => Judged::PassedOver,
        Ok(Some((sources, template))) => Judged::Linted(linted(&input.name, sources, &template)),
    }
}

fn linted(name: &str, sources: Sources, template: &Node) -> Linted {
    let report = lint(&Subject {
        template,
        source: template.span.file.and_then(|id| sources.get(id)),
        previous: None,
    });
    Linted {
        file: name.to_owned(),
        report,
        sources,
    }
}

/// A template; `None` for a file that is none and need not be one.
fn read(input: &Input) -> Result<Option<(Sources, Node)>, CliError> {
    if input.named {
        let text = file::read(&input.path, Kind::Template)?;
        return template::parse(input.name.clone(), text).map(Some);
    }
    let text = match file::read_if_text(&input.path, Kind::Template)? {
        Some(text) if text.contains("Resources") => text,
        _ => return Ok(None),
    };
    let is_claimed = text.contains("AWSTemplateFormatVersion") || text.contains("AWS::");
    let mut sources = Sources::new();
    match stackgen_cfn::parse(sources.add(input.name.as_str(), text)) {
        Ok(template) => Ok(is_template(&template).then_some((sources, template))),
        Err(errors) if is_claimed => Err(CliError::located(&sources, errors)),
        Err(_) => Ok(None),
    }
}

/// Whether a document has resources of CloudFormation's, and not those of something else.
fn is_template(document: &Node) -> bool {
    let resources = document.get("Resources").and_then(Node::as_map);
    let is_typed = |resource: &Node| {
        let kind = resource.get("Type").and_then(Node::as_str);
        kind.is_some_and(|kind| kind.contains("::"))
    };
    resources.is_some_and(|resources| resources.iter().any(|(_, resource)| is_typed(resource)))
}

/// A bar on a terminal, for who has waited a second.
struct Progress {
    bar: ProgressBar,
    start: Instant,
    is_shown: bool,
}

impl Progress {
    fn new(files: usize, ui: &Ui) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} files") {
            bar.set_style(style);
        }
        Progress {
            bar,
            start: Instant::now(),
            is_shown: !ui.shows_progress(),
        }
    }

    fn one_more(&mut self) {
        if !self.is_shown && self.start.elapsed() > Duration::from_secs(1) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
        self.bar.inc(1);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
