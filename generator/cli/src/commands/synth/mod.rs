//! `stackgen synth`

mod output;
mod rendered;
mod report;
mod stacks;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::style::RED;
use crate::ui::Ui;
use crate::write::{Staged, Written};
use output::{ComparedFile, SynthOutput};
use rendered::{RenderedTemplate, SynthRun, TemplateFormat, render};
use report::FileStatus;
use stacks::{SelectedEnvironment, Stacks};

/// Render CloudFormation or SAM templates from a stackgen.yaml
///
/// Writes one file per environment and format, such as out/dev/template.yaml. Files that are up to date are not touched. If a
/// template cannot be rendered, no file is written.
///
/// Templates are linted before they are written. If the linter finds an error, no file is written, and the exit code is 3.
///
/// Several project files are rendered together: all of their templates are written, or none.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SynthCommand {
    /// Project files; repeatable
    #[arg(
        long = "file",
        short,
        value_name = "FILE",
        num_args = 1..,
        default_value = "stackgen.yaml",
        help_heading = "Input"
    )]
    files: Vec<PathBuf>,

    /// Ignore built artifacts, so that the result is the same on every machine
    #[arg(long, help_heading = "Input")]
    unbuilt: bool,

    /// Environment to render; repeatable (default: all)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Input")]
    environments: Vec<String>,

    /// Format to render; repeatable (default: cfn-yaml)
    #[arg(
        long = "format",
        value_name = "FORMAT",
        default_value = "cfn-yaml",
        hide_default_value = true,
        help_heading = "Output"
    )]
    formats: Vec<TemplateFormat>,

    /// Folder to write to (default: `out` beside the project file); of several stacks, each gets a folder of its name in it
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Write nothing; show stale files, and exit with 3 if there are any
    #[arg(long, help_heading = "Output")]
    check: bool,

    /// Print the template, with paths relative to the current folder; `--env` and `--format` must select exactly one
    #[arg(long, conflicts_with_all = ["check", "out"], help_heading = "Output")]
    stdout: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen synth
  stackgen synth --env prod --format sam --out build
  stackgen synth --file services/*/stackgen.yaml
  stackgen synth --check";

impl SynthCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let stacks = Stacks::load(&self.files, self.unbuilt, self.out.as_deref(), ui)?;
        let selected = stacks.select(&self.environments)?;
        let formats = self.formats();
        if self.stdout {
            return self.print(&selected, &formats, ui);
        }
        stacks.check_folders()?;
        let mut templates: Vec<RenderedTemplate<'_>> = Vec::new();
        let mut output = SynthOutput::new(self.check);
        for SelectedEnvironment { stack, environment } in selected {
            for format in &formats {
                let folder = stack.out.join(environment);
                let (template, text) = render(&stack.project, environment, *format, &folder, ui)?;
                output.add(&template, &text, ui);
                templates.push(template);
            }
        }
        let run = SynthRun {
            templates: &templates,
            // Folders of undeclared environments matter only where all environments are rendered.
            undeclared: &match self.environments.is_empty() {
                true => stacks.undeclared()?,
                false => Vec::new(),
            },
        };
        if run.has_errors() {
            return refuse(&run, ui);
        }
        match output {
            SynthOutput::Check(compared) => check(&run, &compared, ui),
            SynthOutput::Write(staged) => write(&run, staged?, ui),
        }
    }

    /// Returns the formats in the order of their declaration, each once.
    fn formats(&self) -> Vec<TemplateFormat> {
        let is_selected = |format: &TemplateFormat| self.formats.contains(format);
        TemplateFormat::value_variants()
            .iter()
            .copied()
            .filter(is_selected)
            .collect()
    }

    fn print(
        &self,
        selected: &[SelectedEnvironment<'_>],
        formats: &[TemplateFormat],
        ui: &Ui,
    ) -> Result<CommandOutcome, CliError> {
        let ([only], [format]) = (selected, formats) else {
            let error = CliError::input(format!(
                "`--stdout` prints a single template, but {} are selected",
                selected.len() * formats.len()
            ));
            return Err(match (&self.files[..], selected) {
                (_, [_]) => error.hint("select one with `--format`"),
                ([_], _) => {
                    let names: Vec<_> = selected.iter().map(|one| one.environment).collect();
                    error.hint(format!("select one with `--env`: {}", names.join(", ")))
                }
                _ => error.hint("name a single project file with `--file`"),
            });
        };
        let SelectedEnvironment { stack, environment } = *only;
        let project = &stack.project;
        let (template, text) = render(project, environment, *format, Path::new("."), ui)?;
        let templates = std::slice::from_ref(&template);
        report::print_notices(templates, ui);
        if template.has_errors() {
            let undone = "nothing is printed: the template has errors";
            report::print_refusal(templates, undone, ui);
            return Ok(CommandOutcome::Found);
        }
        report::print_findings(templates, ui);
        ui.result(&text)?;
        Ok(CommandOutcome::Done)
    }
}

fn refuse(run: &SynthRun<'_>, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let statuses = vec![FileStatus::Refused; run.templates.len()];
    if ui.wants_json() {
        report::print_files(run, &statuses, ui)?;
    }
    let undone = "nothing is written: the templates have errors";
    report::print_refusal(run.templates, undone, ui);
    Ok(CommandOutcome::Found)
}

fn write(run: &SynthRun<'_>, staged: Staged, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let written = staged.persist()?.into_iter();
    let statuses: Vec<_> = written
        .map(|written| match written {
            Written::Wrote => FileStatus::Wrote,
            Written::Unchanged => FileStatus::Unchanged,
        })
        .collect();
    report::print_files(run, &statuses, ui)?;
    report::print_notices(run.templates, ui);
    report::print_findings(run.templates, ui);
    report::note_undeclared(run.undeclared, ui);
    Ok(CommandOutcome::Done)
}

fn check(
    run: &SynthRun<'_>,
    compared: &[ComparedFile],
    ui: &Ui,
) -> Result<CommandOutcome, CliError> {
    if !ui.wants_json() {
        for compared in compared {
            ui.print(&compared.difference)?;
        }
    }
    let statuses: Vec<_> = compared.iter().map(|compared| compared.status).collect();
    report::print_files(run, &statuses, ui)?;
    if !ui.wants_json() {
        ui.print(&report::undeclared(run.undeclared))?;
    }
    let stale = |status: &&FileStatus| **status != FileStatus::Unchanged;
    let (stale, all) = (statuses.iter().filter(stale).count(), statuses.len());
    if stale > 0 {
        let (noun, them) = match all {
            1 => ("file is", "it"),
            _ => ("files are", "them"),
        };
        ui.aside(&format!(
            "{RED}{stale} of {all} {noun} stale{RED:#}; update {them} with `stackgen synth`"
        ));
    }
    report::note_undeclared(run.undeclared, ui);
    Ok(match stale == 0 && run.undeclared.is_empty() {
        true => CommandOutcome::Done,
        false => CommandOutcome::Found,
    })
}
