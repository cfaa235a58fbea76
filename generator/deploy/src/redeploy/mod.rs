//! Redeploying: making a stage serve what the account holds.

mod auto_deploy;
mod create;
mod redeployment;
mod served;

use serde::Serialize;
use stackgen_model::SnapshotDigest;

use crate::code::{BuiltCode, CodePlan, ReleaseMode};
use crate::prune::PrunePolicy;
use crate::retry::OperationContext;
use crate::status::TemplateSnapshot;
use crate::verify::{VerifyEvidence, VerifyRequest};
use crate::{
    Account, ApiInfo, CreatedBy, DeployError, DeploymentId, FunctionName, StageClient, StageName,
};
use redeployment::Redeployment;

/// A request to redeploy a stage.
#[derive(Clone, Debug)]
pub struct RedeployRequest {
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage: StageName,
    /// The commit, for the deployment's description.
    pub git: String,
    /// The environment of the stack.
    pub environment: Option<String>,
    /// A word that no other run has, for the deployment's description.
    pub run: String,
    /// Built code. Functions that it does not name keep their code.
    pub code: Vec<BuiltCode>,
    /// The release mode. `None` leaves the functions and versions that the API invokes as they are.
    pub release: Option<ReleaseMode>,
    /// Deploy even if the stage is current.
    pub force: bool,
    /// The callers that verify the stage; `None` does not verify it.
    pub verify: Option<VerifyRequest>,
    /// Record the verification on a deployment that CloudFormation created, too.
    pub mark: bool,
    /// The stack update that ended right before, unless it removed parts of the API (row D20).
    pub updated: Option<UpdatedStack>,
    /// The deployment to go back to if the stage is not verified.
    pub back_to: BackTo,
    /// Delete a deployment that is not verified, instead of keeping it for inspection.
    pub prune_failed: bool,
    /// The older deployments to delete in the end.
    pub prune: Option<PrunePolicy>,
}

/// A stack update that ended. If it created the deployment that the stage serves, and the account differs from the template
/// only in versions and roles, which a template names by logical IDs, then that deployment holds what the account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatedStack {
    /// The API in the template.
    pub template: TemplateSnapshot,
    /// The deployments of the API before the update.
    pub before: Vec<DeploymentId>,
}

/// The deployment that a stage goes back to if it is not verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BackTo {
    /// The one that the stage served before the run. A stage that was current stays where it is.
    #[default]
    Served,
    /// This one: the stage served it before a stack update moved the stage.
    Deployment(DeploymentId),
    /// The newest earlier one that served well: a stack update moved the stage, and nobody recorded what it served before.
    Earlier,
}

/// The result of a redeploy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum RedeployOutcome {
    /// The stage was current.
    Current {
        /// The deployment that it serves.
        deployment: DeploymentId,
        /// The digest of the deployment.
        digest: SnapshotDigest,
        /// The origin. A deployment of CloudFormation may hold a route that the same update removed (row D20).
        #[serde(rename = "maker")]
        created_by: CreatedBy,
        /// True if the stage was verified, now or earlier.
        verified: bool,
        /// The answers, if it was verified now.
        evidence: Option<VerifyEvidence>,
    },
    /// The stage serves a new deployment.
    Deployed {
        /// The deployment that it serves.
        deployment: DeploymentId,
        /// The deployment that it served before.
        previous: Option<DeploymentId>,
        /// The digest of the new deployment.
        digest: SnapshotDigest,
        /// True if the stage was verified.
        verified: bool,
        /// The answers, if it was verified.
        evidence: Option<VerifyEvidence>,
        /// Older deployments that were deleted.
        pruned: Vec<DeploymentId>,
    },
    /// The stage is under AutoDeploy: API Gateway activated its deployment (row D5).
    AutoDeployed {
        /// The deployment that it serves.
        deployment: DeploymentId,
        /// Functions whose code was sent.
        updated: Vec<FunctionName>,
        /// True if the stage was verified.
        verified: bool,
        /// The answers, if it was verified.
        evidence: Option<VerifyEvidence>,
    },
}

/// The steps that a redeploy would take.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedeployPlan {
    /// The changes of functions.
    pub code: Vec<CodePlan>,
    /// The deployment that the stage serves.
    pub served: Option<DeploymentId>,
    /// The digest in that deployment's description.
    pub served_digest: Option<SnapshotDigest>,
    /// The digest of the current wiring.
    pub digest: SnapshotDigest,
    /// True if it would create a deployment.
    pub deploys: bool,
    /// True if the stage is under AutoDeploy, so that no deployment would be created (row D5).
    pub auto_deploy: bool,
    /// True if it would verify the stage.
    #[serde(rename = "tries")]
    pub verifies: bool,
}

/// Makes the stage serve the current wiring, and verifies it. A stage under AutoDeploy gets the code, and is verified once
/// API Gateway has deployed it. Whatever fails, the stage serves a complete deployment, the
/// old one or the new one, and another run continues from there.
///
/// # Errors
///
/// See [`DeployError`]. After [`DeployError::NotVerified`] the stage serves an earlier deployment, if one is known that
/// it can go back to.
pub async fn redeploy(
    account: &impl Account,
    client: &impl StageClient,
    request: &RedeployRequest,
    ctx: OperationContext<'_>,
) -> Result<RedeployOutcome, DeployError> {
    let redeployment = Redeployment {
        account,
        request,
        ctx,
    };
    redeployment.run(client).await
}

/// Returns what [`redeploy`] would do. Changes nothing.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn plan(
    account: &impl Account,
    request: &RedeployRequest,
    ctx: OperationContext<'_>,
) -> Result<RedeployPlan, DeployError> {
    let redeployment = Redeployment {
        account,
        request,
        ctx,
    };
    redeployment.plan().await
}
