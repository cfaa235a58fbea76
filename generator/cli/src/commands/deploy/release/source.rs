//! What is deployed: the rendered template of an environment, and the stages of its APIs.

use std::path::PathBuf;

use stackgen_cfn::{Node, emit};
use stackgen_deploy::stack::{StackError, StackName};
use stackgen_lint::output::LintedFile;
use stackgen_lint::output::json::Findings;
use stackgen_synth::Dialect;

use super::super::args::DeployCommand;
use crate::account::{ProjectScope, StageTarget, stack_name};
use crate::error::CliError;
use crate::file;
use crate::lint_gate;
use crate::project::{Project, ProjectArgs};
use crate::ui::Ui;

/// The rendered template of an environment, and the stages of its APIs.
pub(super) struct ReleaseSource {
    pub(super) environment: String,
    pub(super) stack: StackName,
    /// Account and region that the project file names for the environment.
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    /// The template. Its paths start at `folder`.
    pub(super) template: Node,
    pub(super) folder: PathBuf,
    pub(super) targets: Vec<StageTarget>,
    linted: Option<LintedFile>,
}

impl ReleaseSource {
    /// Renders the template with the code that is built, and lints it.
    pub(super) async fn load(command: &DeployCommand, ui: &Ui) -> Result<Self, CliError> {
        let (target, args) = (&command.target, &command.release);
        let input = ProjectArgs {
            file: target.file.clone(),
            unbuilt: false,
        };
        let project = Project::load(&input, ui)?;
        let environment = project
            .only_environment(target.environment.as_deref())?
            .to_owned();
        let folder = file::parent(&target.file).to_owned();
        let rendered = project.render(&environment, Dialect::CloudFormation, &folder, ui)?;
        let text = emit::yaml(&rendered.template);
        let name = format!("{} (rendered)", target.file.display());
        let linted = lint_gate::lint_rendered(&name, &rendered.template, &text)?;
        let scope = match args.plan.is_some() || args.diagnose {
            true => ProjectScope::Names,
            false => ProjectScope::Code,
        };
        let stack = match &args.stack_name {
            Some(name) => StackName::new(name.as_str()),
            None => stack_name(project.name(), &environment),
        };
        Ok(ReleaseSource {
            stack,
            account: None,
            region: None,
            template: rendered.template,
            targets: target.resolve(scope, None, ui)?,
            environment,
            folder,
            linted,
        })
    }

    /// Prints the findings of the linter. Returns true if the template must not be deployed.
    pub(super) fn is_refused(&self, despite_lint: bool, ui: &Ui) -> Result<bool, CliError> {
        let Some(linted) = &self.linted else {
            return Ok(false);
        };
        if !lint_gate::has_errors(linted) || despite_lint {
            lint_gate::print(linted, ui);
            return Ok(false);
        }
        if ui.wants_json() {
            let findings = Findings::of([linted]);
            ui.json_result(&serde_json::json!({ "findings": findings }))?;
        }
        let undone = "nothing is deployed: the template has errors";
        let hint = "deploy it anyway with `--despite-lint`";
        lint_gate::print_refusal([linted], undone, hint, ui);
        Ok(true)
    }

    /// Adds the place in stackgen.yaml to the error of a resource.
    pub(super) fn locate(&self, error: StackError) -> CliError {
        let place = match &error {
            StackError::Failed {
                cause: Some(cause), ..
            } => self.place(&cause.logical_id),
            _ => None,
        };
        let hint = error.hint();
        let error = CliError::from(error);
        match (place, hint) {
            (Some(place), Some(hint)) => error.hint(format!("{hint}; {place}")),
            _ => error,
        }
    }

    /// Returns the place in stackgen.yaml that a resource comes from.
    pub(super) fn place(&self, _logical_id: &str) -> Option<String> {
        None
    }
}
