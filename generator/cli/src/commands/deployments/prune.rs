//! `stackgen deployments prune`

use clap::Args;
use serde_json::json;
use stackgen_deploy::prune::{self, KeepReason, PruneDecision, PrunePolicy};
use stackgen_deploy::{DeployStep, DeploymentId};

use super::{Where, find, named};
use crate::Outcome;
use crate::account::{Progress, confirmed, interrupt};
use crate::error::CliError;
use crate::ui::{DIM, RED, Ui};

/// Delete old deployments
///
/// Always keeps what a stage serves, what it would go back to, what is still being made, and the newest deployment that
/// CloudFormation made: it is part of a stack. Deployments that stackgen did not make stay unless `--all` is given.
#[derive(Args, Debug)]
pub(super) struct Prune {
    /// How many of the others to keep
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    keep: usize,

    /// Delete old ones that CloudFormation made from templates of stackgen, too
    #[arg(long)]
    templates: bool,

    /// Delete old ones whoever made them
    #[arg(long)]
    all: bool,

    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    place: Where,
}

impl Prune {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let (account, goal) = self.place.open(ui).await?;
        let progress = Progress::new(ui);
        let interrupt = interrupt(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let (api, _) = find(&account, &goal, &progress, ctx).await?;
        let policy = PrunePolicy {
            keep: self.keep,
            templates: self.templates,
            all: self.all,
        };
        let decisions = prune::plan(&account.aws, &api.id, &policy, None, ctx).await?;
        let doomed: Vec<DeploymentId> = decisions
            .iter()
            .filter(|decision| decision.keep.is_none())
            .map(|decision| decision.deployment.id.clone())
            .collect();
        if !ui.wants_json() {
            progress.result(|| {
                let mut lines = decisions.iter().map(line);
                lines.try_for_each(|line| ui.done(&line))
            })?;
        }
        let question = format!(
            "delete {} of {} deployments of {}?",
            doomed.len(),
            decisions.len(),
            named(&api)
        );
        progress.rest();
        let wanted = !self.dry_run && !doomed.is_empty();
        let deleted = match wanted && confirmed(self.yes, &question, &interrupt, ui).await? {
            true => prune::prune(&account.aws, &api.id, &policy, None, ctx).await?,
            false => Vec::new(),
        };
        drop(progress);
        if ui.wants_json() {
            let kept = decisions.iter().filter_map(|decision| {
                Some(json!({ "id": decision.deployment.id, "because": decision.keep? }))
            });
            let kept: Vec<_> = kept.collect();
            ui.json_result(&json!({ "api": api, "dryRun": self.dry_run, "prunable": doomed, "deleted": deleted, "kept": kept }))?;
        }
        ui.done(&format!(
            "{} of {} deployments of {} deleted",
            deleted.len(),
            decisions.len(),
            named(&api)
        ))?;
        Ok(Outcome::Done)
    }
}

fn line(decision: &PruneDecision) -> String {
    let id = &decision.deployment.id;
    let reason = match decision.keep {
        None => return format!("{RED}-{RED:#} {id}"),
        Some(KeepReason::Served) => "a stage serves it",
        Some(KeepReason::Previous) => "a stage would go back to it",
        Some(KeepReason::Newest) => "it is among the newest",
        Some(KeepReason::Pending) => "API Gateway is creating it",
        Some(KeepReason::InTemplate) => "it is part of a stack",
        Some(KeepReason::OfTemplate) => {
            "CloudFormation created it; `--templates` deletes those, too"
        }
        Some(KeepReason::Foreign) => "stackgen did not create it; `--all` deletes those, too",
    };
    format!("  {id}  {DIM}kept: {reason}{DIM:#}")
}
