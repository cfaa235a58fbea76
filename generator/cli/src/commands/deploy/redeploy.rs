//! `stackgen deploy --redeploy-stage`

use std::time::{Duration, SystemTime};

use clap::Args;
use serde::Serialize;
use stackgen_deploy::code::CodePlan;
use stackgen_deploy::prune::PrunePolicy;
use stackgen_deploy::redeploy::{RedeployOutcome, RedeployPlan, RedeployRequest, plan, redeploy};
use stackgen_deploy::{
    Account as _, ApiInfo, CreatedBy, DeployError, DeployStep, DeploymentInfo, Interrupt, StageName,
};

use super::Deploy;
use crate::Outcome;
use crate::account::{Account, Goal, Progress, Read, StageCallers, interrupt, short};
use crate::error::CliError;
use crate::git;
use crate::ui::{BOLD, GREEN, Ui};

/// How a stage is redeployed.
#[derive(Args, Debug)]
#[command(next_help_heading = "Redeploying")]
pub(crate) struct RedeployArgs {
    /// Leave the code of functions, and the versions that are called, as they are
    #[arg(long, requires = "redeploy_stage")]
    no_code: bool,

    /// Deploy although the stage serves the same already
    #[arg(long, requires = "redeploy_stage")]
    force: bool,

    /// Delete the new deployment if the stage does not answer as it should
    #[arg(long, requires = "redeploy_stage")]
    prune_failed: bool,

    /// How many deployments to keep of those made this way, besides what is served and what was before it
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10,
        requires = "redeploy_stage"
    )]
    keep: usize,

    /// Delete no old deployment
    #[arg(long, requires = "redeploy_stage", conflicts_with = "keep")]
    no_prune: bool,
}

/// What came of one API, for `--json`.
#[derive(Serialize)]
struct Told<'a, T> {
    api: &'a ApiInfo,
    stage: &'a StageName,
    #[serde(flatten)]
    what: T,
}

impl Deploy {
    pub(super) async fn redeploy(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let gateway = self.account.gateway(&self.goal.file).await?;
        let read = if self.how.no_code {
            Read::Names
        } else {
            Read::Code
        };
        let mut goals = self.goal.goals(read, gateway.as_ref(), ui)?;
        let mut account = self.account.connect(gateway.as_ref(), &goals).await?;
        self.verify.apply(&mut account.retry);
        let progress = Progress::new(ui);
        let interrupt = interrupt(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let git = git::commit(&self.goal.file);
        let mut told = Vec::new();
        for goal in &mut goals {
            progress.begin("looking at the account");
            let (api, stage) = goal.find(&account, ctx).await?;
            let title = title(&api, &stage.name);
            progress.aside(&title);
            let (verification, callers) = match self.dry_run {
                true => (self.verify.planned(), StageCallers::default()),
                false => self.verify.callers(goal, api.protocol).await?,
            };
            let request = self.request(goal, api.clone(), stage.name.clone(), &git);
            let request = RedeployRequest {
                verify: verification,
                ..request
            };
            if self.dry_run {
                let plan = plan(&account.aws, &request, ctx).await?;
                progress.result(|| show_plan(&plan, &stage.name, ui))?;
                told.push(json(&api, &stage.name, &plan));
                continue;
            }
            let outcome = redeploy(&account.aws, &callers, &request, ctx).await;
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(error) => return Err(explained(&account, &request, error).await),
            };
            progress.result(|| show(&outcome, &request, ui))?;
            told.push(json(&api, &stage.name, &outcome));
        }
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&serde_json::json!({ "apis": told }))?;
        }
        Ok(Outcome::Done)
    }

    fn request(
        &self,
        goal: &mut Goal,
        api: ApiInfo,
        stage: StageName,
        git: &str,
    ) -> RedeployRequest {
        let how = &self.how;
        let policy = PrunePolicy {
            keep: how.keep,
            ..PrunePolicy::default()
        };
        RedeployRequest {
            api,
            stage,
            git: git.to_owned(),
            environment: goal.environment.clone(),
            code: std::mem::take(&mut goal.code),
            release: goal.release.filter(|_| !how.no_code),
            force: how.force,
            run: run_id(),
            verify: None,
            mark: self.verify.mark,
            prune_failed: how.prune_failed,
            prune: (!how.no_prune).then_some(policy),
        }
    }
}

/// A word that no other run has.
fn run_id() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_nanos());
    format!("{now:x}-{:x}", std::process::id())
}

