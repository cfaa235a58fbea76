//! Moving a stage, and nobody else's stage.

use crate::progress::Step;
use crate::retry::OperationContext;
use crate::{Account, ApiId, DeployError, DeploymentId, DeploymentStatus, Stage, StageName};

/// How often to look, at most, until the stage shows that it was moved.
const LOOKS: usize = 10;

/// The stage, unless API Gateway moves it by itself (row D5).
pub(crate) async fn require_manual_stage(
    account: &impl Account,
    api: &ApiId,
    name: &StageName,
    ctx: OperationContext<'_>,
) -> Result<Stage, DeployError> {
    let stage = ctx.call(|| account.stage(api, name)).await?;
    match stage.auto_deploy {
        true => Err(DeployError::AutoDeploy {
            api: api.clone(),
            stage: name.clone(),
        }),
        false => Ok(stage),
    }
}

/// Moves a stage from where it is believed to be, and confirms it. A lost answer is found out by looking; a stage that
/// is somewhere else was moved by somebody else and is left there. API Gateway has no conditional update, so that
/// somebody else's move between the last look and this one's is overwritten: within one round trip.
pub(crate) async fn move_stage(
    account: &impl Account,
    api: &ApiId,
    name: &StageName,
    (from, to): (Option<&DeploymentId>, &DeploymentId),
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let started = tokio::time::Instant::now();
    let mut wait = ctx.retry.again;
    let mut looks = None;
    loop {
        let stage = require_manual_stage(account, api, name, ctx).await?;
        if stage.deployment.as_ref() == Some(to) {
            return Ok(());
        }
        if stage.deployment.as_ref() != from || looks == Some(LOOKS) {
            return Err(DeployError::Moved {
                stage: name.clone(),
                expected: from.cloned(),
                found: stage.deployment,
            });
        }
        if let Some(looks) = &mut looks {
            *looks += 1;
            ctx.interrupt.sleep(ctx.retry.poll).await?;
            continue;
        }
        ctx.interrupt.check()?;
        match account.activate(api, name, to).await {
            Ok(()) => looks = Some(0),
            Err(error) if error.is_transient() && started.elapsed() < ctx.retry.calls.0 => {
                ctx.step(Step::Again {
                    error: &error,
                    after: wait,
                });
                ctx.interrupt.sleep(wait).await?;
                wait = (wait * 2).min(ctx.retry.calls.1);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Moves a stage to a deployment that is there already (row D11). Answers the deployment that it served before.
pub(crate) async fn activate(
    account: &impl Account,
    api: &ApiId,
    name: &StageName,
    id: &DeploymentId,
    ctx: OperationContext<'_>,
) -> Result<Option<DeploymentId>, DeployError> {
    let stage = require_manual_stage(account, api, name, ctx).await?;
    let all = ctx.call(|| account.deployments(api)).await?;
    let found = all.iter().find(|deployment| deployment.id == *id);
    let deployment = found.ok_or_else(|| DeployError::NoDeployment {
        api: api.clone(),
        id: id.clone(),
    })?;
    let status = match deployment.status {
        DeploymentStatus::Deployed => None,
        DeploymentStatus::Pending => Some("PENDING"),
        DeploymentStatus::Failed => Some("FAILED"),
    };
    if let Some(status) = status {
        return Err(DeployError::NotDeployed {
            id: id.clone(),
            status,
        });
    }
    move_stage(account, api, name, (stage.deployment.as_ref(), id), ctx).await?;
    Ok(stage.deployment)
}
