//! Deployments as people see them, and going from one to another.

use serde::Serialize;

use crate::pointer;
use crate::progress::Step;
use crate::prune::{self, Policy, earlier, newest_first};
use crate::retry::OperationContext;
use crate::{
    Account, ApiId, CreatedBy, DeployError, Deployment, DeploymentId, DeploymentMetadata, StageName,
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
    let deployments = ctx.call(|| account.deployments(api)).await?;
    let stages = ctx.call(|| account.stages(api)).await?;
    let listed = newest_first(&deployments).into_iter().map(|deployment| {
        let serving = stages
            .iter()
            .filter(|stage| stage.deployment.as_ref() == Some(&deployment.id));
        Listed {
            deployment: deployment.clone(),
            maker: deployment.maker(),
            label: deployment.label(),
            stages: serving.map(|stage| stage.name.clone()).collect(),
        }
    });
    Ok(listed.collect())
}

/// A stage that was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// What it serves.
    pub deployment: DeploymentId,
    /// What it served before; the same when nothing had to be done.
    pub previous: Option<DeploymentId>,
}

/// Moves a stage to a deployment (row D11).
///
/// # Errors
///
/// If there is no such deployment, or it cannot be served, or the stage is under AutoDeploy.
pub async fn activate(
    account: &impl Account,
    api: &ApiId,
    stage: &StageName,
    deployment: &DeploymentId,
    ctx: OperationContext<'_>,
) -> Result<Moved, DeployError> {
    let previous = pointer::activate(account, api, stage, deployment, ctx).await?;
    ctx.step(Step::Activated {
        deployment,
        previous: previous.as_ref(),
    });
    Ok(Moved {
        deployment: deployment.clone(),
        previous,
    })
}

/// What a stage would go back to.
///
/// # Errors
///
/// If nothing earlier is known to be good.
pub async fn rollback_target(
    account: &impl Account,
    api: &ApiId,
    stage: &StageName,
    ctx: OperationContext<'_>,
) -> Result<Deployment, DeployError> {
    let stage = pointer::require_manual_stage(account, api, stage, ctx).await?;
    let deployments = ctx.call(|| account.deployments(api)).await?;
    let served = stage.deployment.ok_or(DeployError::NothingEarlier)?;
    earlier(&deployments, &served)
        .cloned()
        .ok_or(DeployError::NothingEarlier)
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
    let deployments = ctx.call(|| account.deployments(api)).await?;
    let stages = ctx.call(|| account.stages(api)).await?;
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
