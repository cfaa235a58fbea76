//! The record of a verification in a deployment's description.

use crate::metadata::{CreatedBy, DeploymentMetadata, VerifyRecord};
use crate::progress::DeployStep;
use crate::retry::OperationContext;
use crate::{Account, ApiId, DeployError, DeploymentInfo};

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
    let (id, text) = (&deployment.id, metadata.to_string());
    let written = ctx.call(|| account.update_description(api, id, &text));
    if let Err(error) = written.await {
        ctx.step(DeployStep::Skipped {
            what: "recording the verification in the deployment's description",
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
