//! Reports of findings in all formats.

use std::path::{Path, PathBuf};

use anstream::adapter::strip_str;
use clap::ValueEnum;
use stackgen_lint::output::snippet::printable;
use stackgen_lint::output::{LintResults, LintedFile, Summary, UnreadableFile};
use stackgen_lint::output::{github, human, json, junit, sarif};

use super::inputs::InputTemplate;
use super::result::CheckedFile;
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::report;
use crate::style::DIM;
use crate::ui::Ui;
use crate::write;

/// Flags of the report.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Format of the findings; `--json` prints them as JSON
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        conflicts_with = "json"
    )]
    format: LintFormat,

    /// File to write the findings to (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Also show suppressed findings, with their reasons
    #[arg(long)]
    show_suppressed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LintFormat {
    /// Text with source lines and hints
    Human,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
    /// JUnit XML, for CI servers that show tests
    Junit,
    /// Annotations for GitHub Actions
    Github,
}

/// Results of a run.
pub(super) struct LintRun {
    pub(super) files: Vec<CheckedFile>,
    pub(super) unread: Vec<CliError>,
    /// Counts of findings that are not reported.
    pub(super) counts: Summary,
    pub(super) has_baseline: bool,
    /// True if files were fixed.
    pub(super) has_fixes: bool,
}

impl OutputArgs {
    /// Checks that standard output gets one kind of text.
    ///
    /// # Errors
    ///
    /// If it would get both a fixed template and a report.
    pub(super) fn check(
        &self,
        fix: bool,
        inputs: &[InputTemplate],
        ui: &Ui,
    ) -> Result<(), CliError> {
        let is_report = ui.wants_json() || self.format != LintFormat::Human;
        let prints = fix && inputs.iter().any(|input| input.path == Path::new("-"));
        match prints && is_report && self.out.is_none() {
            true => Err(CliError::input(
                "standard output gets the fixed template, and cannot get the report too",
            )
            .hint("write the report to a file with `--out`")),
            false => Ok(()),
        }
    }

    /// Prints the report and the summary.
    pub(super) fn report(&self, found: LintRun, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let LintRun {
            files,
            unread: failures,
            ..
        } = found;
        let changes = files.iter().filter_map(|file| file.fixed.as_ref());
        let fixed = changes.map(|change| change.findings.len()).sum();
        // Standard output gets the fixed template.
        let on_stderr = found.has_fixes && files.iter().any(|file| file.path == Path::new("-"));
        let linted: Vec<LintedFile> = files.into_iter().map(|file| file.linted).collect();
        let unread: Vec<_> = failures.iter().flat_map(CliError::unread).collect();
        let summary = Summary {
            fixed,
            unread: failures.len(),
            ..found.counts
        }
        .with(&linted);
        let results = LintResults {
            linted: &linted,
            unread: &unread,
            summary: &summary,
            has_baseline: found.has_baseline,
            with_suppressed: self.show_suppressed,
        };
        self.print(&results, on_stderr, ui)?;
        if !ui.wants_json() {
            print_unread(&failures, ui);
        }
        ui.aside(&summary.to_string());
        Ok(match (failures.is_empty(), summary.reported()) {
            (false, _) => CommandOutcome::Unusable,
            (true, 0) => CommandOutcome::Done,
            _ => CommandOutcome::Found,
        })
    }

    fn print(&self, results: &LintResults<'_>, on_stderr: bool, ui: &Ui) -> Result<(), CliError> {
        let is_json = ui.wants_json();
        let text = match self.format {
            _ if is_json => json::render(results),
            LintFormat::Human => self.human_text(results),
            LintFormat::Sarif => sarif::render(results),
            LintFormat::Junit => junit::render(results),
            LintFormat::Github => github::render(results),
        };
        match &self.out {
            None if on_stderr => {
                ui.stderr(&text);
                Ok(())
            }
            None if is_json || self.format != LintFormat::Human => ui.result(&text),
            None => ui.print(&text),
            Some(path) => {
                let text = match self.format {
                    LintFormat::Human if !is_json => strip_str(&text).to_string(),
                    _ => text,
                };
                write::write_all(&[(path.clone(), text)]).map(|_| ())
            }
        }
    }

    fn human_text(&self, results: &LintResults<'_>) -> String {
        let mut text = String::new();
        for file in results.linted {
            text.push_str(&human::render(file));
            let suppressed = file.report.suppressed.iter();
            for one in suppressed.filter(|_| self.show_suppressed) {
                let finding = &one.finding;
                let location = file.sources.location(finding.location.span);
                let location = location.map_or(file.file.clone(), |location| location.to_string());
                let reason = match one.reason.as_str() {
                    "" => "no reason given",
                    reason => reason,
                };
                let line = format!("{location}: {}: {reason}", finding.message);
                let (id, line) = (finding.rule.id, printable(&line));
                text.push_str(&format!("{DIM}suppressed[{id}]{DIM:#}: {line}\n"));
            }
        }
        text
    }
}

/// Prints the errors of files that could not be linted.
pub(super) fn print_unread(failures: &[CliError], ui: &Ui) {
    for failure in failures {
        ui.stderr(&report::render(failure));
    }
}

impl CliError {
    /// Returns the problems in the form of the reports for programs.
    fn unread(&self) -> Vec<UnreadableFile> {
        let problems = self.problems.iter().map(|one| {
            let location = self.sources.location(one.problem.span);
            UnreadableFile {
                message: one.problem.message.clone(),
                file: location
                    .map(|it| it.file.to_owned())
                    .or_else(|| one.file.clone()),
                line: location.map(|it| it.line),
                column: location.map(|it| it.column),
                hint: one.problem.hint.clone(),
            }
        });
        problems.collect()
    }
}
