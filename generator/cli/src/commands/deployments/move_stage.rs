//! Moves of a stage to another deployment.

use clap::Args;
use serde_json::json;
use stackgen_deploy::deployments::{
    ActivationOutcome, ActivationRequest, activate, rollback_target,
};
use stackgen_deploy::{ApiInfo, DeployStep, DeploymentId, DeploymentInfo, StageInfo};

use super::target::{DeploymentsArgs, api_label, find};
use crate::account::{StageCallers, StepProgress, VerifyArgs, confirmed, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::style::GREEN;
use crate::ui::Ui;

/// Flags of a move.
#[derive(Args, Debug)]
pub(super) struct MoveArgs {
    /// Show what would happen, and change nothing
    #[arg(long, help_heading = "Action")]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(long, short, help_heading = "Action")]
    yes: bool,

    #[command(flatten)]
    verify: VerifyArgs,
}

/// Moves the stage of an API to a deployment, or back if none is given, and verifies it.
pub(super) async fn move_stage(
    api: &DeploymentsArgs,
    deployment: Option<&str>,
    options: &MoveArgs,
    ui: &Ui,
) -> Result<CommandOutcome, CliError> {
    let (mut account, stage_target) = api.open(ui).await?;
    options.verify.apply(&mut account.retry);
    let progress = StepProgress::new(ui);
    let interrupt = interrupt_on_signals(&progress);
    let steps = |step: DeployStep<'_>| progress.step(&step);
    let ctx = account.context(&steps, &interrupt);
    let (api, stage) = find(&account, &stage_target, &progress, ctx).await?;
    let (verify, callers) = match options.dry_run {
        true => (options.verify.planned(), StageCallers::default()),
        false => {
            let verify = &options.verify;
            let callers = verify.callers(&stage_target, api.protocol, &account.network);
            callers.await?
        }
    };
    let target = match deployment {
        Some(id) => DeploymentId::new(id),
        None => {
            let found = rollback_target(&account.aws, &api.id, &stage.name, ctx).await?;
            note_if_unverified(&found, &progress);
            found.id
        }
    };
    progress.pause();
    let question = format!(
        "move stage {} of {} from deployment {} to {target}?",
        stage.name,
        api_label(&api),
        or_none(stage.deployment.as_ref())
    );
    let needs_confirmation = !options.dry_run && stage.deployment.as_ref() != Some(&target);
    if needs_confirmation && !confirmed(options.yes, &question, &interrupt, ui).await? {
        ui.done("the stage was not moved")?;
        return Ok(CommandOutcome::Done);
    }
    let moved = match options.dry_run {
        true => ActivationOutcome {
            deployment: target,
            previous: stage.deployment.clone(),
            verified: false,
            evidence: None,
        },
        false => {
            let request = ActivationRequest {
                api: api.clone(),
                stage: stage.name.clone(),
                deployment: target,
                verify,
                mark: options.verify.mark,
            };
            activate(&account.aws, &callers, &request, ctx).await?
        }
    };
    drop(progress);
    report(&api, &stage, &moved, options.dry_run, ui)
}

/// Notes that stackgen never verified the deployment to go back to.
fn note_if_unverified(found: &DeploymentInfo, progress: &StepProgress<'_>) {
    let metadata = found.metadata();
    if !metadata.is_some_and(|metadata| metadata.is_verified()) {
        progress.aside(&format!(
            "deployment {} served before, but stackgen never verified it",
            found.id
        ));
    }
}

fn or_none(deployment: Option<&DeploymentId>) -> &str {
    deployment.map_or("none", DeploymentId::as_str)
}

fn report(
    api: &ApiInfo,
    stage: &StageInfo,
    moved: &ActivationOutcome,
    dry_run: bool,
    ui: &Ui,
) -> Result<CommandOutcome, CliError> {
    if ui.wants_json() {
        ui.json_result(
            &json!({ "api": api, "stage": stage.name, "dryRun": dry_run, "moved": moved }),
        )?;
        return Ok(CommandOutcome::Done);
    }
    let serves = if dry_run { "would serve" } else { "serves" };
    let ActivationOutcome {
        deployment,
        previous,
        verified,
        ..
    } = moved;
    let was = match previous {
        Some(previous) if previous == deployment => "as before".to_owned(),
        previous => format!("was {}", or_none(previous.as_ref())),
    };
    let (name, stage) = (api_label(api), &stage.name);
    ui.done(&format!(
        "stage {stage} of {name} {serves} deployment {GREEN}{deployment}{GREEN:#} ({was}){}",
        match (dry_run, verified) {
            (true, _) => "",
            (false, true) => ", verified",
            (false, false) => ", not verified (`--no-verify`)",
        }
    ))?;
    Ok(CommandOutcome::Done)
}
