//! `stackgen deployments prune`

use clap::Args;
use serde_json::json;
use stackgen_deploy::prune::{self, KeepReason, PruneDecision, PrunePolicy};
use stackgen_deploy::{DeployStep, DeploymentId};

use super::target::{DeploymentsArgs, api_label, find};
use crate::account::{StepProgress, confirmed, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::style::{DIM, RED};
use crate::ui::Ui;

/// Delete old deployments
///
/// Never deletes a deployment that a stage serves or would go back to, one that is being created, or the newest one of a
/// CloudFormation stack. Deployments that stackgen did not create are kept unless `--templates` or `--all` is given.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct PruneCommand {
    /// Number of deployments to keep besides those that are never deleted
    #[arg(
        long,
        help_heading = "Selection",
        value_name = "COUNT",
        default_value_t = 10
    )]
    keep: usize,

    /// Also delete old deployments that CloudFormation created from templates that stackgen rendered
    #[arg(long, help_heading = "Selection")]
    templates: bool,

    /// Delete old deployments no matter who created them
    #[arg(long, help_heading = "Selection")]
    all: bool,

    /// Show what would be deleted, and delete nothing
    #[arg(long, help_heading = "Action")]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(long, short, help_heading = "Action")]
    yes: bool,

    #[command(flatten)]
    api: DeploymentsArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deployments prune --env prod --dry-run
  stackgen deployments prune --env prod --keep 3 --yes";

impl PruneCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let (account, target) = self.api.open(ui).await?;
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let (api, _) = find(&account, &target, &progress, ctx).await?;
        let policy = PrunePolicy {
            keep: self.keep,
            templates: self.templates,
            all: self.all,
        };
        let decisions = prune::plan(&account.aws, &api.id, &policy, None, ctx).await?;
        let prunable: Vec<DeploymentId> = decisions
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
            prunable.len(),
            decisions.len(),
            api_label(&api)
        );
        progress.pause();
        let is_needed = !self.dry_run && !prunable.is_empty();
        let deleted = match is_needed && confirmed(self.yes, &question, &interrupt, ui).await? {
            true => prune::prune(&account.aws, &api.id, &policy, None, ctx).await?,
            false => Vec::new(),
        };
        drop(progress);
        if ui.wants_json() {
            let kept = decisions.iter().filter_map(|decision| {
                Some(json!({ "id": decision.deployment.id, "because": decision.keep? }))
            });
            let kept: Vec<_> = kept.collect();
            ui.json_result(&json!({ "api": api, "dryRun": self.dry_run, "prunable": prunable, "deleted": deleted, "kept": kept }))?;
        }
        ui.done(&format!(
            "{} of {} deployments of {} deleted",
            deleted.len(),
            decisions.len(),
            api_label(&api)
        ))?;
        Ok(CommandOutcome::Done)
    }
}

fn line(decision: &PruneDecision) -> String {
    let id = &decision.deployment.id;
    let reason = match decision.keep {
        None => return format!("{RED}-{RED:#} {id}"),
        Some(KeepReason::Served) => "a stage serves it",
        Some(KeepReason::Previous) => "a stage would go back to it",
        Some(KeepReason::Newest) => "it is among the newest",
        Some(KeepReason::Pending) => "it is being created",
        Some(KeepReason::InTemplate) => "it is part of a stack",
        Some(KeepReason::OfTemplate) => {
            "CloudFormation created it; include such deployments with `--templates`"
        }
        Some(KeepReason::Foreign) => {
            "stackgen did not create it; include such deployments with `--all`"
        }
    };
    format!("  {id}  {DIM}kept: {reason}{DIM:#}")
}
