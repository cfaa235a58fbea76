//! Verification of a stage that serves a certain deployment, the record of the result, and the move back.

use super::record::write_record;
use super::{Judgement, StageVerifier, VerifyEvidence};
use crate::error::NotVerified;
use crate::metadata::VerifyRecord;
use crate::progress::{DeployStep, Interrupt};
use crate::retry::{MOST_STALE_READS, OperationContext};
use crate::stage_move::{MoveFailure, StageMove};
use crate::{Account, ApiId, DeployError, DeploymentId, DeploymentInfo, StageClient, StageName};

/// The origin of the deployment that a stage serves while it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentOrigin {
    /// The stage served it before this run, so it stays if only an authorizer answers.
    Served,
    /// This run moved the stage to an existing deployment.
    Existing,
    /// API Gateway activated it by itself, so the stage cannot move back (row D5).
    AutoDeployed,
    /// This run created it.
    CreatedDeployment {
        /// Delete it if it fails, too. It is always deleted if only an authorizer answers.
        delete_failed: bool,
    },
}

/// A check of the deployment that a stage serves.
pub(crate) struct StageCheck<'a, A> {
    pub(crate) account: &'a A,
    pub(crate) api: &'a ApiId,
    pub(crate) stage: &'a StageName,
    /// The deployment that the stage serves now.
    pub(crate) serves: &'a DeploymentInfo,
    pub(crate) origin: DeploymentOrigin,
    /// The deployment to move back to if the stage is not verified.
    pub(crate) back_to: Option<&'a DeploymentId>,
    /// True to record the result on deployments that CloudFormation created, too.
    pub(crate) mark: bool,
    pub(crate) ctx: OperationContext<'a>,
}

impl<A: Account> StageCheck<'_, A> {
    /// Verifies the stage and records the result in the deployment's description. If the stage is not verified, it moves
    /// back.
    ///
    /// # Errors
    ///
    /// [`DeployError::NotVerified`] if the stage is not verified, [`DeployError::InterruptedUnverified`] after an
    /// interrupt, and [`DeployError::Moved`] if the stage serves another deployment in the end.
    pub(crate) async fn run(
        &self,
        verifier: &StageVerifier,
        client: &impl StageClient,
    ) -> Result<VerifyEvidence, DeployError> {
        let outcome = verifier.run(client, self.ctx).await;
        let outcome = outcome.map_err(|_| self.interrupted())?;
        // From here on nothing is interrupted: neither the record nor the move back.
        let never = Interrupt::never();
        let ctx = self.ctx.with_interrupt(&never);
        let evidence = outcome.evidence;
        match outcome.judgement {
            Judgement::Verified => {
                self.require_served().await?;
                let callers = verifier.callers.iter().map(|caller| caller.name.as_str());
                let record = VerifyRecord::verified((self.ctx.now)(), callers);
                self.write_record(record, ctx).await;
                Ok(evidence)
            }
            Judgement::Failed => {
                // Before the move back: if that fails, no later run takes this deployment for a good one.
                let record = VerifyRecord::failed((self.ctx.now)());
                self.write_record(record, ctx).await;
                Err(self
                    .move_back(self.not_verified(evidence, false), ctx)
                    .await)
            }
            Judgement::AuthorizerOnly => {
                let error = self.not_verified(evidence, true);
                match self.origin {
                    DeploymentOrigin::Served | DeploymentOrigin::AutoDeployed => {
                        Err(DeployError::NotVerified(Box::new(error)))
                    }
                    _ => Err(self.move_back(error, ctx).await),
                }
            }
        }
    }

    fn interrupted(&self) -> DeployError {
        DeployError::InterruptedUnverified {
            stage: self.stage.clone(),
            deployment: self.serves.id.clone(),
            previous: self.back_to.cloned(),
        }
    }

    /// Fails if another run moved the stage meanwhile: then the answers may come from its deployment. One read may show what
    /// the stage served earlier.
    async fn require_served(&self) -> Result<(), DeployError> {
        let mut reads = 1;
        loop {
            let found = self.served().await?;
            if found.as_ref() == Some(&self.serves.id) {
                return Ok(());
            }
            if reads >= MOST_STALE_READS {
                return Err(DeployError::Moved {
                    stage: self.stage.clone(),
                    expected: Some(self.serves.id.clone()),
                    found,
                });
            }
            reads += 1;
            let wait = self.ctx.interrupt.sleep(self.ctx.retry.poll_interval);
            wait.await.map_err(|_| self.interrupted())?;
        }
    }

    async fn served(&self) -> Result<Option<DeploymentId>, DeployError> {
        let read = || self.account.stage(self.api, self.stage);
        match self.ctx.read(read).await {
            Ok(stage) => Ok(stage.deployment),
            Err(DeployError::Interrupted) => Err(self.interrupted()),
            Err(error) => Err(DeployError::StageUnknown {
                stage: self.stage.clone(),
                deployment: self.serves.id.clone(),
                reason: error.to_string(),
            }),
        }
    }

    async fn write_record(&self, record: VerifyRecord, ctx: OperationContext<'_>) {
        let (account, api) = (self.account, self.api);
        write_record(account, api, self.serves, record, self.mark, ctx).await;
    }

    fn not_verified(&self, evidence: VerifyEvidence, inconclusive: bool) -> NotVerified {
        NotVerified {
            stage: self.stage.clone(),
            failed: self.serves.id.clone(),
            evidence,
            inconclusive,
            restored: None,
            not_restored: None,
            pruned: false,
            auto_deploy: self.origin == DeploymentOrigin::AutoDeployed,
        }
    }

    async fn move_back(&self, mut error: NotVerified, ctx: OperationContext<'_>) -> DeployError {
        let Some(previous) = self.back_to else {
            return DeployError::NotVerified(Box::new(error));
        };
        let back = StageMove {
            api: self.api,
            stage: self.stage,
            from: Some(&self.serves.id),
            to: previous,
        };
        match back.run(self.account, ctx).await {
            // Another run moved the stage, and verifies it.
            Err(MoveFailure::NotMoved(moved @ DeployError::Moved { .. })) => return moved,
            Err(failure) => error.not_restored = Some(failure.into_error().to_string()),
            Ok(()) => {
                ctx.step(DeployStep::Restored {
                    deployment: previous,
                });
                error.restored = Some(previous.clone());
                if let DeploymentOrigin::CreatedDeployment { delete_failed } = self.origin
                    && (delete_failed || error.inconclusive)
                {
                    let (account, api, id) = (self.account, self.api, &self.serves.id);
                    let deleted = ctx.call(|| account.delete_deployment(api, id));
                    error.pruned = deleted.await.is_ok();
                }
            }
        }
        DeployError::NotVerified(Box::new(error))
    }
}
