//! `stackgen deploy --code-only`

use stackgen_deploy::DeployStep;
use stackgen_deploy::code::{ReleaseMode, find_differing, send};
use stackgen_deploy::deployments::clear_served_record;

use super::Deploy;
use crate::Outcome;
use crate::account::{Progress, Read, interrupt};
use crate::error::CliError;
use crate::ui::Ui;

impl Deploy {
    pub(super) async fn code_only(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let gateway = self.account.gateway(&self.goal.file).await?;
        let goals = self.goal.goals(Read::Code, gateway.as_ref(), ui)?;
        let Some(goal) = goals.iter().find(|goal| !goal.code.is_empty()) else {
            return Err(CliError::input("there is no built code to send").hint(
                "build first; `stackgen dev` builds and loads code for the local gateway by itself",
            ));
        };
        let account = self.account.connect(gateway.as_ref(), &goals).await?;
        let progress = Progress::new(ui);
        let interrupt = interrupt(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let changed = find_differing(&account.aws, &goal.code, ctx).await?;
        let functions = match self.dry_run || changed.is_empty() {
            true => changed,
            false => {
                if goal.release != Some(ReleaseMode::Pinned) {
                    for goal in &goals {
                        let (api, stage) = goal.find(&account, ctx).await?;
                        clear_served_record(&account.aws, &api.id, &stage, ctx).await?;
                    }
                }
                send(&account.aws, &goal.code, ctx).await?
            }
        };
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&serde_json::json!({ "dryRun": self.dry_run, "updated": functions }))?;
        }
        let (all, would) = (goal.code.len(), if self.dry_run { "would be " } else { "" });
        ui.done(&format!(
            "{} of {all} functions {would}updated",
            functions.len()
        ))?;
        if goal.release == Some(ReleaseMode::Pinned) && !functions.is_empty() {
            let hint = "`stackgen deploy --redeploy-stage` publishes versions and deploys them";
            ui.note(
                "the release is pinned: no stage serves this code yet",
                Some(hint),
            );
        }
        Ok(Outcome::Done)
    }
}
