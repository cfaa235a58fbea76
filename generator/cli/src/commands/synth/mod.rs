//! `stackgen synth`

mod output;
mod report;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use stackgen_cfn::{Node, emit};
use stackgen_lint::output::LintedFile;
use stackgen_synth::{Dialect, Notice};

use crate::Outcome;
use crate::error::CliError;
use crate::file;
use crate::kept::Kept;
use crate::project::{Project, ProjectArgs};
use crate::ui::{RED, Ui};
use crate::verdict;
use crate::write::{Staged, Written};
use output::{Compared, Output};
use report::Status;

/// Render the templates of a stackgen.yaml
///
/// Writes one file an environment and format, such as out/dev/template.yaml. When one of them cannot be rendered,
/// none is written; a file that holds the right bytes is not touched.
///
/// What is rendered is linted first, as `stackgen lint` does it. With an error in one of the templates, none is written,
/// and synth exits with 3.
#[derive(clap::Args, Debug)]
pub(crate) struct Synth {
    #[command(flatten)]
    project: ProjectArgs,

    /// An environment to render; all when left out
    #[arg(long = "env", short, value_name = "ENV")]
    environments: Vec<String>,

    /// What to render; cfn-yaml when left out
    #[arg(
        long = "format",
        value_name = "FORMAT",
        default_value = "cfn-yaml",
        hide_default_value = true
    )]
    formats: Vec<Format>,

    /// The folder to write into; `out` beside the stackgen.yaml when left out
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write nothing; show which files are stale and exit with 3 if any is
    #[arg(long)]
    check: bool,

    /// Print the one template that is asked for, as it would be in the current folder
    #[arg(long, conflicts_with_all = ["check", "out"])]
    stdout: bool,
}

/// A kind of template and how it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// CloudFormation, as template.yaml
    CfnYaml,
    /// CloudFormation, as template.json
    CfnJson,
    /// SAM, as sam.yaml
    Sam,
}

impl Format {
    fn file_name(self) -> &'static str {
        match self {
            Format::CfnYaml => "template.yaml",
            Format::CfnJson => "template.json",
            Format::Sam => "sam.yaml",
        }
    }

    fn dialect(self) -> Dialect {
        match self {
            Format::CfnYaml | Format::CfnJson => Dialect::CloudFormation,
            Format::Sam => Dialect::Sam,
        }
    }

    fn emit(self, template: &Node) -> String {
        match self {
            Format::CfnYaml | Format::Sam => emit::yaml(template),
            Format::CfnJson => emit::json(template),
        }
    }
}

/// All that was rendered, and what lies beside it.
struct Run<'a> {
    templates: &'a [Template<'a>],
    undeclared: &'a [PathBuf],
}

/// A template that was rendered. Its text is not kept: together the texts may be large.
struct Template<'a> {
    environment: &'a str,
    format: Format,
    /// The file to write.
    path: PathBuf,
    resources: usize,
    notices: Vec<Notice>,
    /// What the linter finds in it.
    verdict: Option<LintedFile>,
}