fn verified_in_words(verified: bool) -> &'static str {
    match verified {
        true => "verified",
        false => "not verified (`--no-verify`)",
    }
}

fn json(api: &ApiInfo, stage: &StageName, what: impl Serialize) -> serde_json::Value {
    let told = Told { api, stage, what };
    serde_json::to_value(told).unwrap_or_default()
}

fn title(api: &ApiInfo, stage: &StageName) -> String {
    format!("{BOLD}{}{BOLD:#} ({}), stage {stage}", api.name, api.id)
}

fn show(outcome: &RedeployOutcome, request: &RedeployRequest, ui: &Ui) -> Result<(), CliError> {
    let (api, stage) = (&request.api.name, &request.stage);
    match outcome {
        RedeployOutcome::Current {
            deployment,
            digest,
            created_by,
            verified,
            ..
        } => {
            let digest = digest.to_string();
            ui.done(&format!(
                "stage {stage} of {api} serves what the account holds: deployment {deployment}, sha256:{}, {}",
                short(&digest),
                verified_in_words(*verified)
            ))?;
            if *created_by == CreatedBy::Template {
                ui.note(
                    "CloudFormation created that deployment; a route that the same update removed lingers in it (row D20)",
                    Some("deploy anyway with `--force`"),
                );
            }
        }
        RedeployOutcome::Deployed {
            deployment,
            previous,
            verified,
            ..
        } => {
            let was = previous
                .as_ref()
                .map_or("none", |previous| previous.as_str());
            ui.done(&format!(
                "stage {stage} of {api} serves deployment {GREEN}{deployment}{GREEN:#} (was {was}), {}",
                verified_in_words(*verified)
            ))?;
        }
    }
    Ok(())
}

fn show_plan(plan: &RedeployPlan, stage: &StageName, ui: &Ui) -> Result<(), CliError> {
    for code in &plan.code {
        ui.done(&match code {
            CodePlan::Update(function) => format!("would update the code of {function}"),
            CodePlan::Publish(function) => {
                format!("would publish a version of {function} and call it")
            }
        })?;
    }
    let served = plan
        .served
        .as_ref()
        .map_or("nothing", |served| served.as_str());
    let digest = plan.digest.to_string();
    let publishes = plan
        .code
        .iter()
        .any(|code| matches!(code, CodePlan::Publish(_)));
    ui.done(&match (plan.deploys, publishes) {
        (true, true) => {
            format!("would deploy what comes of it and move stage {stage} to it (serves {served})")
        }
        (true, false) => format!(
            "would deploy sha256:{} and move stage {stage} to it (serves {served})",
            short(&digest)
        ),
        (false, _) => format!(
            "would deploy nothing: stage {stage} serves sha256:{} ({served})",
            short(&digest)
        ),
    })?;
    match plan.verifies {
        true => ui.done("would verify the stage"),
        false => Ok(()),
    }
}

/// Adds to an interruption the deployment that the stage serves, and whether it is verified.
async fn explained(account: &Account, request: &RedeployRequest, error: DeployError) -> CliError {
    if error != DeployError::Interrupted {
        return error.into();
    }
    let (never, api, stage) = (Interrupt::never(), &request.api.id, &request.stage);
    let ctx = account.context(&|_| {}, &never);
    let look = async {
        let found = ctx.read(|| account.aws.stage(api, stage)).await?;
        let Some(id) = found.deployment else {
            return Ok(None);
        };
        let deployment = ctx.read(|| account.aws.deployment(api, &id)).await?;
        Ok::<_, DeployError>(Some(deployment))
    };
    let serves = match tokio::time::timeout(Duration::from_secs(10), look).await {
        Ok(Ok(Some(deployment))) => {
            let id = &deployment.id;
            format!(
                "stage {stage} serves deployment {id}, {}",
                verification(&deployment)
            )
        }
        Ok(Ok(None)) => format!("stage {stage} serves no deployment"),
        _ => format!("cannot read which deployment stage {stage} serves"),
    };
    CliError::failed(format!("interrupted: {serves}")).hint("run it again; it continues from there")
}

/// The verification of a deployment, as a clause.
fn verification(deployment: &DeploymentInfo) -> &'static str {
    match deployment.metadata() {
        Some(metadata) if metadata.is_verified() => "which was verified before",
        Some(metadata) if metadata.is_failed() => "which failed verification",
        _ => "which is not verified",
    }
}
