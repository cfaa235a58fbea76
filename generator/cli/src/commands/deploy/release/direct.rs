//! `--method direct`: updates without a change set.

use stackgen_deploy::code::ReleaseMode;
use stackgen_deploy::stack::StackRequest;
use stackgen_deploy::stack::direct::{DirectUpdate, update_directly};

use super::preflight::Checked;
use super::source::ReleaseSource;
use super::stack_release::{ChangedStack, Release, is_snapshotted};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::run_id::run_id;

/// Refuses a flag for environments whose releases are pinned: `--method direct` shows nobody what it changes, and
/// `--express` ends before the resources are ready.
pub(super) fn require_live(source: &ReleaseSource, flag: &str) -> Result<(), CliError> {
    let mut releases = source.targets.iter().filter_map(|target| target.release);
    match releases.any(|release| release == ReleaseMode::Pinned) {
        true => Err(CliError::input(format!(
            "environment {} is pinned, and `{flag}` is for environments with `release: live`",
            source.environment
        ))
        .hint(format!("deploy it without `{flag}`"))),
        false => Ok(()),
    }
}

impl Release<'_> {
    /// Creates or updates the stack, and makes the stages serve the result.
    pub(super) async fn update_directly(
        &self,
        checked: &Checked,
        request: &StackRequest,
    ) -> Result<CommandOutcome, CliError> {
        let needs_consent = !checked.missing_capabilities.is_empty();
        if needs_consent
            && !self
                .is_confirmed("The template creates IAM roles. Deploy?")
                .await?
        {
            self.done("nothing was changed")?;
            return Ok(CommandOutcome::Done);
        }
        let before = self.before_update(checked.stack.is_none()).await?;
        if let Some(stack) = &checked.stack {
            self.set_policy(&stack.id).await?;
        }
        let updated = update_directly(&self.account.aws, request, &run_id(), self.ctx).await;
        match updated.map_err(|error| self.source.locate(error))? {
            DirectUpdate::Unchanged(stack) => {
                self.done(&format!("stack {} is up to date", self.source.stack))?;
                self.finish(ChangedStack::unchanged(&stack.id)).await
            }
            DirectUpdate::Applied(applied) => {
                if checked.stack.is_none() {
                    self.set_policy(&applied.stack.id).await?;
                }
                self.applied(&applied)?;
                let changed = ChangedStack {
                    lingers: applied.deleted.iter().any(|kind| is_snapshotted(kind)),
                    ..ChangedStack::unchanged(&applied.stack.id)
                };
                self.finish_from(changed, &before).await
            }
        }
    }
}