impl Synth {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let project = Project::load(&self.project, ui)?;
        let environments = project.environments(&self.environments)?;
        let formats = self.formats();
        if self.stdout {
            return self.print(&project, &environments, &formats, ui);
        }
        let out = self.out.clone().unwrap_or_else(|| project.default_out());
        let mut templates: Vec<Template<'_>> = Vec::new();
        let mut output = Output::new(self.check);
        for environment in environments {
            for format in &formats {
                let folder = out.join(environment);
                let (template, text) = render(&project, environment, *format, &folder, ui)?;
                output.add(&template, &text, ui);
                templates.push(template);
            }
        }
        let run = Run {
            templates: &templates,
            undeclared: &self.undeclared(&project, &out)?,
        };
        if run.is_refused() {
            return run.refuse(ui);
        }
        match output {
            Output::Check(compared) => run.check(&compared, ui),
            Output::Write(staged) => run.write(staged?, ui),
        }
    }

    /// Folders of environments that are not declared, unless only some environments are asked for.
    fn undeclared(&self, project: &Project, out: &Path) -> Result<Vec<PathBuf>, CliError> {
        if !self.environments.is_empty() {
            return Ok(Vec::new());
        }
        let kept = Kept {
            out,
            revision: None,
        };
        let files: Vec<_> = Format::value_variants()
            .iter()
            .map(|format| format.file_name())
            .collect();
        let folders = kept.undeclared(project.name(), &project.declared(), &files)?;
        Ok(folders.iter().map(|folder| out.join(folder)).collect())
    }

    /// In the order of the declaration, each once.
    fn formats(&self) -> Vec<Format> {
        let asked = |format: &Format| self.formats.contains(format);
        Format::value_variants()
            .iter()
            .copied()
            .filter(asked)
            .collect()
    }

    fn print(
        &self,
        project: &Project,
        environments: &[&str],
        formats: &[Format],
        ui: &Ui,
    ) -> Result<Outcome, CliError> {
        let ([environment], [format]) = (environments, formats) else {
            let error = CliError::input(format!(
                "`--stdout` prints one template, and this would be {}",
                environments.len() * formats.len()
            ));
            return Err(match environments {
                [_] => error.hint("name one `--format`"),
                _ => error.hint(format!("name one `--env`: {}", environments.join(", "))),
            });
        };
        let (template, text) = render(project, environment, *format, Path::new("."), ui)?;
        let templates = std::slice::from_ref(&template);
        report::tell(templates, ui);
        if template.is_refused() {
            let undone = "nothing is printed: the template has errors";
            report::tell_refused(templates, undone, ui);
            return Ok(Outcome::Found);
        }
        report::tell_verdicts(templates, ui);
        ui.result(&text)?;
        Ok(Outcome::Done)
    }
}

fn render<'a>(
    project: &Project,
    environment: &'a str,
    format: Format,
    folder: &Path,
    ui: &Ui,
) -> Result<(Template<'a>, String), CliError> {
    let rendered = project.render(environment, format.dialect(), folder, ui)?;
    let resources = rendered.template.get("Resources").and_then(Node::as_map);
    let text = format.emit(&rendered.template);
    let path = file::within(folder, format.file_name());
    let name = path.display().to_string();
    let template = Template {
        environment,
        format,
        path: folder.join(format.file_name()),
        resources: resources.map_or(0, stackgen_cfn::Map::len),
        verdict: verdict::of_rendered(&name, &rendered.template, &text)?,
        notices: rendered.notices,
    };
    Ok((template, text))
}

impl Template<'_> {
    fn is_refused(&self) -> bool {
        self.verdict.as_ref().is_some_and(verdict::refuses)
    }
}

impl Run<'_> {
    fn is_refused(&self) -> bool {
        self.templates.iter().any(Template::is_refused)
    }

    fn refuse(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let statuses = vec![Status::Refused; self.templates.len()];
        if ui.wants_json() {
            report::report(self, &statuses, ui)?;
        }
        let undone = "nothing is written: what would be has errors";
        report::tell_refused(self.templates, undone, ui);
        Ok(Outcome::Found)
    }

    fn write(&self, staged: Staged, ui: &Ui) -> Result<Outcome, CliError> {
        let written = staged.persist()?.into_iter();
        let statuses: Vec<_> = written
            .map(|written| match written {
                Written::Wrote => Status::Wrote,
                Written::Unchanged => Status::Unchanged,
            })
            .collect();
        report::report(self, &statuses, ui)?;
        report::tell(self.templates, ui);
        report::tell_verdicts(self.templates, ui);
        report::tell_undeclared(self.undeclared, ui);
        Ok(Outcome::Done)
    }

    fn check(&self, compared: &[Compared], ui: &Ui) -> Result<Outcome, CliError> {
        if !ui.wants_json() {
            for compared in compared {
                ui.result(&compared.difference)?;
            }
        }
        let statuses: Vec<_> = compared.iter().map(|compared| compared.status).collect();
        report::report(self, &statuses, ui)?;
        if !ui.wants_json() {
            ui.result(&report::undeclared(self.undeclared))?;
        }
        let stale = |status: &&Status| **status != Status::Unchanged;
        let (stale, all) = (statuses.iter().filter(stale).count(), statuses.len());
        if stale > 0 {
            let (noun, them) = match all {
                1 => ("file is", "it"),
                _ => ("files are", "them"),
            };
            ui.aside(&format!(
                "{RED}{stale} of {all} {noun} stale{RED:#}; `stackgen synth` brings {them} up to date"
            ));
        }
        report::tell_undeclared(self.undeclared, ui);
        Ok(match stale == 0 && self.undeclared.is_empty() {
            true => Outcome::Done,
            false => Outcome::Found,
        })
    }
}
