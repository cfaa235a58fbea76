//! Files, read and judged on all cores.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stackgen_cfn::{FileId, Node, Sources};
use stackgen_lint::output::{LintedFile, Region};
use stackgen_lint::{Finding, LintInput, fix_all, lint};

use super::inputs::Input;
use super::previous::Previous;
use crate::error::CliError;
use crate::file::{self, Input as Kind};
use crate::template;
use crate::ui::Ui;

/// Whether a finding in a file is to be fixed.
pub(super) type Wanted<'a> = dyn Fn(&Finding, &Path) -> bool + Sync + 'a;

/// How files are judged.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) previous: &'a Previous,
    /// Which findings are fixed first, if any.
    pub(super) fix: Option<&'a Wanted<'a>>,
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is a template.
    Linted(File),
    /// It is none, and was not named.
    PassedOver,
    /// It has to be a template, and cannot be read as one.
    Unread(CliError),
}

/// A template that was judged: as it is once it is fixed, when it is to be.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) linted: LintedFile,
    /// Its text among the sources.
    pub(super) id: Option<FileId>,
    /// Whether it was held against an earlier revision.
    pub(super) has_previous: bool,
    /// Places in it whose lines no report shows.
    pub(super) hidden: Vec<Region>,
    /// What fixing changed.
    pub(super) fixed: Option<Change>,
}

/// A text before and after.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) old: String,
    pub(super) new: String,
    /// What was fixed, at least one.
    pub(super) findings: Vec<Finding>,
}

/// Every file in the order that is given.
pub(super) fn judge(inputs: &[Input], how: How<'_>, ui: &Ui) -> Vec<Judged> {
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
                    let one = one(input, how).unwrap_or_else(Judged::Unread);
                    // Who listens does so until the last has told.
                    let _ = tell.send((index, one));
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

fn one(input: &Input, how: How<'_>) -> Result<Judged, CliError> {
    let Some(text) = read(input)? else {
        return Ok(Judged::PassedOver);
    };
    let mut sources = Sources::new();
    let previous = how.previous.read(input, &mut sources)?;
    let Some(template) = parse(input, &mut sources, text)? else {
        return Ok(Judged::PassedOver);
    };
    let source = template.span.file.and_then(|id| sources.get(id));
    if let (Some(wanted), Some(source)) = (how.fix, source) {
        let wanted = |finding: &Finding| wanted(finding, &input.path);
        let fixed = fix_all(source, previous.as_ref(), &wanted);
        if fixed.text != source.text() {
            let change = Change {
                old: source.text().to_owned(),
                new: fixed.text,
                findings: fixed.fixed,
            };
            return after(change, input, how);
        }
    }
    Ok(file(input, sources, &template, previous.as_ref(), None))
}

/// A template as it is once it is fixed.
fn after(change: Change, input: &Input, how: How<'_>) -> Result<Judged, CliError> {
    let mut sources = Sources::new();
    let previous = how.previous.read(input, &mut sources)?;
    let template = template::parse(&mut sources, input.name.clone(), change.new.clone())?;
    Ok(file(
        input,
        sources,
        &template,
        previous.as_ref(),
        Some(change),
    ))
}

fn file(
    input: &Input,
    sources: Sources,
    template: &Node,
    previous: Option<&Node>,
    fixed: Option<Change>,
) -> Judged {
    let id = template.span.file;
    let report = lint(&LintInput {
        template,
        source: id.and_then(|id| sources.get(id)),
        previous,
    });
    let suppressed = report.suppressed.iter().map(|one| &one.finding);
    let all = report.findings.iter().chain(suppressed);
    let places = all.flat_map(|finding| {
        let related = finding.related.iter().map(|related| &related.location);
        std::iter::once(&finding.location).chain(related)
    });
    let hidden = places.filter(|place| place.hidden);
    let hidden = hidden.filter_map(|place| Region::of(place.span, &sources));
    Judged::Linted(File {
        path: input.path.clone(),
        id,
        has_previous: previous.is_some(),
        hidden: hidden.collect(),
        fixed,
        linted: LintedFile {
            file: input.name.clone(),
            report,
            sources,
        },
    })
}

/// The text of a file; `None` for one that nobody named and that cannot be a template.
fn read(input: &Input) -> Result<Option<String>, CliError> {
    if input.named || input.path == Path::new("-") {
        return file::read(&input.path, Kind::Template).map(Some);
    }
    let text = file::read_if_text(&input.path, Kind::Template)?;
    Ok(text.filter(|text| text.contains("Resources")))
}

/// A template; `None` for a text that is none and need not be one.
fn parse(input: &Input, sources: &mut Sources, text: String) -> Result<Option<Node>, CliError> {
    if input.named {
        return template::parse(sources, input.name.clone(), text).map(Some);
    }
    let is_claimed = text.contains("AWSTemplateFormatVersion") || text.contains("AWS::");
    match stackgen_cfn::parse(sources.add(input.name.as_str(), text)) {
        Ok(template) => Ok(is_template(&template).then_some(template)),
        Err(errors) if is_claimed => Err(CliError::located(sources, errors)),
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
