//! `stackgen deploy --code-only`

use stackgen_deploy::DeployStep;
use stackgen_deploy::code::{ReleaseMode, find_differing, send};
use stackgen_deploy::deployments::clear_served_record;

use super::args::DeployCommand;
use super::build::build_target;
use crate::account::{ProjectScope, StepProgress, account_defaults, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// Sends built code that differs from the account's.
pub(super) async fn run(command: &DeployCommand, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let progress = StepProgress::new(ui);
    let interrupt = interrupt_on_signals(&progress);
    if command.redeploy.build {
        interrupt.unless(build_target(command, ui)).await??;
    }
    let gateway = command.account.gateway(&command.target.file).await?;
    let targets = command
        .target
        .resolve(ProjectScope::Code, gateway.as_ref(), ui)?;
    let Some(target) = targets.iter().find(|target| !target.code.is_empty()) else {
        return Err(CliError::input("there is no built code to send").hint(
            "build it first; for the local gateway, `stackgen dev` builds and loads code itself",
        ));
    };
    let account = command
        .account
        .connect(gateway.as_ref(), account_defaults(&targets), ui)
        .await?;
    let steps = |step: DeployStep<'_>| progress.step(&step);
    let ctx = account.context(&steps, &interrupt);
    target.declared.require(&account, ctx).await?;
    let changed = find_differing(&account.aws, &target.code, ctx).await?;
    let functions = match command.dry_run || changed.is_empty() {
        true => changed,
        false => {
            if target.release != Some(ReleaseMode::Pinned) {
                for target in &targets {
                    let (api, stage) = target.find(&account, ctx).await?;
                    clear_served_record(&account.aws, &api.id, &stage, ctx).await?;
                }
            }
            send(&account.aws, &target.code, ctx).await?
        }
    };
    drop(progress);
    if ui.wants_json() {
        ui.json_result(&serde_json::json!({ "dryRun": command.dry_run, "updated": functions }))?;
    }
    let (all, would) = (
        target.code.len(),
        if command.dry_run { "would be " } else { "" },
    );
    ui.done(&format!(
        "{} of {all} functions {would}updated",
        functions.len()
    ))?;
    if target.release == Some(ReleaseMode::Pinned) && !functions.is_empty() {
        let hint = "publish and deploy versions with `stackgen deploy --redeploy-stage`";
        ui.note(
            "the release is pinned: no stage serves this code yet",
            Some(hint),
        );
    }
    Ok(CommandOutcome::Done)
}
