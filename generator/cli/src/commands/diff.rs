//! `stackgen diff`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use stackgen_cfn::terminal::escape;
use stackgen_cfn::{Node, Sources};
use stackgen_deploy::stack::{StackName, StackReader as _};
use stackgen_deploy::{DeployStep, OperationContext};
use stackgen_model::diff::Diff;
use stackgen_synth::Dialect;

use crate::account::{
    AccountArgs, AccountClient, DeclaredRegion, StepProgress, interrupt_on_signals, stack_name,
};
use crate::error::CliError;
use crate::model_changes::{colored, empty_template, model_changes};
use crate::outcome::CommandOutcome;
use crate::output_dir::{OutputDir, stackgen_metadata};
use crate::package::packaged_like;
use crate::project::{Project, ProjectArgs};
use crate::runtime::block_on;
use crate::style::{BOLD, GREEN, RED};
use crate::template::{self, TemplateSource};
use crate::ui::Ui;

/// Show the changes between templates, and what each change needs to go live
///
/// Reports for each change whether it needs a deployment (wiring), goes live with the stack update (code and
/// settings), or replaces a resource.
///
/// Without arguments, compares the templates in `out` with those rendered from stackgen.yaml now. With OLD, compares that
/// template, or `out` in that git revision, with those rendered now. With OLD and NEW, compares the two. With `--against
/// deployed`, compares the template that each environment's stack has in the account with what a deploy would send.
///
/// For a new environment, only counts by kind are shown, because everything is added. An environment that is no longer
/// declared is reported as gone. Values of `NoEcho` parameters are masked as `****`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffCommand {
    /// Template, `REV:PATH` as for `git show`, or revision such as `main` to compare with
    #[arg(value_name = "OLD")]
    old: Option<String>,

    /// Template or `REV:PATH` (default: the template rendered from stackgen.yaml)
    #[arg(value_name = "NEW", conflicts_with_all = ["file", "unbuilt", "environments", "rendered"])]
    new: Option<String>,

    #[command(flatten)]
    project: ProjectArgs,

    /// Environment to compare; repeatable (default: all)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Input")]
    environments: Vec<String>,

    /// Compare with the template of the deployed stack; needs an account
    #[arg(long, value_name = "WHAT", help_heading = "Input", conflicts_with_all = ["old", "new", "rendered"])]
    against: Option<Against>,

    /// Folder of rendered templates to compare with (default: `out` beside the project file)
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    rendered: Option<PathBuf>,

    /// List everything that a new environment adds, instead of counts by kind
    #[arg(long, help_heading = "Output")]
    all: bool,

    /// Exit with 3 if something changes
    #[arg(long, help_heading = "Output")]
    exit_code: bool,

    #[command(flatten)]
    account: AccountArgs,
}

/// What templates are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The templates of the environments' stacks
    Deployed,
}

const EXAMPLES: &str = "\
Examples:
  stackgen diff
  stackgen diff main --env prod --exit-code
  stackgen diff --against deployed --env prod
  stackgen diff HEAD:out/dev/template.yaml out/dev/template.yaml";

/// File of an environment that is compared.
const TEMPLATE_FILE: &str = "template.yaml";

/// Two templates, and the changes from one to the other.
#[derive(Serialize)]
struct Comparison {
    environment: Option<String>,
    /// `None` for a new environment.
    old: Option<String>,
    /// `None` for an environment that is no longer declared.
    new: Option<String>,
    #[serde(flatten)]
    changes: Diff,
}

