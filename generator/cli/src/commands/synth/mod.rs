//! `stackgen synth`

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use similar::TextDiff;
use stackgen_cfn::{Node, emit};
use stackgen_synth::{Dialect, Notice};

use crate::Outcome;
use crate::error::CliError;
use crate::file::{self, Written};
use crate::project::{Project, ProjectArgs};
use crate::ui::{BOLD, DIM, GREEN, RED, Ui};

/// Render the templates of a stackgen.yaml
///
/// Writes one file an environment and format, such as out/dev/template.yaml. When one of them cannot be rendered,
/// none is written; a file that holds the right bytes is not touched.
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

/// A template that was rendered and not yet written.
struct Template<'a> {
    environment: &'a str,
    format: Format,
    resources: usize,
    text: String,
    notices: Vec<Notice>,
}

/// A file in the result of `--json`.
#[derive(Serialize)]
struct JsonFile<'a> {
    path: String,
    environment: &'a str,
    format: Format,
    resources: usize,
    status: Status,
}

/// A notice in the result of `--json`.
#[derive(Serialize)]
struct JsonNotice<'a> {
    environments: Vec<&'a str>,
    #[serde(flatten)]
    notice: &'a Notice,
}

#[derive(Serialize)]
struct JsonResult<'a> {
    files: Vec<JsonFile<'a>>,
    notices: Vec<JsonNotice<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Wrote,
    Unchanged,
    Stale,
    Missing,
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
        let mut templates = Vec::new();
        for environment in environments {
            for format in &formats {
                templates.push(render(
                    &project,
                    environment,
                    *format,
                    &out.join(environment),
                    ui,
                )?);
            }
        }
        let files: Vec<_> = templates
            .iter()
            .map(|template| {
                (
                    out.join(template.environment)
                        .join(template.format.file_name()),
                    template.text.clone(),
                )
            })
            .collect();
        match self.check {
            true => check(&files, &templates, ui),
            false => write(&files, &templates, ui),
        }
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
        let template = render(project, environment, *format, Path::new("."), ui)?;
        tell(std::slice::from_ref(&template), ui);
        ui.result(&template.text)?;
        Ok(Outcome::Done)
    }
}

fn render<'a>(
    project: &Project,
    environment: &'a str,
    format: Format,
    folder: &Path,
    ui: &Ui,
) -> Result<Template<'a>, CliError> {
    let rendered = project.render(environment, format.dialect(), folder, ui)?;
    let resources = rendered.template.get("Resources").and_then(Node::as_map);
    Ok(Template {
        environment,
        format,
        resources: resources.map_or(0, stackgen_cfn::Map::len),
        text: format.emit(&rendered.template),
        notices: rendered.notices,
    })
}

fn write(
    files: &[(PathBuf, String)],
    templates: &[Template<'_>],
    ui: &Ui,
) -> Result<Outcome, CliError> {
    let statuses: Vec<_> = file::write_all(files)?
        .into_iter()
        .map(|written| match written {
            Written::Wrote => Status::Wrote,
            Written::Unchanged => Status::Unchanged,
        })
        .collect();
    report(files, templates, &statuses, ui)?;
    tell(templates, ui);
    Ok(Outcome::Done)
}

fn check(
    files: &[(PathBuf, String)],
    templates: &[Template<'_>],
    ui: &Ui,
) -> Result<Outcome, CliError> {
    let mut statuses = Vec::new();
    for (path, text) in files {
        let old = fs::read(path).ok();
        statuses.push(match &old {
            None => Status::Missing,
            Some(old) if old == text.as_bytes() => Status::Unchanged,
            Some(_) => Status::Stale,
        });
        if !ui.wants_json() {
            let old = old.map(|old| String::from_utf8_lossy(&old).into_owned());
            ui.result(&difference(path, old.as_deref(), text))?;
        }
    }
    report(files, templates, &statuses, ui)?;
    let stale = statuses
        .iter()
        .filter(|status| **status != Status::Unchanged)
        .count();
    if stale == 0 {
        return Ok(Outcome::Done);
    }
    let (noun, them) = if files.len() == 1 {
        ("file is", "it")
    } else {
        ("files are", "them")
    };
    ui.aside(&format!(
        "{RED}{stale} of {} {noun} stale{RED:#}; `stackgen synth` brings {them} up to date",
        files.len()
    ));
    Ok(Outcome::Found)
}

/// What `synth` would change in a file, as a unified diff; nothing when it would change nothing.
fn difference(path: &Path, old: Option<&str>, new: &str) -> String {
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

fn report(
    files: &[(PathBuf, String)],
    templates: &[Template<'_>],
    statuses: &[Status],
    ui: &Ui,
) -> Result<(), CliError> {
    if ui.wants_json() {
        return ui.json_result(&json(files, templates, statuses));
    }
    let width = files
        .iter()
        .map(|(path, _)| path.display().to_string().chars().count())
        .max()
        .unwrap_or(0);
    for (((path, _), template), status) in files.iter().zip(templates).zip(statuses) {
        let status = match status {
            Status::Wrote => format!("{GREEN}wrote{GREEN:#}    "),
            Status::Unchanged => format!("{DIM}unchanged{DIM:#}"),
            Status::Stale => format!("{RED}stale{RED:#}    "),
            Status::Missing => format!("{RED}missing{RED:#}  "),
        };
        ui.done(&format!(
            "{status} {:width$}  {} resources",
            path.display(),
            template.resources
        ))?;
    }
    Ok(())
}

/// The notices, each once, with the environments that it is about.
fn told<'a>(templates: &'a [Template<'_>]) -> Vec<JsonNotice<'a>> {
    let mut told: Vec<JsonNotice<'a>> = Vec::new();
    for template in templates {
        for notice in &template.notices {
            match told.iter_mut().find(|told| told.notice == notice) {
                None => told.push(JsonNotice {
                    environments: vec![template.environment],
                    notice,
                }),
                Some(told) if told.environments.contains(&template.environment) => {}
                Some(told) => told.environments.push(template.environment),
            }
        }
    }
    told
}

fn tell(templates: &[Template<'_>], ui: &Ui) {
    let one = templates
        .iter()
        .all(|template| template.environment == templates[0].environment);
    for JsonNotice {
        environments,
        notice,
    } in told(templates)
    {
        let message = match one {
            true => notice.message.clone(),
            false => format!("{}: {}", environments.join(", "), notice.message),
        };
        ui.note(&message, notice.hint.as_deref());
    }
}

fn json<'a>(
    files: &[(PathBuf, String)],
    templates: &'a [Template<'_>],
    statuses: &[Status],
) -> JsonResult<'a> {
    let files = files.iter().zip(templates).zip(statuses);
    let files = files.map(|(((path, _), template), status)| JsonFile {
        path: path.display().to_string(),
        environment: template.environment,
        format: template.format,
        resources: template.resources,
        status: *status,
    });
    JsonResult {
        files: files.collect(),
        notices: told(templates),
    }
}
