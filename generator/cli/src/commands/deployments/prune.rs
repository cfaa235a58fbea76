//! `stackgen deployments prune`

use clap::Args;
use serde_json::json;
use stackgen_deploy::prune::{Kept, Policy};
use stackgen_deploy::{DeploymentId, Step, history};

use super::target::{DeploymentsArgs, api_label, find};
use crate::account::{Progress, confirmed, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::Outcome;
use crate::style::{DIM, RED};
use crate::ui::Ui;

/// Delete old deployments
///
/// Always keeps what a stage serves, what it would go back to, what is still being made, and the newest deployment that
/// CloudFormation made: it is part of a stack. Deployments that stackgen did not make stay unless `--all` is given.
#[derive(Args, Debug)]
pub(super) struct PruneCommand {
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
    api: DeploymentsArgs,
}

impl PruneCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let (account, target) = self.api.open(ui).await?;
        let progress = Progress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: Step<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let (api, _) = find(&account, &target, &progress, ctx).await?;
        let policy = Policy {
            keep: self.keep,
            templates: self.templates,
            all: self.all,
        };
        let judged = history::prune_plan(&account.aws, &api.id, &policy, ctx).await?;
        let doomed: Vec<DeploymentId> = judged
            .iter()
            .filter(|(_, kept)| kept.is_none())
            .map(|(one, _)| one.id.clone())
            .collect();
        if !ui.wants_json() {
            progress.result(|| {
                let lines = judged.iter().map(|(one, kept)| (&one.id, *kept));
                lines.map(line).try_for_each(|line| ui.done(&line))
            })?;
        }
        let question = format!(
            "delete {} of {} deployments of {}?",
            doomed.len(),
            judged.len(),
            api_label(&api)
        );
        progress.rest();
        let wanted = !self.dry_run && !doomed.is_empty();
        let deleted = match wanted && confirmed(self.yes, &question, &interrupt, ui).await? {
            true => history::prune(&account.aws, &api.id, &policy, ctx).await?,
            false => Vec::new(),
        };
        drop(progress);
        if ui.wants_json() {
            let kept = judged
                .iter()
                .filter_map(|(one, kept)| Some(json!({ "id": one.id, "because": (*kept)? })));
            let kept: Vec<_> = kept.collect();
            ui.json_result(&json!({ "api": api, "dryRun": self.dry_run, "prunable": doomed, "deleted": deleted, "kept": kept }))?;
        }
        ui.done(&format!(
            "{} of {} deployments of {} deleted",
            deleted.len(),
            judged.len(),
            api_label(&api)
        ))?;
        Ok(Outcome::Done)
    }
}

fn line((id, kept): (&DeploymentId, Option<Kept>)) -> String {
    let because = match kept {
        None => return format!("{RED}-{RED:#} {id}"),
        Some(Kept::Served) => "a stage serves it",
        Some(Kept::Previous) => "it is what a stage would go back to",
        Some(Kept::Newest) => "it is among the newest",
        Some(Kept::Pending) => "it is being made",
        Some(Kept::InTemplate) => "it is part of a stack",
        Some(Kept::OfTemplate) => "CloudFormation made it; `--templates` takes such, too",
        Some(Kept::Foreign) => "stackgen did not make it; `--all` takes such, too",
    };
    format!("  {id}  {DIM}kept: {because}{DIM:#}")
}
