//! The pointer of a stage: reading and moving it.

use crate::retry::OperationContext;
use crate::{
    Account, ApiId, DeployError, Deployment, DeploymentId, DeploymentStatus, Stage, StageName,
};

/// The largest number of looks at a stage until it shows a move that API Gateway accepted.
const LOOKS: usize = 10;

/// Returns the stage.
///
/// # Errors
///
/// [`DeployError::AutoDeploy`] if API Gateway moves it by itself (row D5).
pub(crate) async fn require_manual_stage(
    account: &impl Account,
    api: &ApiId,
    name: &StageName,
    ctx: OperationContext<'_>,
) -> Result<Stage, DeployError> {
    let stage = ctx.read(|| account.stage(api, name)).await?;
    match stage.auto_deploy {
        true => Err(DeployError::AutoDeploy {
            api: api.clone(),
            stage: name.clone(),
        }),
        false => Ok(stage),
    }
}

/// Returns a deployment that a stage can serve.
pub(crate) async fn require_deployed(
    account: &impl Account,
    api: &ApiId,
    id: &DeploymentId,
    ctx: OperationContext<'_>,
) -> Result<Deployment, DeployError> {
    let all = ctx.read(|| account.deployments(api)).await?;
    let found = all.into_iter().find(|deployment| deployment.id == *id);
    let deployment = found.ok_or_else(|| DeployError::NoDeployment {
        api: api.clone(),
        id: id.clone(),
    })?;
    let status = match deployment.status {
        DeploymentStatus::Deployed => return Ok(deployment),
        DeploymentStatus::Pending => "PENDING",
        DeploymentStatus::Failed => "FAILED",
    };
    Err(DeployError::NotDeployed {
        id: id.clone(),
        status,
    })
}

/// A move of a stage from one deployment to another.
pub(crate) struct StageMove<'a> {
    pub(crate) api: &'a ApiId,
    pub(crate) stage: &'a StageName,
    /// The deployment that the stage is believed to serve.
    pub(crate) from: Option<&'a DeploymentId>,
    pub(crate) to: &'a DeploymentId,
}

/// A move that failed.
pub(crate) enum MoveFailure {
    /// The stage is known not to serve the new deployment.
    NotMoved(DeployError),
    /// The stage may serve the new deployment.
    Unknown(DeployError),
}

impl MoveFailure {
    pub(crate) fn into_error(self) -> DeployError {
        match self {
            MoveFailure::NotMoved(error) | MoveFailure::Unknown(error) => error,
        }
    }
}

impl StageMove<'_> {
    /// Moves the stage, and confirms it by reading the stage again: after an answer that was lost or refused, too. A
    /// stage that serves neither deployment was moved by somebody else and is left alone. API Gateway has no conditional
    /// update, so a move by somebody else between the last read and this one's is overwritten.
    pub(crate) async fn run(
        &self,
        account: &impl Account,
        ctx: OperationContext<'_>,
    ) -> Result<(), MoveFailure> {
        let mut retries = ctx.retries();
        // The number of looks since API Gateway accepted the move, and whether a call was sent at all.
        let (mut looks, mut sent) = (None, false);
        loop {
            if self.is_done(account, sent, ctx).await? {
                return Ok(());
            }
            match &mut looks {
                Some(LOOKS) => return Err(MoveFailure::Unknown(self.not_seen(ctx))),
                Some(looks) => {
                    *looks += 1;
                    let slept = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
                    slept.map_err(|_| MoveFailure::Unknown(self.not_tried()))?;
                    continue;
                }
                None => ctx.interrupt.check().map_err(|error| match sent {
                    true => MoveFailure::Unknown(self.not_tried()),
                    false => MoveFailure::NotMoved(error),
                })?,
            }
            sent = true;
            let error = match account.activate(self.api, self.stage, self.to).await {
                Ok(()) => {
                    looks = Some(0);
                    continue;
                }
                Err(error) => error,
            };
            if !retries.allow(&error) {
                // A refusal may hide a move that took effect.
                return match self.is_done(account, true, ctx).await? {
                    true => Ok(()),
                    false => Err(MoveFailure::NotMoved(error.into())),
                };
            }
            let waited = retries.wait(&error).await;
            waited.map_err(|_| MoveFailure::Unknown(self.not_tried()))?;
        }
    }

    /// True if the stage serves the new deployment, false if it serves the old one.
    async fn is_done(
        &self,
        account: &impl Account,
        sent: bool,
        ctx: OperationContext<'_>,
    ) -> Result<bool, MoveFailure> {
        let stage = match require_manual_stage(account, self.api, self.stage, ctx).await {
            Ok(stage) => stage,
            Err(DeployError::Interrupted) if sent => {
                return Err(MoveFailure::Unknown(self.not_tried()));
            }
            Err(error) if sent => {
                return Err(MoveFailure::Unknown(DeployError::StageUnknown {
                    stage: self.stage.clone(),
                    deployment: self.to.clone(),
                    reason: error.to_string(),
                }));
            }
            Err(error) => return Err(MoveFailure::NotMoved(error)),
        };
        match &stage.deployment {
            Some(serves) if serves == self.to => Ok(true),
            serves if serves.as_ref() == self.from => Ok(false),
            _ => Err(MoveFailure::NotMoved(DeployError::Moved {
                stage: self.stage.clone(),
                expected: self.from.cloned(),
                found: stage.deployment,
            })),
        }
    }

    fn not_seen(&self, ctx: OperationContext<'_>) -> DeployError {
        DeployError::NotSeen {
            stage: self.stage.clone(),
            deployment: self.to.clone(),
            serves: self.from.cloned(),
            after: ctx.retry.poll_interval * u32::try_from(LOOKS).unwrap_or(u32::MAX),
        }
    }

    fn not_tried(&self) -> DeployError {
        DeployError::NotTried {
            stage: self.stage.clone(),
            deployment: self.to.clone(),
            previous: self.from.cloned(),
        }
    }
}
