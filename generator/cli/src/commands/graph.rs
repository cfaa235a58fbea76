//! `stackgen graph`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use stackgen_model::graph::{self, Graph};
use stackgen_model::{Inputs, Model};
use stackgen_synth::Dialect;

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::project::{Project, ProjectArgs};
use crate::template::TemplateSource;
use crate::ui::Ui;
use crate::write;

/// Draw APIs, routes, functions and tables, and their connections
///
/// Draws a CloudFormation or SAM template, or the template rendered from stackgen.yaml. `--json` prints nodes and edges.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GraphCommand {
    /// Template, or `REV:PATH` as for `git show`; `-` is standard input (default: the template rendered from
    /// stackgen.yaml)
    #[arg(value_name = "TEMPLATE", conflicts_with_all = ["file", "unbuilt", "environment"])]
    template: Option<String>,

    #[command(flatten)]
    project: ProjectArgs,

    /// Environment to draw (default: the first)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Input")]
    environment: Option<String>,

    /// Graph language
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "mermaid",
        help_heading = "Output"
    )]
    format: GraphFormat,

    /// File to write to (default: standard output)
    #[arg(
        long,
        short,
        value_name = "FILE",
        conflicts_with = "json",
        help_heading = "Output"
    )]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen graph --env prod
  stackgen graph template.yaml --format svg --out graph.svg";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GraphFormat {
    /// Mermaid, which GitHub draws in Markdown
    Mermaid,
    /// DOT, for Graphviz
    Dot,
    /// SVG, for browsers
    Svg,
}

impl GraphCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let template = match &self.template {
            Some(source) => TemplateSource::parse(source).read()?,
            None => self.rendered(ui)?,
        };
        let graph = Graph::new(&Model::from_template(&template, &Inputs::none()));
        if graph.nodes.is_empty() {
            ui.aside("nothing to draw: the template has no API, function or table");
        }
        if ui.wants_json() {
            ui.json_result(&graph)?;
            return Ok(CommandOutcome::Done);
        }
        let text = match self.format {
            GraphFormat::Mermaid => graph::mermaid(&graph),
            GraphFormat::Dot => graph::dot(&graph),
            GraphFormat::Svg => graph::svg(&graph),
        };
        match &self.out {
            None => ui.result(&text)?,
            Some(path) => {
                for written in write::write_all(&[(path.clone(), text)])? {
                    ui.done(&format!("{} {}", written.verb(), path.display()))?;
                }
            }
        }
        Ok(CommandOutcome::Done)
    }

    fn rendered(&self, ui: &Ui) -> Result<stackgen_cfn::Node, CliError> {
        let project = Project::load(&self.project, ui)?;
        let environments = project.environments(self.environment.as_slice())?;
        let [environment, others @ ..] = environments.as_slice() else {
            return Err(CliError::input("the stack has no environment"));
        };
        if !others.is_empty() {
            ui.aside(&format!(
                "drawing {environment}; select another environment with `--env`: {}",
                others.join(", ")
            ));
        }
        let rendered = project.render(environment, Dialect::CloudFormation, Path::new("."), ui)?;
        Ok(rendered.template)
    }
}
