//! `stackgen deploy --local`: applies a whole template to the local gateway, as CloudFormation would.

use serde_json::json;
use stackgen_cfn::terminal::escape;
use stackgen_gateway::gateway::RemoteError;
use stackgen_gateway::stack::{ApplyResult, ChangeAction};
use stackgen_lint::output::json::Findings;

use super::args::DeployCommand;
use crate::assembly;
use crate::error::CliError;
use crate::lint_gate;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::project::{Project, ProjectArgs};
use crate::signals::stop_requested;
use crate::source::{self, SourceArgs};
use crate::template;
use crate::ui::Ui;

/// Builds functions, renders, and applies the whole template, unless a signal comes first.
pub(super) async fn run(command: &DeployCommand, ui: &Ui) -> Result<CommandOutcome, CliError> {
    tokio::select! {
        done = apply_local(command, ui) => done,
        // Dropping the other branch ends the build.
        _ = stop_requested() => Err(CliError::failed("interrupted")
            .hint("run it again; `stackgen status --local` shows what the stages serve")),
    }
}

async fn apply_local(command: &DeployCommand, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let file = &command.target.file;
    let local = LocalGateway::find(file).await?;
    let mut source = SourceArgs {
        template: None,
        stack: None,
        file: file.clone(),
        environment: command.target.environment.clone(),
        parameters: command.release.parameters.clone(),
        release: command.local.release,
        no_build: command.release.no_build,
    };
    if template::is_template(file) {
        source.template = Some(file.clone());
        source.stack = local
            .state
            .stack
            .clone()
            .filter(|_| assembly::stacks(file).is_some());
    } else if source.environment.is_none() {
        source.environment = running(&local, &source, ui)?;
    }
    let prepared = source.prepare(ui).await?;
    let despite_lint = command.release.despite_lint;
    if is_refused(&source, &prepared.template.text, despite_lint, ui)? {
        return Ok(CommandOutcome::Found);
    }
    let applied = match local.remote().apply(&prepared.template).await {
        Ok(applied) => applied,
        Err(RemoteError::Problems(problems)) => {
            return Err(source::problems(&prepared, problems));
        }
        Err(error) => return Err(error.into()),
    };
    let state = local.remote().state().await?;
    LocalGateway { state, ..local }.write(file)?;
    match ui.wants_json() {
        true => ui.json_result(&applied)?,
        false => print_changes(&applied, ui)?,
    }
    Ok(CommandOutcome::Done)
}

/// Lints the template and prints the findings. Returns true if the template must not be applied.
fn is_refused(
    source: &SourceArgs,
    text: &str,
    despite_lint: bool,
    ui: &Ui,
) -> Result<bool, CliError> {
    let path = source.path().display();
    // Lines are those of the rendered text, which is in no file.
    let name = match source.template {
        Some(_) => path.to_string(),
        None => format!("{path} (rendered)"),
    };
    let linted = lint_gate::lint_text(&name, text)?;
    if !lint_gate::has_errors(&linted) || despite_lint {
        lint_gate::print(&linted, ui);
        return Ok(false);
    }
    if ui.wants_json() {
        let findings = Findings::of([&linted]);
        ui.json_result(&json!({ "findings": findings }))?;
    }
    let undone = "nothing is applied: the template has errors";
    let hint = "apply it anyway with `--despite-lint`";
    lint_gate::print_refusal([&linted], undone, hint, ui);
    Ok(true)
}

/// Returns the environment that the gateway runs, if the project declares it.
fn running(local: &LocalGateway, source: &SourceArgs, ui: &Ui) -> Result<Option<String>, CliError> {
    let args = ProjectArgs {
        file: source.file.clone(),
        unbuilt: true,
    };
    let project = Project::load(&args, ui)?;
    Ok(local.environment(&project).map(str::to_owned))
}

fn print_changes(applied: &ApplyResult, ui: &Ui) -> Result<(), CliError> {
    if applied.changes.is_empty() {
        return ui.done("nothing changed");
    }
    for change in &applied.changes {
        let verb = match change.action {
            ChangeAction::Created => "created",
            ChangeAction::Updated => "updated",
            ChangeAction::Code => "new code",
            ChangeAction::Deleted => "deleted",
            ChangeAction::Retained => "retained",
        };
        ui.done(&format!(
            "{verb:<9} {} ({})",
            escape(&change.logical_id),
            escape(&change.kind)
        ))?;
    }
    Ok(())
}
