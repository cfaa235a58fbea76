//! Files, read and judged on all cores.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stackgen_cfn::{FileId, Node, Sources};
use stackgen_lint::output::{Linted, Region};
use stackgen_lint::{Finding, Subject, fix_all, lint};

use super::inputs::LintInput;
use super::previous::Previous;
use crate::error::CliError;
use crate::file::{self, Input};
use crate::template;
use crate::ui::Ui;

/// Whether a finding in a file is to be fixed.
pub(super) type FixFilter<'a> = dyn Fn(&Finding, &Path) -> bool + Sync + 'a;

/// LintOptions files are judged.
#[derive(Clone, Copy)]
pub(super) struct LintOptions<'a> {
    pub(super) previous: &'a Previous,
    /// Which findings are fixed first, if any.
    pub(super) fix: Option<&'a FixFilter<'a>>,
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum FileResult {
    /// It is a template.
    Linted(LintedFile),
    /// It is none, and was not named.
    PassedOver,
    /// It has to be a template, and cannot be read as one.
    Unread(CliError),
}

/// A template that was judged: as it is once it is fixed, when it is to be.
#[derive(Debug)]
pub(super) struct LintedFile {
    pub(super) path: PathBuf,
    pub(super) linted: Linted,
    /// Its text among the sources.
    pub(super) id: Option<FileId>,
    /// Whether it was held against an earlier revision.
    pub(super) has_previous: bool,
    /// Places in it whose lines no report shows.
    pub(super) hidden: Vec<Region>,
    /// What fixing changed.
    pub(super) fixed: Option<FixedText>,
}

/// A text before and after.
#[derive(Debug)]
pub(super) struct FixedText {
    pub(super) old: String,
    pub(super) new: String,
    /// What was fixed, at least one.
    pub(super) findings: Vec<Finding>,
}

/// Every file in the order that is given.
pub(super) fn check_files(
    inputs: &[LintInput],
    options: LintOptions<'_>,
    ui: &Ui,
) -> Vec<FileResult> {
    let mut progress = LintProgress::new(inputs.len(), ui);
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut results: Vec<Option<FileResult>> = inputs.iter().map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..workers.min(inputs.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((index, input)) = take(inputs, next) {
                    let result = check(input, options).unwrap_or_else(FileResult::Unread);
                    // Who listens does so until the last has told.
                    let _ = sender.send((index, result));
                }
            });
        }
        drop(sender);
        for (index, result) in receiver {
            results[index] = Some(result);
            progress.increment();
        }
    });
    progress.end();
    results.into_iter().flatten().collect()
}

fn take<'i>(inputs: &'i [LintInput], next: &AtomicUsize) -> Option<(usize, &'i LintInput)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(index).map(|input| (index, input))
}

fn check(input: &LintInput, options: LintOptions<'_>) -> Result<FileResult, CliError> {
    let Some(text) = read(input)? else {
        return Ok(FileResult::PassedOver);
    };
    let mut sources = Sources::new();
    let previous = options.previous.read(input, &mut sources)?;
    let Some(template) = parse(input, &mut sources, text)? else {
        return Ok(FileResult::PassedOver);
    };
    let source = template.span.file.and_then(|id| sources.get(id));
    if let (Some(filter), Some(source)) = (options.fix, source) {
        let filter = |finding: &Finding| filter(finding, &input.path);
        let fixed = fix_all(source, previous.as_ref(), &filter);
        if fixed.text != source.text() {
            let change = FixedText {
                old: source.text().to_owned(),
                new: fixed.text,
                findings: fixed.fixed,
            };
            return check_fixed(change, input, options);
        }
    }
    Ok(linted(input, sources, &template, previous.as_ref(), None))
}

/// A template as it is once it is fixed.
fn check_fixed(
    change: FixedText,
    input: &LintInput,
    options: LintOptions<'_>,
) -> Result<FileResult, CliError> {
    let mut sources = Sources::new();
    let previous = options.previous.read(input, &mut sources)?;
    let template = template::parse(&mut sources, input.name.clone(), change.new.clone())?;
    Ok(linted(
        input,
        sources,
        &template,
        previous.as_ref(),
        Some(change),
    ))
}

fn linted(
    input: &LintInput,
    sources: Sources,
    template: &Node,
    previous: Option<&Node>,
    fixed: Option<FixedText>,
) -> FileResult {
    let id = template.span.file;
    let report = lint(&Subject {
        template,
        source: id.and_then(|id| sources.get(id)),
        previous,
    });
    let suppressed = report.suppressed.iter().map(|one| &one.finding);
    let all = report.findings.iter().chain(suppressed);
    let places = all.flat_map(|finding| {
        let related = finding.related.iter().map(|related| &related.place);
        std::iter::once(&finding.place).chain(related)
    });
    let hidden = places.filter(|place| place.hidden);
    let hidden = hidden.filter_map(|place| Region::of(place.span, &sources));
    FileResult::Linted(LintedFile {
        path: input.path.clone(),
        id,
        has_previous: previous.is_some(),
        hidden: hidden.collect(),
        fixed,
        linted: Linted {
            file: input.name.clone(),
            report,
            sources,
        },
    })
}

/// The text of a file; `None` for one that nobody named and that cannot be a template.
fn read(input: &LintInput) -> Result<Option<String>, CliError> {
    if input.named || input.path == Path::new("-") {
        return file::read(&input.path, Input::Template).map(Some);
    }
    let text = file::read_if_text(&input.path, Input::Template)?;
    Ok(text.filter(|text| text.contains("Resources")))
}

/// A template; `None` for a text that is none and need not be one.
fn parse(input: &LintInput, sources: &mut Sources, text: String) -> Result<Option<Node>, CliError> {
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
struct LintProgress {
    bar: ProgressBar,
    start: Instant,
    is_shown: bool,
}

impl LintProgress {
    fn new(files: usize, ui: &Ui) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} files") {
            bar.set_style(style);
        }
        LintProgress {
            bar,
            start: Instant::now(),
            is_shown: !ui.shows_progress(),
        }
    }

    fn increment(&mut self) {
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
