//! `stackgen lint`

mod baseline;
mod check;
mod configuration;
mod fixes;
mod folder;
mod inputs;
mod output;
mod previous;
mod result;
mod selection;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stackgen_lint::Finding;
use stackgen_lint::output::Summary;

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::terraform;
use crate::ui::Ui;
use baseline::Baseline;
use inputs::{InputArgs, InputTemplate};
use output::{LintRun, OutputArgs};
use previous::PreviousRevision;
use result::{CheckedFile, FileResult, LintOptions};
use selection::RuleSelection;

/// Find wiring mistakes in CloudFormation, SAM and CDK templates, and in Terraform configurations
///
/// Searches folders for templates, except in node_modules, target and hidden folders other than .serverless. In a cdk.out, it
/// lints the templates in the manifest and their nested stacks. When a folder is searched, files that are not
/// templates are skipped. Templates
/// without a WebSocket API have no findings.
///
/// Of Terraform it lints root modules: all files of a folder, and the modules that they call.
///
/// Exits with 3 if there are findings, and with 2 if a file cannot be read as a template; other files are linted anyway.
/// `stackgen explain` explains findings.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LintCommand {
    #[command(flatten)]
    inputs: InputArgs,

    /// Earlier version to compare with: a template, `REV:PATH`, or a git revision, in which the linted paths are looked up
    #[arg(long, value_name = "OLD", help_heading = "Input")]
    previous: Option<String>,

    #[command(flatten)]
    selection: RuleSelection,

    /// File of known findings, which are not reported
    #[arg(long, value_name = "FILE", help_heading = "Baseline")]
    baseline: Option<PathBuf>,

    /// Write all findings to the baseline
    #[arg(long, requires = "baseline", conflicts_with_all = ["fix", "diff"], help_heading = "Baseline")]
    update_baseline: bool,

    /// Fix what can be fixed safely; comments and order stay
    #[arg(long, help_heading = "Fixes")]
    fix: bool,

    /// Show what `--fix` would change, and write nothing
    #[arg(long, help_heading = "Fixes")]
    diff: bool,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen lint
  stackgen lint 'stacks/**/*.yaml' --select SG1,SG4 --min-severity note
  stackgen lint template.yaml --fix
  stackgen lint --previous main --format github";

impl LintCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        self.selection.check()?;
        let mut baseline = match &self.baseline {
            None => None,
            Some(path) => Some(Baseline::read(path, self.update_baseline)?),
        };
        let inputs = self.inputs.inputs()?;
        self.output.check(self.fix, &inputs, ui)?;
        let (mut files, unread) = self.check(&inputs, baseline.as_ref(), ui)?;
        for file in &mut files {
            let report = &mut file.linted.report;
            let is_selected = |finding: &Finding| self.selection.includes(finding.rule);
            report.findings.retain(is_selected);
            report.suppressed.retain(|one| is_selected(&one.finding));
        }
        let mut counts = Summary::default();
        if let Some(baseline) = &mut baseline {
            if self.update_baseline {
                return self.update(baseline, &files, &unread, ui);
            }
            counts.baselined = self.remove_known(baseline, &mut files, ui);
        }
        for file in &mut files {
            let findings = &mut file.linted.report.findings;
            let all = findings.len();
            findings.retain(|finding| self.selection.reports(finding));
            counts.lesser += all - findings.len();
        }
        if self.diff {
            return fixes::show(&files, &unread, ui);
        }
        if self.fix {
            fixes::write(&files, ui)?;
        }
        let results = LintRun {
            files,
            unread,
            counts,
            has_baseline: baseline.is_some(),
            has_fixes: self.fix,
        };
        self.output.report(results, ui)
    }

    fn check(
        &self,
        inputs: &[InputTemplate],
        baseline: Option<&Baseline>,
        ui: &Ui,
    ) -> Result<(Vec<CheckedFile>, Vec<CliError>), CliError> {
        let previous = PreviousRevision::parse(self.previous.as_deref(), inputs)?;
        // Findings that are not reported are not fixed.
        let is_fixed = |finding: &Finding, path: &Path| {
            let is_known = baseline.is_some_and(|it| it.contains(finding, &it.name(path)));
            self.selection.includes(finding.rule) && self.selection.reports(finding) && !is_known
        };
        let options = LintOptions {
            previous: &previous,
            fix: (self.fix || self.diff).then_some(&is_fixed),
        };
        let (mut files, mut unread) = (Vec::new(), Vec::new());
        for result in check::check_files(inputs, options, ui) {
            match result {
                FileResult::Linted(file) => files.push(file),
                FileResult::Configuration(checked) => {
                    terraform::print_notes(&checked.configuration, ui);
                    files.extend(checked.files);
                }
                FileResult::Unread(error) => unread.push(error),
                FileResult::Skipped => {}
            }
        }
        if let PreviousRevision::Revision(revision) = &previous
            && !files.is_empty()
            && !files.iter().any(|file| file.has_previous)
        {
            let message = format!("{revision} has none of these files; nothing is compared");
            ui.note(&message, None);
        }
        match files.is_empty() && unread.is_empty() && !self.inputs.may_be_empty() {
            true => Err(self.inputs.no_template()),
            false => Ok((files, unread)),
        }
    }

    /// Removes known findings, and notes entries of the baseline that were not found.
    fn remove_known(&self, baseline: &mut Baseline, files: &mut [CheckedFile], ui: &Ui) -> usize {
        let (mut names, mut count) = (BTreeSet::new(), 0);
        for file in files {
            let name = baseline.name(&file.path);
            count += baseline.remove_known(&mut file.linted.report.findings, &name);
            names.insert(name);
        }
        let stale = baseline.stale(&names, &self.selection);
        if !stale.is_empty() {
            let path = baseline.path().display();
            let message = format!(
                "{path} has entries that were not found: {}",
                stale.join(", ")
            );
            ui.note(&message, Some("remove them with `--update-baseline`"));
        }
        count
    }

    /// Writes all findings to the baseline, so that it is valid for any `--min-severity`.
    fn update(
        &self,
        baseline: &mut Baseline,
        files: &[CheckedFile],
        unread: &[CliError],
        ui: &Ui,
    ) -> Result<CommandOutcome, CliError> {
        if !unread.is_empty() {
            output::print_unread(unread, ui);
            let path = baseline.path().display();
            ui.aside(&format!("{path} was not changed"));
            return Ok(CommandOutcome::Unusable);
        }
        let names: Vec<_> = files.iter().map(|file| baseline.name(&file.path)).collect();
        let findings = files.iter().zip(&names).flat_map(|(file, name)| {
            let findings = file.linted.report.findings.iter();
            findings.map(|finding| (name.as_str(), finding))
        });
        baseline.update(findings, &names.iter().cloned().collect(), &self.selection);
        let written = baseline.write()?;
        let (path, count) = (baseline.path().display(), baseline.len());
        let noun = if count == 1 { "finding" } else { "findings" };
        ui.done(&format!("{} {path}: {count} {noun}", written.verb()))?;
        Ok(CommandOutcome::Done)
    }
}
