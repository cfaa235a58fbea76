//! Moving a stage from one deployment to another.

use crate::retry::{MOST_STALE_READS, OperationContext};
use crate::{
    Account, ApiId, DeployError, DeploymentId, DeploymentInfo, DeploymentState, StageInfo,
    StageName,
};

/// The largest number of reads until a stage shows a move that API Gateway accepted.
const MOST_READS: u32 = 10;

/// Returns a stage.
///
/// # Errors
///
/// [`DeployError::AutoDeploy`] if API Gateway activates deployments by itself (row D5).
pub(crate) async fn require_manual_stage(
    account: &impl Account,
    api: &ApiId,
    name: &StageName,
    ctx: OperationContext<'_>,
) -> Result<StageInfo, DeployError> {
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
) -> Result<DeploymentInfo, DeployError> {
    let all = ctx.read(|| account.deployments(api)).await?;
    let found = all.into_iter().find(|deployment| deployment.id == *id);
    let deployment = found.ok_or_else(|| DeployError::NoDeployment {
        api: api.clone(),
        id: id.clone(),
    })?;
    let status = match deployment.status {
        DeploymentState::Deployed => return Ok(deployment),
        DeploymentState::Pending => "PENDING",
        DeploymentState::Failed => "FAILED",
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
    /// The deployment that the stage is expected to serve.
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
    /// Moves the stage, and confirms it by reading the stage again, even after an answer that was lost or an error. A stage
    /// that serves neither deployment was moved by another run, and is left alone.
    ///
    /// API Gateway has no conditional update. A move by another run between the last read and this UpdateStage is
    /// overwritten.
    pub(crate) async fn run(
        &self,
        account: &impl Account,
        ctx: OperationContext<'_>,
    ) -> Result<(), MoveFailure> {
        let mut retries = ctx.retries();
        let mut was_sent = false;
        loop {
            // Before the first attempt, a read may show what the stage served earlier, so it decides nothing but a conflict.
            if self.is_done(account, was_sent, ctx).await? && was_sent {
                return Ok(());
            }
            ctx.interrupt.check().map_err(|error| match was_sent {
                true => MoveFailure::Unknown(self.interrupted()),
                false => MoveFailure::NotMoved(error),
            })?;
            was_sent = true;
            let error = match account.activate(self.api, self.stage, self.to).await {
                Ok(()) => return self.wait_until_visible(account, ctx).await,
                Err(error) => error,
            };
            if !retries.allow(&error) {
                // An error may hide a move that took effect.
                return match self.is_done(account, true, ctx).await? {
                    true => Ok(()),
                    false => Err(MoveFailure::NotMoved(error.into())),
                };
            }
            let waited = retries.wait(&error).await;
            waited.map_err(|_| MoveFailure::Unknown(self.interrupted()))?;
        }
    }

    /// Waits until the stage shows the move that API Gateway accepted.
    async fn wait_until_visible(
        &self,
        account: &impl Account,
        ctx: OperationContext<'_>,
    ) -> Result<(), MoveFailure> {
        for _ in 0..MOST_READS {
            if self.is_done(account, true, ctx).await? {
                return Ok(());
            }
            let slept = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
            slept.map_err(|_| MoveFailure::Unknown(self.interrupted()))?;
        }
        match self.is_done(account, true, ctx).await? {
            true => Ok(()),
            false => Err(MoveFailure::Unknown(self.not_visible(ctx))),
        }
    }

    /// True if the stage serves the new deployment, false if it serves the old one. Fails if it serves neither; one read may
    /// show what it served earlier.
    async fn is_done(
        &self,
        account: &impl Account,
        was_sent: bool,
        ctx: OperationContext<'_>,
    ) -> Result<bool, MoveFailure> {
        let mut reads = 1;
        loop {
            let served = self.served(account, was_sent, ctx).await?;
            match &served {
                Some(serves) if serves == self.to => return Ok(true),
                serves if serves.as_ref() == self.from => return Ok(false),
                _ if reads >= MOST_STALE_READS => {
                    return Err(MoveFailure::NotMoved(DeployError::Moved {
                        stage: self.stage.clone(),
                        expected: self.from.cloned(),
                        found: served,
                    }));
                }
                _ => {}
            }
            reads += 1;
            let slept = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
            slept.map_err(|error| match was_sent {
                true => MoveFailure::Unknown(self.interrupted()),
                false => MoveFailure::NotMoved(error),
            })?;
        }
    }

    async fn served(
        &self,
        account: &impl Account,
        was_sent: bool,
        ctx: OperationContext<'_>,
    ) -> Result<Option<DeploymentId>, MoveFailure> {
        match require_manual_stage(account, self.api, self.stage, ctx).await {
            Ok(stage) => Ok(stage.deployment),
            Err(DeployError::Interrupted) if was_sent => {
                Err(MoveFailure::Unknown(self.interrupted()))
            }
            Err(error) if was_sent => Err(MoveFailure::Unknown(DeployError::StageUnknown {
                stage: self.stage.clone(),
                deployment: self.to.clone(),
                reason: error.to_string(),
            })),
            Err(error) => Err(MoveFailure::NotMoved(error)),
        }
    }

    fn not_visible(&self, ctx: OperationContext<'_>) -> DeployError {
        DeployError::MoveNotVisible {
            stage: self.stage.clone(),
            deployment: self.to.clone(),
            serves: self.from.cloned(),
            after: ctx.retry.poll_interval * MOST_READS,
        }
    }

    fn interrupted(&self) -> DeployError {
        DeployError::InterruptedUnverified {
            stage: self.stage.clone(),
            deployment: self.to.clone(),
            previous: self.from.cloned(),
        }
    }
}
