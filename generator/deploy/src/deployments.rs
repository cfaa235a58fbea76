//! Listing deployments, and activating one that exists.

use serde::Serialize;

use crate::account::ApiDescription;
use crate::progress::DeployStep;
use crate::prune::{earlier, newest_first};
use crate::retry::OperationContext;
use crate::stage_move::{MoveFailure, StageMove, require_deployed, require_manual_stage};
use crate::verify::{
    DeploymentOrigin, StageCheck, StageVerifier, VerifyEvidence, VerifyRequest, clear_record,
};
use crate::{
    Account, ApiId, ApiInfo, CreatedBy, DeployError, DeploymentId, DeploymentInfo,
    DeploymentMetadata, StageClient, StageInfo, StageName,
};

/// A deployment in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedDeployment {
    /// The deployment.
    #[serde(flatten)]
    pub deployment: DeploymentInfo,
    /// The origin.
    #[serde(rename = "maker")]
    pub created_by: CreatedBy,
    /// The content of the description, if stackgen wrote it.
    #[serde(rename = "label")]
    pub metadata: Option<DeploymentMetadata>,
    /// The stages that serve it.
    pub stages: Vec<StageName>,
}

/// Returns all deployments of an API, the newest first.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn list(
    account: &impl Account,
    api: &ApiId,
    ctx: OperationContext<'_>,
) -> Result<Vec<ListedDeployment>, DeployError> {
    let deployments = ctx.read(|| account.deployments(api)).await?;
    let stages = ctx.read(|| account.stages(api)).await?;
    let listed = newest_first(&deployments).into_iter().map(|deployment| {
        let serving = stages
            .iter()
            .filter(|stage| stage.deployment.as_ref() == Some(&deployment.id));
        ListedDeployment {
            deployment: deployment.clone(),
            created_by: deployment.created_by(),
            metadata: deployment.metadata(),
            stages: serving.map(|stage| stage.name.clone()).collect(),
        }
    });
    Ok(listed.collect())
}

/// A request to point a stage at an existing deployment.
#[derive(Clone, Debug)]
pub struct ActivationRequest {
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage: StageName,
    /// The deployment.
    pub deployment: DeploymentId,
    /// The callers that verify the stage afterwards; `None` does not verify it.
    pub verify: Option<VerifyRequest>,
    /// Record the verification on a deployment that CloudFormation created, too.
    pub mark: bool,
}

/// The result of an activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivationOutcome {
    /// The deployment that the stage serves.
    pub deployment: DeploymentId,
    /// The deployment that it served before; the same if nothing had to be moved.
    pub previous: Option<DeploymentId>,
    /// True if the stage was verified.
    pub verified: bool,
    /// The answers, if it was verified.
    pub evidence: Option<VerifyEvidence>,
}

/// Points a stage at a deployment (row D11), and verifies the stage. If it is not verified, it moves back.
///
/// # Errors
///
/// If there is no such deployment, if no stage can serve it, if the stage is under AutoDeploy, or if the stage is not
/// verified.
pub async fn activate(
    account: &impl Account,
    client: &impl StageClient,
    request: &ActivationRequest,
    ctx: OperationContext<'_>,
) -> Result<ActivationOutcome, DeployError> {
    let (api, name) = (&request.api.id, &request.stage);
    let stage = require_manual_stage(account, api, name, ctx).await?;
    let deployment = require_deployed(account, api, &request.deployment, ctx).await?;
    let verifier = match &request.verify {
        Some(verify) => {
            let description = ApiDescription::read(account, api, ctx).await?;
            let api = &request.api;
            let verifier = StageVerifier::resolve(account, api, name, verify, &description, ctx);
            Some(verifier.await?)
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
        ctx.step(DeployStep::Activated {
            deployment: &deployment.id,
            previous: from,
        });
    }
    let check = StageCheck {
        account,
        api,
        stage: name,
        serves: &deployment,
        origin: DeploymentOrigin::Existing,
        back_to,
        mark: request.mark,
        ctx,
    };
    let evidence = match &verifier {
        Some(verifier) => Some(check.run(verifier, client).await?),
        None => None,
    };
    Ok(ActivationOutcome {
        deployment: deployment.id.clone(),
        previous: stage.deployment.clone(),
        verified: evidence.is_some(),
        evidence,
    })
}

/// Returns the deployment that a stage would roll back to: the newest earlier one that
/// [served well](crate::prune::served_well).
///
/// # Errors
///
/// [`DeployError::NothingEarlier`] if there is none.
pub async fn rollback_target(
    account: &impl Account,
    api: &ApiId,
    stage: &StageName,
    ctx: OperationContext<'_>,
) -> Result<DeploymentInfo, DeployError> {
    let stage = require_manual_stage(account, api, stage, ctx).await?;
    let deployments = ctx.read(|| account.deployments(api)).await?;
    let served = stage.deployment.ok_or(DeployError::NothingEarlier)?;
    earlier(&deployments, &served)
        .cloned()
        .ok_or(DeployError::NothingEarlier)
}

/// Clears the record of a verification that passed from the deployment that a stage serves, see [`clear_record`].
///
/// # Errors
///
/// If the description cannot be read or written: the record would claim too much.
pub async fn clear_served_record(
    account: &impl Account,
    api: &ApiId,
    stage: &StageInfo,
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let Some(id) = &stage.deployment else {
        return Ok(());
    };
    let deployment = ctx.read(|| account.deployment(api, id)).await?;
    clear_record(account, api, &deployment, ctx).await
}
