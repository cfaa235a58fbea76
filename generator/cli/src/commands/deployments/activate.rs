//! `stackgen deployments activate`

use clap::Args;
use serde_json::json;
use stackgen_deploy::deployments::{
    ActivationOutcome, ActivationRequest, activate, rollback_target,
};
use stackgen_deploy::{ApiInfo, DeployStep, DeploymentId, StageInfo};

use super::{Where, find, named};
use crate::Outcome;
use crate::account::{Progress, StageCallers, VerifyArgs, confirmed, interrupt};
use crate::error::CliError;
use crate::ui::{GREEN, Ui};

/// Move a stage to an existing deployment, and verify it
///
/// If the stage does not answer as it should, it is moved back, and the exit code is 1.
#[derive(Args, Debug)]
pub(super) struct Activate {
    /// The deployment
    #[arg(value_name = "ID")]
    deployment: String,

    #[command(flatten)]
    how: Moving,

    #[command(flatten)]
    place: Where,
}

/// How a stage is moved.
#[derive(Args, Debug)]
pub(super) struct Moving {
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    verify: VerifyArgs,
}

impl Activate {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        move_to(&self.place, Some(&self.deployment), &self.how, ui).await
    }
}

/// Moves the stage that is meant: to a deployment, or back.
pub(super) async fn move_to(
    place: &Where,
    wanted: Option<&str>,
    how: &Moving,
    ui: &Ui,
) -> Result<Outcome, CliError> {
    let (mut account, goal) = place.open(ui).await?;
    how.verify.apply(&mut account.retry);
    let progress = Progress::new(ui);
    let interrupt = interrupt(&progress);
    let steps = |step: DeployStep<'_>| progress.step(&step);
    let ctx = account.context(&steps, &interrupt);
    let (api, stage) = find(&account, &goal, &progress, ctx).await?;
    let (verify, callers) = match how.dry_run {
        true => (how.verify.planned(), StageCallers::default()),
        false => how.verify.callers(&goal, api.protocol).await?,
    };
    let target = match wanted {
        Some(id) => DeploymentId::new(id),
        None => {
            let found = rollback_target(&account.aws, &api.id, &stage.name, ctx).await?;
            if !found
                .metadata()
                .is_some_and(|metadata| metadata.is_verified())
            {
                progress.aside(&format!(
                    "deployment {} is known to have served, but it was never verified",
                    found.id
                ));
            }
            found.id
        }
    };
    progress.rest();
    let question = format!(
        "move stage {} of {} from deployment {} to {target}?",
        stage.name,
        named(&api),
        or_none(stage.deployment.as_ref())
    );
    let asks = !how.dry_run && stage.deployment.as_ref() != Some(&target);
    if asks && !confirmed(how.yes, &question, &interrupt, ui).await? {
        ui.done("nothing was moved")?;
        return Ok(Outcome::Done);
    }
    let moved = match how.dry_run {
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
                mark: how.verify.mark,
            };
            activate(&account.aws, &callers, &request, ctx).await?
        }
    };
    drop(progress);
    tell(&api, &stage, &moved, how.dry_run, ui)
}

fn or_none(deployment: Option<&DeploymentId>) -> &str {
    deployment.map_or("none", DeploymentId::as_str)
}

fn tell(
    api: &ApiInfo,
    stage: &StageInfo,
    moved: &ActivationOutcome,
    dry_run: bool,
    ui: &Ui,
) -> Result<Outcome, CliError> {
    if ui.wants_json() {
        ui.json_result(
            &json!({ "api": api, "stage": stage.name, "dryRun": dry_run, "moved": moved }),
        )?;
        return Ok(Outcome::Done);
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
    let (name, stage) = (named(api), &stage.name);
    ui.done(&format!(
        "stage {stage} of {name} {serves} deployment {GREEN}{deployment}{GREEN:#} ({was}){}",
        match (dry_run, verified) {
            (true, _) => "",
            (false, true) => ", verified",
            (false, false) => ", not verified (`--no-verify`)",
        }
    ))?;
    Ok(Outcome::Done)
}
