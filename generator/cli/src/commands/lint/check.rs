//! Parallel linting of files.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stackgen_cfn::{Node, Sources};
use stackgen_lint::output::{LintedFile, Region};
use stackgen_lint::{Finding, LintInput, fix_all, lint};

use super::configuration;
use super::inputs::InputTemplate;
use super::result::{CheckedFile, FileResult, FixedText, LintOptions};
use crate::error::CliError;
use crate::file::{self, InputFile};
use crate::template;
use crate::terraform;
use crate::ui::Ui;

/// Lints files, and returns their results in the same order.
pub(super) fn check_files(
    inputs: &[InputTemplate],
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
                    // The receiver outlives all workers.
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

fn take<'i>(inputs: &'i [InputTemplate], next: &AtomicUsize) -> Option<(usize, &'i InputTemplate)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(index).map(|input| (index, input))
}

fn check(input: &InputTemplate, options: LintOptions<'_>) -> Result<FileResult, CliError> {
    if let Some(root) = terraform::root(&input.path) {
        return configuration::check(&root, input, options);
    }
    let Some(text) = read(input)? else {
        return Ok(FileResult::Skipped);
    };
    let mut sources = Sources::new();
    let previous = options.previous.read(input, &mut sources)?;
    let Some(template) = parse(input, &mut sources, text)? else {
        return Ok(FileResult::Skipped);
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

/// Lints a fixed template.
fn check_fixed(
    change: FixedText,
    input: &InputTemplate,
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
    input: &InputTemplate,
    sources: Sources,
    template: &Node,
    previous: Option<&Node>,
    fixed: Option<FixedText>,
) -> FileResult {
    let id = template.span.file;
    let report = lint(&LintInput {
        template,
        source: id.and_then(|id| sources.get(id)),
        previous,
    });
    let suppressed = report.suppressed.iter().map(|one| &one.finding);
    let all = report.findings.iter().chain(suppressed);
    let locations = all.flat_map(|finding| {
        let related = finding.related.iter().map(|related| &related.location);
        std::iter::once(&finding.location).chain(related)
    });
    let hidden = locations.filter(|location| location.hidden);
    let hidden = hidden.filter_map(|location| Region::of(location.span, &sources));
    FileResult::Linted(CheckedFile {
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

/// Reads a file; `None` if it is not required and cannot be a template.
fn read(input: &InputTemplate) -> Result<Option<String>, CliError> {
    if input.is_required || input.path == Path::new("-") {
        return file::read(&input.path, InputFile::Template).map(Some);
    }
    let text = file::read_if_text(&input.path, InputFile::Template)?;
    Ok(text.filter(|text| text.contains("Resources")))
}

/// Parses a template; `None` for a text that is none and not required to be one.
fn parse(
    input: &InputTemplate,
    sources: &mut Sources,
    text: String,
) -> Result<Option<Node>, CliError> {
    if input.is_required {
        return template::parse(sources, input.name.clone(), text).map(Some);
    }
    let looks_like_template = text.contains("AWSTemplateFormatVersion") || text.contains("AWS::");
    match stackgen_cfn::parse(sources.add(input.name.as_str(), text)) {
        Ok(template) => Ok(is_template(&template).then_some(template)),
        Err(errors) if looks_like_template => Err(CliError::located(sources, errors)),
        Err(_) => Ok(None),
    }
}

/// Returns true if a document has CloudFormation resources.
fn is_template(document: &Node) -> bool {
    let resources = document.get("Resources").and_then(Node::as_map);
    let is_typed = |resource: &Node| {
        let kind = resource.get("Type").and_then(Node::as_str);
        kind.is_some_and(|kind| kind.contains("::"))
    };
    resources.is_some_and(|resources| resources.iter().any(|(_, resource)| is_typed(resource)))
}

/// Progress bar on a terminal, after a second.
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
