//! `stackgen diff`

use std::path::{Path, PathBuf};

use serde::Serialize;
use stackgen_cfn::Node;
use stackgen_model::diff::{Diff as Changes, diff};
use stackgen_model::{Inputs, Model};
use stackgen_synth::Dialect;

use crate::Outcome;
use crate::error::CliError;
use crate::project::{Project, ProjectArgs};
use crate::template::Place;
use crate::ui::{BOLD, CYAN, GREEN, RED, Ui};

/// Show what would change, in words of the model, and what it takes to be live
///
/// Says of every change whether it needs an API deployment (wiring), is live with the update (code and settings), or
/// replaces a resource.
///
/// Without arguments, holds what lies in `out` against what the stackgen.yaml renders now. With one, holds that
/// template, or that revision of `out`, against what the stackgen.yaml renders now. With two, holds the first against
/// the second.
#[derive(clap::Args, Debug)]
pub(crate) struct Diff {
    /// A template, `REV:PATH` as `git show` takes it, or a revision such as `HEAD` or `main`
    #[arg(value_name = "OLD")]
    old: Option<String>,

    /// A template or `REV:PATH`; what the stackgen.yaml renders when left out
    #[arg(value_name = "NEW", conflicts_with_all = ["file", "unbuilt", "environments", "out"])]
    new: Option<String>,

    #[command(flatten)]
    project: ProjectArgs,

    /// An environment to compare; all when left out
    #[arg(long = "env", short, value_name = "ENV")]
    environments: Vec<String>,

    /// The folder that holds rendered templates; `out` beside the stackgen.yaml when left out
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Exit with 3 when something changes
    #[arg(long)]
    exit_code: bool,
}

/// Two templates and what changes from the one to the other.
#[derive(Serialize)]
struct Comparison {
    environment: Option<String>,
    old: String,
    new: String,
    #[serde(flatten)]
    changes: Changes,
}

impl Diff {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let comparisons = match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                let (old, new) = (Place::of(old), Place::of(new));
                vec![Comparison {
                    environment: None,
                    old: old.name(),
                    new: new.name(),
                    changes: changes(&old.read()?, &new.read()?),
                }]
            }
            _ => self.with_project(ui)?,
        };
        if ui.wants_json() {
            ui.json_result(&serde_json::json!({ "diffs": comparisons }))?;
        } else {
            for comparison in &comparisons {
                ui.result(&shown(comparison, comparisons.len() > 1))?;
            }
        }
        let changed = comparisons
            .iter()
            .any(|comparison| !comparison.changes.is_empty());
        Ok(if self.exit_code && changed {
            Outcome::Found
        } else {
            Outcome::Done
        })
    }

    /// What is kept against what the stackgen.yaml renders now.
    fn with_project(&self, ui: &Ui) -> Result<Vec<Comparison>, CliError> {
        let project = Project::load(&self.project, ui)?;
        let environments = project.environments(&self.environments)?;
        let out = self.out.clone().unwrap_or_else(|| project.default_out());
        if let Some(place) = self.old.as_deref().and_then(template) {
            let old = place.read()?;
            let environment = environment_of(&old, &environments).ok_or_else(|| {
                CliError::input(format!("which environment is {} of?", place.name())).hint(format!(
                    "name one with `--env`: {}",
                    environments.join(", ")
                ))
            })?;
            return Ok(vec![self.against_now(
                &project,
                environment,
                &out,
                &place,
                &old,
                ui,
            )?]);
        }
        let mut comparisons = Vec::new();
        for environment in environments {
            let kept = out.join(environment).join("template.yaml");
            let place = match &self.old {
                Some(revision) => Place::Revision(format!("{revision}:{}", in_git(&kept))),
                None => Place::File(kept),
            };
            let old = place.read()?;
            comparisons.push(self.against_now(&project, environment, &out, &place, &old, ui)?);
        }
        Ok(comparisons)
    }

    fn against_now(
        &self,
        project: &Project,
        environment: &str,
        out: &Path,
        place: &Place,
        old: &Node,
        ui: &Ui,
    ) -> Result<Comparison, CliError> {
        let folder = out.join(environment);
        let new = project.render(environment, Dialect::CloudFormation, &folder, ui)?;
        Ok(Comparison {
            environment: Some(environment.to_owned()),
            old: place.name(),
            new: self.project.file.display().to_string(),
            changes: changes(old, &new.template),
        })
    }
}

/// The template that an argument names; `None` for a mere revision.
fn template(argument: &str) -> Option<Place> {
    let named = argument == "-" || argument.contains(':') || Path::new(argument).is_file();
    named.then(|| Place::of(argument))
}

/// The environment that a template of ours says it is of, or the only one there is.
fn environment_of<'a>(template: &Node, environments: &[&'a str]) -> Option<&'a str> {
    let said = template
        .at_path(&["Metadata", "Stackgen", "Environment"])
        .and_then(Node::as_str);
    match environments {
        [only] => Some(*only),
        all => all
            .iter()
            .copied()
            .find(|environment| Some(*environment) == said),
    }
}

/// A path as git takes it behind a revision: from the current folder, where it is not absolute.
fn in_git(path: &Path) -> String {
    match path.is_absolute() || path.starts_with(".") || path.starts_with("..") {
        true => path.display().to_string(),
        false => format!("./{}", path.display()),
    }
}

fn changes(old: &Node, new: &Node) -> Changes {
    let model = |template: &Node| Model::from_template(template, &Inputs::none());
    diff(&model(old), &model(new))
}

fn shown(comparison: &Comparison, many: bool) -> String {
    let mut text = String::new();
    if let (Some(environment), true) = (&comparison.environment, many) {
        text.push_str(&format!("{BOLD}{environment}{BOLD:#}\n"));
    }
    if comparison.changes.is_empty() {
        text.push_str("nothing changes\n");
    }
    for line in comparison.changes.human().lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => GREEN,
            Some(b'-' | b'!') => RED,
            _ => CYAN,
        };
        let (mark, rest) = line.split_at(line.len().min(1));
        text.push_str(&format!("{style}{mark}{style:#}{rest}\n"));
    }
    text
}
