//! `stackgen deployments prune`

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use stackgen_deploy::prune::{self, KeepReason, PruneDecision, PrunePolicy};
use stackgen_deploy::{ApiInfo, CalledVersion, DeployStep, DeploymentId};

use super::target::{DeploymentsArgs, api_label, find};
use super::versions;
use crate::account::{StepProgress, confirmed, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::style::{DIM, RED};
use crate::ui::Ui;

/// Delete old deployments
///
/// Never deletes a deployment that a stage serves or would go back to, one that is being created, or the newest one of a
/// CloudFormation stack. Deployments that stackgen did not create are kept unless `--templates` or `--all` is given.
///
/// Also deletes function versions, as pinned releases publish them, that no remaining deployment calls. If a remaining
/// deployment does not record its calls, the versions that existed when it was created are kept.
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

    /// Keep function versions that no remaining deployment calls
    #[arg(long, help_heading = "Selection")]
    keep_versions: bool,

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
        let decisions = prune::plan(&account.aws, &api.id, &policy, &[], ctx).await?;
        let kept = decisions.iter().filter(|one| one.keep.is_some());
        let kept: Vec<_> = kept.map(|one| one.deployment.clone()).collect();
        let versions = match self.keep_versions {
            true => Vec::new(),
            false => versions::unused(&account, &target, &api, &kept, ctx).await?,
        };
        let plan = PrunePlan {
            decisions,
            versions,
        };
        if !ui.wants_json() {
            progress.result(|| plan.show(ui))?;
        }
        let question = format!("delete {} of {}?", plan.summary(), api_label(&api));
        progress.pause();
        let is_needed = !self.dry_run && !plan.is_empty();
        let (deleted, deleted_versions) =
            match is_needed && confirmed(self.yes, &question, &interrupt, ui).await? {
                true => (
                    prune::prune(&account.aws, &api.id, &policy, &[], ctx).await?,
                    versions::delete_unused(&account, &target, &api, &plan.versions, ctx).await?,
                ),
                false => (Vec::new(), Vec::new()),
            };
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&json!({
                "api": api,
                "dryRun": self.dry_run,
                "prunable": plan.prunable(),
                "deleted": deleted,
                "kept": plan.kept(),
                "unusedVersions": plan.versions,
                "deletedVersions": deleted_versions,
            }))?;
        }
        ui.done(&plan.result(&api, deleted.len(), deleted_versions.len()))?;
        Ok(CommandOutcome::Done)
    }
}

/// The deployments to delete and to keep, and the function versions to delete.
struct PrunePlan {
    decisions: Vec<PruneDecision>,
    versions: Vec<CalledVersion>,
}

impl PrunePlan {
    fn prunable(&self) -> Vec<&DeploymentId> {
        let pruned = self.decisions.iter().filter(|one| one.keep.is_none());
        pruned.map(|one| &one.deployment.id).collect()
    }

    fn kept(&self) -> Vec<Value> {
        let kept = self.decisions.iter();
        let kept = kept.filter_map(|one| {
            let reason = one.keep?;
            Some(json!({ "id": one.deployment.id, "because": reason }))
        });
        kept.collect()
    }

    fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.prunable().is_empty()
    }

    fn show(&self, ui: &Ui) -> Result<(), CliError> {
        for decision in &self.decisions {
            ui.done(&line(decision))?;
        }
        for function in versions::by_function(&self.versions) {
            ui.done(&format!("{RED}-{RED:#} versions of {function}"))?;
        }
        Ok(())
    }

    fn result(&self, api: &ApiInfo, deleted: usize, deleted_versions: usize) -> String {
        let (api, all) = (api_label(api), self.decisions.len());
        let mut line = format!("{deleted} of {all} deployments of {api} deleted");
        if !self.versions.is_empty() {
            let all = self.versions.len();
            let _ = write!(
                line,
                ", {deleted_versions} of {all} unused function versions"
            );
        }
        line
    }

    fn summary(&self) -> String {
        let deployments = format!(
            "{} of {} deployments",
            self.prunable().len(),
            self.decisions.len()
        );
        match self.versions.len() {
            0 => deployments,
            count => format!("{deployments} and {count} function versions"),
        }
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
