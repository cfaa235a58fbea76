//! What is deployed: the rendered template of an environment, and the stages of its APIs.

use std::path::PathBuf;

use stackgen_cfn::{Node, emit};
use stackgen_deploy::stack::{StackError, StackName, ValidationFinding};
use stackgen_lint::output::LintedFile;
use stackgen_lint::output::json::Findings;
use stackgen_synth::Dialect;

use super::super::args::DeployCommand;
use super::super::build::build_functions;
use super::super::release_args::ReleaseArgs;
use crate::account::{DeclaredRegion, ProjectScope, StageTarget, stack_name};
use crate::error::CliError;
use crate::file;
use crate::lint_gate;
use crate::project::{Project, ProjectArgs};
use crate::ui::Ui;

/// The environment of a project that is deployed.
pub(super) struct ReleaseProject {
    pub(super) project: Project,
    pub(super) environment: String,
    /// Account and region that the environment belongs to.
    pub(super) declared: DeclaredRegion,
}

impl ReleaseProject {
    /// Loads the project file.
    pub(super) fn load(command: &DeployCommand, ui: &Ui) -> Result<Self, CliError> {
        let target = &command.target;
        let input = ProjectArgs {
            file: target.file.clone(),
            unbuilt: false,
        };
        let project = Project::load(&input, ui)?;
        let environment = project.only_environment(target.environment.as_deref())?;
        Ok(ReleaseProject {
            environment: environment.to_owned(),
            declared: DeclaredRegion::of(&project, environment),
            project,
        })
    }

    /// Builds the functions, unless the command does not deploy code or declines.
    pub(super) async fn build(&self, args: &ReleaseArgs, ui: &Ui) -> Result<(), CliError> {
        match args.no_build || args.plan.is_some() || args.diagnose {
            true => Ok(()),
            false => build_functions(&self.project, &self.environment, ui).await,
        }
    }
}

/// The rendered template of an environment, and the stages of its APIs.
pub(super) struct ReleaseSource {
    project: Project,
    pub(super) environment: String,
    pub(super) stack: StackName,
    /// The template. Its paths start at `folder`.
    pub(super) template: Node,
    pub(super) folder: PathBuf,
    pub(super) targets: Vec<StageTarget>,
    linted: Option<LintedFile>,
}

impl ReleaseSource {
    /// Renders the template with the code that is built, and lints it.
    pub(super) fn render(
        project: ReleaseProject,
        command: &DeployCommand,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let (target, args) = (&command.target, &command.release);
        let ReleaseProject {
            project,
            environment,
            ..
        } = project;
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
            project,
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

    /// Adds places in stackgen.yaml to the error of a resource, or to the findings of a validation.
    pub(super) fn locate(&self, error: StackError) -> CliError {
        if let StackError::ChangeSetFailed { findings, .. } = &error
            && !findings.is_empty()
        {
            let findings = findings.iter().filter(|finding| finding.fails);
            let findings = findings.map(|finding| self.locate_finding(finding));
            let all = [CliError::from(error.clone())].into_iter().chain(findings);
            return CliError::all(all.collect()).unwrap_or_else(|| error.into());
        }
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

    fn locate_finding(&self, finding: &ValidationFinding) -> CliError {
        let error = CliError::failed(finding.to_string());
        match self.place(&finding.logical_id) {
            Some(place) => error.hint(place),
            None => error,
        }
    }

    /// Returns the place in stackgen.yaml that a resource comes from.
    pub(super) fn place(&self, logical_id: &str) -> Option<String> {
        let place = self.project.origin(&self.environment, logical_id)?;
        Some(format!("{logical_id} comes from {place}"))
    }
}
