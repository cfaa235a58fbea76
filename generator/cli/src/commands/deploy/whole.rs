//! `stackgen deploy --local`: the whole template, applied to the local gateway as CloudFormation would.

use serde_json::json;
use stackgen_cfn::terminal::escape;
use stackgen_gateway::gateway::RemoteError;
use stackgen_gateway::stack::{ApplyResult, ChangeAction};
use stackgen_lint::output::json::Findings;

use super::Deploy;
use crate::Outcome;
use crate::error::CliError;
use crate::local::Local;
use crate::project::{Project, ProjectArgs};
use crate::signals::stop_requested;
use crate::source::{self, SourceArgs};
use crate::template;
use crate::ui::Ui;
use crate::verdict;

/// What deploys no template.
const OTHERS: [&str; 2] = ["redeploy_stage", "code_only"];

/// What the whole template takes.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "With `--local` alone")]
pub(super) struct WholeArgs {
    /// A parameter of the template
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = source::pair, conflicts_with_all = OTHERS)]
    parameters: Vec<(String, String)>,

    /// Build functions optimised
    #[arg(long, conflicts_with_all = OTHERS)]
    release: bool,

    /// Take functions as they were built before
    #[arg(long, conflicts_with_all = OTHERS)]
    no_build: bool,

    /// Apply a template in which the linter finds errors
    #[arg(long, conflicts_with_all = OTHERS)]
    despite_lint: bool,
}

impl Deploy {
    /// Builds, renders and applies everything, deployments too, unless a signal comes first.
    pub(super) async fn whole(&self, ui: &Ui) -> Result<Outcome, CliError> {
        tokio::select! {
            done = self.everything(ui) => done,
            // A build that is not waited for ends.
            _ = stop_requested() => Err(CliError::failed("interrupted")
                .hint("`stackgen status --local` tells what is served; run it again")),
        }
    }

    async fn everything(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let file = &self.goal.file;
        let local = Local::find(file).await?;
        let mut source = SourceArgs {
            template: None,
            file: file.clone(),
            environment: self.goal.environment.clone(),
            parameters: self.whole.parameters.clone(),
            release: self.whole.release,
            no_build: self.whole.no_build,
        };
        if template::is_one(file) {
            source.template = Some(file.clone());
        } else if source.environment.is_none() {
            source.environment = running(&local, &source, ui)?;
        }
        let prepared = source.prepare(ui).await?;
        if self.refuses(&source, &prepared.template.text, ui)? {
            return Ok(Outcome::Found);
        }
        let applied = match local.remote().apply(&prepared.template).await {
            Ok(applied) => applied,
            Err(RemoteError::Problems(problems)) => {
                return Err(source::problems(&prepared.template, problems));
            }
            Err(error) => return Err(error.into()),
        };
        let state = local.remote().state().await?;
        Local { state, ..local }.write(file)?;
        match ui.wants_json() {
            true => ui.json_result(&applied)?,
            false => tell(&applied, ui)?,
        }
        Ok(Outcome::Done)
    }
}

impl Deploy {
    /// Whether the linter finds errors with which nothing is applied.
    fn refuses(&self, source: &SourceArgs, text: &str, ui: &Ui) -> Result<bool, CliError> {
        let path = source.path().display();
        // Places are those of the text that was rendered, which lies nowhere.
        let name = match source.template {
            Some(_) => path.to_string(),
            None => format!("{path} (rendered)"),
        };
        let verdict = verdict::of_text(&name, text)?;
        if !verdict::refuses(&verdict) || self.whole.despite_lint {
            verdict::tell(&verdict, ui);
            return Ok(false);
        }
        if ui.wants_json() {
            let findings = Findings::of([&verdict]);
            ui.json_result(&json!({ "findings": findings }))?;
        }
        let undone = "nothing is applied: the template has errors";
        let hint = "`--despite-lint` applies it all the same";
        verdict::tell_refused([&verdict], undone, hint, ui);
        Ok(true)
    }
}

/// The environment that the gateway runs, if it is one of the project's.
fn running(local: &Local, source: &SourceArgs, ui: &Ui) -> Result<Option<String>, CliError> {
    let args = ProjectArgs {
        file: source.file.clone(),
        unbuilt: true,
    };
    let project = Project::load(&args, ui)?;
    Ok(local.environment(&project).map(str::to_owned))
}

fn tell(applied: &ApplyResult, ui: &Ui) -> Result<(), CliError> {
    if applied.changes.is_empty() {
        return ui.done("nothing changed");
    }
    for change in &applied.changes {
        let what = match change.action {
            ChangeAction::Created => "created",
            ChangeAction::Updated => "updated",
            ChangeAction::Code => "new code",
            ChangeAction::Deleted => "deleted",
            ChangeAction::Retained => "retained",
        };
        ui.done(&format!(
            "{what:<9} {} ({})",
            escape(&change.logical_id.to_string()),
            escape(&change.kind.to_string())
        ))?;
    }
    Ok(())
}
