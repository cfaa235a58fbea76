//! The record of a verification in a deployment's description.

use crate::metadata::{CreatedBy, DeploymentMetadata, VerifyRecord};
use crate::progress::DeployStep;
use crate::retry::OperationContext;
use crate::{Account, ApiId, DeployError, DeploymentId, DeploymentInfo};

/// Records the result of a verification. A description that cannot be written is skipped: the next run verifies again.
pub(super) async fn write_record(
    account: &impl Account,
    api: &ApiId,
    deployment: &DeploymentInfo,
    record: VerifyRecord,
    mark: bool,
    ctx: OperationContext<'_>,
) {
    let Some(mut metadata) = deployment.metadata() else {
        return;
    };
    if deployment.created_by() != CreatedBy::Redeploy && !mark {
        return;
    }
    metadata.verification = Some(record);
    let what = "recording the verification in the deployment's description";
    write_description(account, api, &deployment.id, &metadata, what, ctx).await;
}

/// Writes the description of a deployment. A description that cannot be written is skipped, with a step that names `what`.
pub(crate) async fn write_description(
    account: &impl Account,
    api: &ApiId,
    deployment: &DeploymentId,
    metadata: &DeploymentMetadata,
    what: &str,
    ctx: OperationContext<'_>,
) {
    let text = metadata.to_string();
    let written = ctx.call(|| account.update_description(api, deployment, &text));
    if let Err(error) = written.await {
        ctx.step(DeployStep::Skipped {
            what,
            reason: &error.to_string(),
        });
    }
}

/// Removes the record of a verification that passed from a deployment's description. Call it before new code goes live
/// behind an unqualified function ARN (row D2), which was not verified.
///
/// # Errors
///
/// If the description cannot be written: the record would claim too much.
pub async fn clear_record(
    account: &impl Account,
    api: &ApiId,
    deployment: &DeploymentInfo,
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let verified = deployment
        .metadata()
        .filter(DeploymentMetadata::is_verified);
    let Some(metadata) = verified else {
        return Ok(());
    };
    let unverified = DeploymentMetadata {
        verification: None,
        ..metadata
    };
    let text = unverified.to_string();
    ctx.call(|| account.update_description(api, &deployment.id, &text))
        .await
}
