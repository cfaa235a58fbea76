//! Deployments as people see them, and going from one to another.

use serde::Serialize;

use crate::account::ApiDescription;
use crate::pointer::{MoveFailure, StageMove, require_deployed, require_manual_stage};
use crate::progress::Step;
use crate::prune::{self, Policy, earlier, newest_first};
use crate::retry::OperationContext;
use crate::settle::Settlement;
use crate::trial::{Evidence, StageTrial, Verification};
use crate::{
    Account, Api, ApiId, CreatedBy, DeployError, Deployment, DeploymentId, DeploymentMetadata,
    Stage, StageName, Verify,
};

/// A deployment in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The deployment.
    #[serde(flatten)]
    pub deployment: Deployment,
    /// Who made it.
    pub maker: CreatedBy,
    /// What stackgen wrote into it.
    pub label: Option<DeploymentMetadata>,
    /// The stages that serve it.
    pub stages: Vec<StageName>,
}

/// All deployments of an API, the newest first.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn list(
    account: &impl Account,
    api: &ApiId,
    ctx: OperationContext<'_>,
) -> Result<Vec<Listed>, DeployError> {
    let deployments = ctx.read(|| account.deployments(api)).await?;
    let stages = ctx.read(|| account.stages(api)).await?;
    let listed = newest_first(&deployments).into_iter().map(|deployment| {
        let serving = stages
            .iter()
            .filter(|stage| stage.deployment.as_ref() == Some(&deployment.id));
        Listed {
            deployment: deployment.clone(),
            maker: deployment.created_by(),
            label: deployment.metadata(),
            stages: serving.map(|stage| stage.name.clone()).collect(),
        }
    });
    Ok(listed.collect())
}

/// A move of a stage to a deployment that exists already.
#[derive(Clone, Debug)]
pub struct Activation {
    /// The API.
    pub api: Api,
    /// Its stage.
    pub stage: StageName,
    /// The deployment.
    pub deployment: DeploymentId,
    /// How the stage is verified afterwards; `None` does not try it.
    pub verify: Option<Verification>,
    /// Record trials on deployments that CloudFormation made, too.
    pub mark: bool,
}

/// A stage that was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// The deployment that it serves.
    pub deployment: DeploymentId,
    /// The deployment that it served before; the same if nothing had to be moved.
    pub previous: Option<DeploymentId>,
    /// Whether a trial passed.
    pub verified: bool,
    /// The answers, if it was tried.
    pub evidence: Option<Evidence>,
}

/// Moves a stage to a deployment (row D11), and verifies it. If the trial does not pass, the stage is moved forward again.
///
/// # Errors
///
/// If there is no such deployment, if it cannot be served, if the stage is under AutoDeploy, or if it is not verified.
pub async fn activate(
    account: &impl Account,
    verifier: &impl Verify,
    request: &Activation,
    ctx: OperationContext<'_>,
) -> Result<Moved, DeployError> {
    let (api, name) = (&request.api.id, &request.stage);
    let stage = require_manual_stage(account, api, name, ctx).await?;
    let deployment = require_deployed(account, api, &request.deployment, ctx).await?;
    let trial = match &request.verify {
        Some(verification) => {
            let description = ApiDescription::read(account, api, ctx).await?;
            let trial =
                StageTrial::resolve(account, &request.api, name, verification, &description, ctx);
            Some(trial.await?)
        }
        None => None,
    };
    let from = stage.deployment.as_ref();
    let stage_move = StageMove {
        api,
        stage: name,
        from,
        to: &deployment.id,
    };
    let moved = stage_move.run(account, ctx).await;
    moved.map_err(MoveFailure::into_error)?;
    let back_to = from.filter(|from| **from != deployment.id);
    if back_to.is_some() || from.is_none() {
        ctx.step(Step::Activated {
            deployment: &deployment.id,
            previous: from,
        });
    }
    let settlement = Settlement {
        account,
        verifier,
        api,
        stage: name,
        serves: &deployment,
        back_to,
        back_if_inconclusive: true,
        keeps: true,
        mark: request.mark,
        delete_failed: false,
        ctx,
    };
    let evidence = match &trial {
        Some(trial) => Some(settlement.settle(trial).await?),
        None => None,
    };
    Ok(Moved {
        deployment: deployment.id.clone(),
        previous: stage.deployment.clone(),
        verified: evidence.is_some(),
        evidence,
    })
}

/// Returns the deployment that a stage would go back to: the newest earlier one that [served well](prune::served_well).
///
/// # Errors
///
/// If there is none.
pub async fn rollback_target(
    account: &impl Account,
    api: &ApiId,
    stage: &StageName,
    ctx: OperationContext<'_>,
) -> Result<Deployment, DeployError> {
    let stage = require_manual_stage(account, api, stage, ctx).await?;
    let deployments = ctx.read(|| account.deployments(api)).await?;
    let served = stage.deployment.ok_or(DeployError::NothingEarlier)?;
    earlier(&deployments, &served)
        .cloned()
        .ok_or(DeployError::NothingEarlier)
}

/// Removes the record of a trial that passed from the deployment that a stage serves. Call it before new code goes live
/// behind an unqualified function ARN (row D2), which that trial did not try.
///
/// # Errors
///
/// If the description cannot be written: the record would claim too much.
pub async fn forget_trial(
    account: &impl Account,
    api: &ApiId,
    stage: &Stage,
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let Some(id) = &stage.deployment else {
        return Ok(());
    };
    let deployment = ctx.read(|| account.deployment(api, id)).await?;
    crate::redeploy::forget_trial(account, api, &deployment, ctx).await
}

/// What pruning would delete.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn prune_plan(
    account: &impl Account,
    api: &ApiId,
    policy: &Policy,
    ctx: OperationContext<'_>,
) -> Result<Vec<(Deployment, Option<prune::Kept>)>, DeployError> {
    let deployments = ctx.read(|| account.deployments(api)).await?;
    let stages = ctx.read(|| account.stages(api)).await?;
    let judged = prune::prunable(&deployments, &stages, policy, None);
    Ok(judged
        .into_iter()
        .map(|(deployment, kept)| (deployment.clone(), kept))
        .collect())
}

/// Deletes older deployments.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn prune(
    account: &impl Account,
    api: &ApiId,
    policy: &Policy,
    ctx: OperationContext<'_>,
) -> Result<Vec<DeploymentId>, DeployError> {
    prune::apply(account, api, policy, None, ctx).await
}
