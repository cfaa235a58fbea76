//! Making a deployment that holds what its description says.

use stackgen_model::SnapshotDigest;

use super::{Redeploy, label, wiring};
use crate::account::{AccountRegion, Wiring};
use crate::progress::Step;
use crate::retry::OperationContext;
use crate::{Account, AccountErrorKind, DeployError, Deployment, DeploymentId, DeploymentStatus};

/// How often a deployment is made anew because the API changed meanwhile.
const TIMES: usize = 3;

/// Makes a deployment and waits until it can be served. No stage moves.
///
/// What a deployment froze cannot be read afterwards. So the API is read before and after: if both are the same, that
/// is what it froze. If not, it is deleted and another one is made.
pub(super) async fn create(
    account: &impl Account,
    request: &Redeploy,
    place: &AccountRegion,
    mut wanted: Wiring,
    ctx: OperationContext<'_>,
) -> Result<(DeploymentId, SnapshotDigest), DeployError> {
    let api = &request.api.id;
    for _ in 0..TIMES {
        ctx.step(Step::Creating);
        let description = label(request, &wanted.digest, false).to_string();
        let created = sent(account, request, &description, ctx).await?;
        let (after, _) = match finished(account, request, place, &created, ctx).await {
            Ok(after) => after,
            Err(error) => {
                forget(account, request, &created.id, &error).await;
                return Err(error);
            }
        };
        if after.digest == wanted.digest {
            return Ok((created.id, wanted.digest));
        }
        ctx.step(Step::Changed {
            deployment: &created.id,
        });
        // Not worth failing for: pruning will find it.
        let _ = ctx.call(|| account.delete(api, &created.id)).await;
        wanted = after;
    }
    Err(DeployError::KeepsChanging {
        api: api.clone(),
        times: TIMES,
    })
}

/// Waits for a deployment, and reads the API again.
async fn finished(
    account: &impl Account,
    request: &Redeploy,
    place: &AccountRegion,
    created: &Deployment,
    ctx: OperationContext<'_>,
) -> Result<(Wiring, bool), DeployError> {
    deployed(account, request, created.clone(), ctx).await?;
    ctx.step(Step::Created {
        deployment: &created.id,
    });
    wiring(account, request, place, ctx).await
}

/// Deletes a deployment that no stage was ever moved to, so that nothing goes back to it later. One that failed is left to
/// be looked at: no stage can serve it. Not worth failing for, or waiting for.
pub(super) async fn forget(
    account: &impl Account,
    request: &Redeploy,
    id: &DeploymentId,
    error: &DeployError,
) {
    let of_itself = matches!(
        error,
        DeployError::DeploymentFailed { .. } | DeployError::DeploymentTimedOut { .. }
    );
    if !of_itself {
        let _ = account.delete(&request.api.id, id).await;
    }
}

/// Calls CreateDeployment, not more often than allowed (row D15). If an answer was lost, a deployment that was not
/// there before and says just this is the one.
async fn sent(
    account: &impl Account,
    request: &Redeploy,
    description: &str,
    ctx: OperationContext<'_>,
) -> Result<Deployment, DeployError> {
    let api = &request.api.id;
    let before = ctx.call(|| account.deployments(api)).await?;
    let started = tokio::time::Instant::now();
    loop {
        ctx.interrupt.check()?;
        let error = match account.create(api, description).await {
            Ok(created) => return Ok(created),
            Err(error) => error,
        };
        if error.may_have_happened() {
            let now = ctx.call(|| account.deployments(api)).await?;
            let ours = now.into_iter().find(|one| {
                one.description.as_deref() == Some(description)
                    && before.iter().all(|before| before.id != one.id)
            });
            if let Some(ours) = ours {
                return Ok(ours);
            }
        }
        if !error.is_transient() || started.elapsed() >= ctx.retry.calls.0 {
            return Err(error.into());
        }
        let after = ctx.retry.create;
        ctx.step(Step::Again {
            error: &error,
            after,
        });
        ctx.interrupt.sleep(after).await?;
    }
}

/// Waits until a deployment is DEPLOYED.
async fn deployed(
    account: &impl Account,
    request: &Redeploy,
    mut deployment: Deployment,
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let api = &request.api.id;
    let started = tokio::time::Instant::now();
    loop {
        match deployment.status {
            DeploymentStatus::Deployed => return Ok(()),
            DeploymentStatus::Failed => {
                return Err(DeployError::DeploymentFailed {
                    id: deployment.id,
                    message: deployment
                        .message
                        .unwrap_or_else(|| "no reason is given".to_owned()),
                });
            }
            DeploymentStatus::Pending if started.elapsed() >= ctx.retry.deployed => {
                return Err(DeployError::DeploymentTimedOut {
                    id: deployment.id,
                    after: ctx.retry.deployed,
                });
            }
            DeploymentStatus::Pending => ctx.interrupt.sleep(ctx.retry.poll).await?,
        }
        match ctx.call(|| account.deployment(api, &deployment.id)).await {
            Ok(found) => deployment = found,
            // What was just made may not be seen everywhere yet.
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}