impl DiffCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.account.local {
            return Err(
                CliError::input("the local gateway has no stack to compare with")
                    .hint("compare templates without `--local`"),
            );
        }
        if self.against.is_none() && self.account.is_given() {
            return Err(
                CliError::input("flags of an account need `--against deployed`")
                    .hint("without it, `diff` compares files and calls no account"),
            );
        }
        let comparisons = match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                let (old, new) = (TemplateSource::parse(old), TemplateSource::parse(new));
                vec![Comparison {
                    environment: None,
                    old: Some(old.name()),
                    new: Some(new.name()),
                    changes: model_changes(&old.read()?, &new.read()?),
                }]
            }
            _ if self.against.is_some() => block_on(self.with_stacks(ui))?,
            _ => self.with_project(ui)?,
        };
        if ui.wants_json() {
            ui.json_result(&serde_json::json!({ "diffs": comparisons }))?;
        } else {
            for comparison in &comparisons {
                ui.print(&comparison.text(comparisons.len() > 1, self.all))?;
            }
        }
        let changed = comparisons.iter().any(Comparison::has_changes);
        Ok(if self.exit_code && changed {
            CommandOutcome::Found
        } else {
            CommandOutcome::Done
        })
    }

    /// Compares rendered templates with what the project file renders now.
    fn with_project(&self, ui: &Ui) -> Result<Vec<Comparison>, CliError> {
        let project = Project::load(&self.project, ui)?;
        let environments = project.environments(&self.environments)?;
        let out = self
            .rendered
            .clone()
            .unwrap_or_else(|| project.default_out());
        if let Some(source) = self.old.as_deref().and_then(named_template) {
            let old = source.read()?;
            let environment = environment_of(&old, &environments).ok_or_else(|| {
                CliError::input(format!("the environment of {} is unknown", source.name())).hint(
                    format!("name one with `--env`: {}", environments.join(", ")),
                )
            })?;
            let old = Some((source.name(), old));
            return Ok(vec![self.compare_with_rendering(
                &project,
                environment,
                &out,
                old,
                ui,
            )?]);
        }
        let rendered = OutputDir {
            out: &out,
            revision: self.old.as_deref(),
        };
        let mut comparisons = Vec::new();
        for environment in environments {
            let source = rendered.source(environment, TEMPLATE_FILE);
            let old = match rendered.holds(environment, TEMPLATE_FILE)? {
                true => Some((source.name(), source.read()?)),
                false => None,
            };
            comparisons.push(self.compare_with_rendering(&project, environment, &out, old, ui)?);
        }
        if self.environments.is_empty() {
            let removed =
                rendered.undeclared(project.name(), &project.declared(), &[TEMPLATE_FILE])?;
            comparisons.extend(removed.iter().map(|environment| Comparison {
                environment: Some(environment.clone()),
                old: Some(rendered.source(environment, TEMPLATE_FILE).name()),
                new: None,
                changes: model_changes(&empty_template(), &empty_template()),
            }));
        }
        Ok(comparisons)
    }

    /// Compares the templates of deployed stacks with what a deploy would send.
    async fn with_stacks(&self, ui: &Ui) -> Result<Vec<Comparison>, CliError> {
        let project = Project::load(&self.project, ui)?;
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let mut comparisons = Vec::new();
        for environment in project.environments(&self.environments)? {
            let declared = DeclaredRegion::of(&project, environment);
            let region = declared.region.as_deref();
            let account = self.account.connect_in(region, ui).await?;
            let ctx = account.context(&steps, &interrupt);
            declared.require(&account, ctx).await?;
            let stack = stack_name(project.name(), environment);
            progress.begin(format!("reading the template of stack {stack}"));
            let deployed = deployed_template(&stack, &account, ctx).await?;
            let folder = project.folder();
            let rendered = project.render(environment, Dialect::CloudFormation, folder, ui)?;
            let changes = match &deployed {
                Some(old) => model_changes(old, &packaged_like(old, &rendered.template, folder)?),
                None => model_changes(&empty_template(), &rendered.template),
            };
            comparisons.push(Comparison {
                environment: Some(environment.to_owned()),
                old: deployed.map(|_| format!("stack {stack}")),
                new: Some(self.project.file.display().to_string()),
                changes,
            });
        }
        Ok(comparisons)
    }

    fn compare_with_rendering(
        &self,
        project: &Project,
        environment: &str,
        out: &Path,
        old: Option<(String, Node)>,
        ui: &Ui,
    ) -> Result<Comparison, CliError> {
        let folder = out.join(environment);
        let new = project.render(environment, Dialect::CloudFormation, &folder, ui)?;
        let (name, old) = match old {
            Some((name, old)) => (Some(name), old),
            None => (None, empty_template()),
        };
        Ok(Comparison {
            environment: Some(environment.to_owned()),
            old: name,
            new: Some(self.project.file.display().to_string()),
            changes: model_changes(&old, &new.template),
        })
    }
}

/// Returns the template of a stack; `None` if there is no such stack.
async fn deployed_template(
    name: &StackName,
    account: &AccountClient,
    ctx: OperationContext<'_>,
) -> Result<Option<Node>, CliError> {
    let Some(stack) = ctx.read(|| account.aws.stack(name.as_str())).await? else {
        return Ok(None);
    };
    let text = ctx.read(|| account.aws.template(&stack.id)).await?;
    let name = format!("the template of stack {name}");
    template::parse(&mut Sources::new(), name, text).map(Some)
}

/// Returns the template that an argument names; `None` for a revision.
fn named_template(argument: &str) -> Option<TemplateSource> {
    let path = Path::new(argument);
    // A pipe is a file too, as in `diff <(…)`.
    let is_file = path.exists() && !path.is_dir();
    let is_template = argument == "-" || argument.contains(':') || is_file;
    is_template.then(|| TemplateSource::parse(argument))
}

/// Returns the only environment, or the one that a template's metadata names.
fn environment_of<'a>(template: &Node, environments: &[&'a str]) -> Option<&'a str> {
    let name = stackgen_metadata(template, "Environment");
    match environments {
        [only] => Some(*only),
        all => all
            .iter()
            .copied()
            .find(|environment| Some(*environment) == name),
    }
}

impl Comparison {
    fn has_changes(&self) -> bool {
        self.old.is_none() || self.new.is_none() || !self.changes.is_empty()
    }

    fn text(&self, with_title: bool, all: bool) -> String {
        let environment = escape(self.environment.as_deref().unwrap_or_default());
        let mut text = match (&self.old, &self.new) {
            (Some(old), None) => {
                let old = escape(old);
                let removed = format!("{RED}gone{RED:#}, and still in {old}");
                return format!("{BOLD}{environment}{BOLD:#}: {removed}\n");
            }
            (None, _) => format!("{BOLD}{environment}{BOLD:#}: {GREEN}new{GREEN:#}\n"),
            _ if with_title => format!("{BOLD}{environment}{BOLD:#}\n"),
            _ => String::new(),
        };
        if self.changes.is_empty() {
            text.push_str("nothing changes\n");
        }
        if self.old.is_none() && !all {
            let counts = self.changes.counts();
            text.push_str(&format!("{GREEN}+{GREEN:#} {counts} (list: `--all`)\n"));
            return text;
        }
        text.push_str(&colored(&self.changes.human(), ""));
        text
    }
}
