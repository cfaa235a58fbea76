//! Reports of `synth` as text and as JSON.

use std::path::{Path, PathBuf};

use serde::Serialize;
use similar::TextDiff;
use stackgen_lint::output::LintedFile;
use stackgen_lint::output::json::Findings;
use stackgen_synth::Notice;

use super::rendered::{RenderedTemplate, SynthRun, TemplateFormat};
use crate::error::CliError;
use crate::lint_gate;
use crate::style::{BOLD, DIM, GREEN, RED};
use crate::ui::Ui;

/// A file in the output of `--json`.
#[derive(Serialize)]
struct JsonFile<'a> {
    path: String,
    stack: &'a str,
    environment: &'a str,
    format: TemplateFormat,
    resources: usize,
    status: FileStatus,
}

/// A notice in the output of `--json`.
#[derive(Serialize)]
struct JsonNotice<'a> {
    stack: &'a str,
    environments: Vec<&'a str>,
    #[serde(flatten)]
    notice: &'a Notice,
}

#[derive(Serialize)]
struct SynthReport<'a> {
    files: Vec<JsonFile<'a>>,
    notices: Vec<JsonNotice<'a>>,
    /// Folders with templates of undeclared environments.
    undeclared: Vec<String>,
    /// Findings of the linter.
    findings: Findings<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileStatus {
    Wrote,
    Unchanged,
    Stale,
    Missing,
    /// Not written, because the linter found an error in a template.
    Refused,
}

/// Prints the status of each file.
pub(super) fn print_files(
    run: &SynthRun<'_>,
    statuses: &[FileStatus],
    ui: &Ui,
) -> Result<(), CliError> {
    if ui.wants_json() {
        return ui.json_result(&json(run, statuses));
    }
    let templates = run.templates.iter();
    let width = templates
        .map(|template| template.path.display().to_string().chars().count())
        .max()
        .unwrap_or(0);
    for (template, status) in run.templates.iter().zip(statuses) {
        let status = match status {
            FileStatus::Wrote => format!("{GREEN}wrote{GREEN:#}    "),
            FileStatus::Unchanged => format!("{DIM}unchanged{DIM:#}"),
            FileStatus::Stale => format!("{RED}stale{RED:#}    "),
            FileStatus::Missing => format!("{RED}missing{RED:#}  "),
            FileStatus::Refused => format!("{RED}refused{RED:#}  "),
        };
        ui.done(&format!(
            "{status} {:width$}  {} resources",
            template.path.display(),
            template.resources
        ))?;
    }
    Ok(())
}

/// Returns the notices, each once a stack, with its environments.
fn notices<'a>(templates: &'a [RenderedTemplate<'_>]) -> Vec<JsonNotice<'a>> {
    let mut notices: Vec<JsonNotice<'a>> = Vec::new();
    for template in templates {
        for notice in &template.notices {
            let is_same =
                |other: &&mut JsonNotice| other.stack == template.stack && other.notice == notice;
            match notices.iter_mut().find(is_same) {
                None => notices.push(JsonNotice {
                    stack: template.stack,
                    environments: vec![template.environment],
                    notice,
                }),
                // The templates of an environment follow one another.
                Some(notices) if notices.environments.last() == Some(&template.environment) => {}
                Some(notices) => notices.environments.push(template.environment),
            }
        }
    }
    notices
}

/// Prints the notices on stderr.
pub(super) fn print_notices(templates: &[RenderedTemplate<'_>], ui: &Ui) {
    let first = &templates[0];
    let one_stack = templates.iter().all(|other| other.stack == first.stack);
    let one_environment = templates
        .iter()
        .all(|other| other.environment == first.environment);
    for JsonNotice {
        stack,
        environments,
        notice,
    } in notices(templates)
    {
        let environments = environments.join(", ");
        let message = match (one_stack, one_environment) {
            (true, true) => notice.message.clone(),
            (true, false) => format!("{environments}: {}", notice.message),
            (false, _) => format!("{stack} ({environments}): {}", notice.message),
        };
        ui.note(&message, notice.hint.as_deref());
    }
}

/// Prints the findings on stderr.
pub(super) fn print_findings(templates: &[RenderedTemplate<'_>], ui: &Ui) {
    for linted in results(templates) {
        lint_gate::print(linted, ui);
    }
}

/// Prints why nothing is written.
pub(super) fn print_refusal(templates: &[RenderedTemplate<'_>], undone: &str, ui: &Ui) {
    let hint = "explain them with `stackgen explain`";
    lint_gate::print_refusal(results(templates), undone, hint, ui);
}

fn results<'a>(templates: &'a [RenderedTemplate<'_>]) -> impl Iterator<Item = &'a LintedFile> {
    let templates = templates.iter();
    templates.filter_map(|template| template.linted.as_ref())
}

/// Notes folders of undeclared environments, which are neither updated nor deleted.
pub(super) fn note_undeclared(folders: &[PathBuf], ui: &Ui) {
    if folders.is_empty() {
        return;
    }
    let (verb, object) = match folders.len() {
        1 => ("holds a template of an environment that is", "it"),
        _ => ("hold templates of environments that are", "them"),
    };
    let message = format!("{} {verb} not declared", paths(folders).join(", "));
    let hint = format!("delete {object} if no stack is deployed from there");
    ui.note(&message, Some(&hint));
}

/// Returns a line of `--check` per folder of an undeclared environment.
pub(super) fn undeclared(folders: &[PathBuf]) -> String {
    let line = |folder: &String| format!("{RED}stale{RED:#}     {folder}  not declared\n");
    paths(folders).iter().map(line).collect()
}

fn paths(folders: &[PathBuf]) -> Vec<String> {
    let path = |folder: &PathBuf| folder.display().to_string();
    folders.iter().map(path).collect()
}

fn json<'a>(run: &SynthRun<'a>, statuses: &[FileStatus]) -> SynthReport<'a> {
    let files = run.templates.iter().zip(statuses);
    let files = files.map(|(template, status)| JsonFile {
        path: template.path.display().to_string(),
        stack: template.stack,
        environment: template.environment,
        format: template.format,
        resources: template.resources,
        status: *status,
    });
    SynthReport {
        files: files.collect(),
        notices: notices(run.templates),
        undeclared: paths(run.undeclared),
        findings: Findings::of(results(run.templates)),
    }
}

/// Returns the unified diff of a file; empty if nothing changes.
pub(super) fn difference(path: &Path, old: Option<&str>, new: &str) -> String {
    let name = path.display().to_string();
    let before = if old.is_some() {
        name.as_str()
    } else {
        "/dev/null"
    };
    let diff = TextDiff::from_lines(old.unwrap_or_default(), new);
    let text = diff.unified_diff().header(before, &name).to_string();
    let paint = |line: &str| match line.as_bytes().first() {
        _ if line.starts_with("---") || line.starts_with("+++") => {
            format!("{BOLD}{line}{BOLD:#}\n")
        }
        Some(b'+') => format!("{GREEN}{line}{GREEN:#}\n"),
        Some(b'-') => format!("{RED}{line}{RED:#}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(paint).collect()
}
