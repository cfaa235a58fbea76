//! What follows a move of a stage: the trial, the record of it, and going back.

use crate::error::NotVerified;
use crate::metadata::{CreatedBy, TrialResult};
use crate::pointer::{MoveFailure, StageMove};
use crate::progress::{Interrupt, Step};
use crate::retry::OperationContext;
use crate::trial::{Evidence, StageTrial, TrialOutcome};
use crate::{Account, ApiId, DeployError, Deployment, DeploymentId, StageName, Verify};

/// A stage that serves a deployment which is to be tried.
pub(crate) struct Settlement<'a, A, V> {
    pub(crate) account: &'a A,
    pub(crate) verifier: &'a V,
    pub(crate) api: &'a ApiId,
    pub(crate) stage: &'a StageName,
    /// The deployment that the stage serves now.
    pub(crate) serves: &'a Deployment,
    /// The deployment to go back to if the trial does not pass.
    pub(crate) back_to: Option<&'a DeploymentId>,
    /// Whether to go back if an authorizer refuses every caller, so that the trial shows nothing.
    pub(crate) back_if_inconclusive: bool,
    /// Whether the deployment existed before, so that it stays if the trial shows nothing.
    pub(crate) keeps: bool,
    /// Whether to record trials on deployments that CloudFormation made, too.
    pub(crate) mark: bool,
    /// Whether to delete a deployment that did not pass, after going back.
    pub(crate) delete_failed: bool,
    pub(crate) ctx: OperationContext<'a>,
}

impl<A: Account, V: Verify> Settlement<'_, A, V> {
    /// Tries the stage and records the result in the deployment's description. If the trial does not pass, the stage goes
    /// back.
    ///
    /// # Errors
    ///
    /// [`DeployError::NotVerified`] if the trial did not pass, [`DeployError::NotTried`] if it was interrupted, and
    /// [`DeployError::Moved`] if the stage serves another deployment in the end.
    pub(crate) async fn settle(&self, trial: &StageTrial) -> Result<Evidence, DeployError> {
        let outcome = trial.run(self.verifier, self.ctx).await;
        let outcome = outcome.map_err(|_| self.not_tried())?;
        // From here on nothing is interrupted: neither the record nor going back.
        let never = Interrupt::never();
        let ctx = self.ctx.with_interrupt(&never);
        match outcome {
            TrialOutcome::Verified(evidence) => {
                self.still_serves().await?;
                let callers = trial.callers.iter().map(|caller| caller.name.as_str());
                let passed = TrialResult::passed((self.ctx.now)(), callers);
                self.record(passed, ctx).await;
                Ok(evidence)
            }
            TrialOutcome::Failed(evidence) => {
                // Before going back: whatever happens next, nobody takes this deployment for a good one.
                let failed = TrialResult::failed((self.ctx.now)());
                self.record(failed, ctx).await;
                Err(self.go_back(self.not_verified(evidence, false), ctx).await)
            }
            TrialOutcome::AuthorizerOnly(evidence) => {
                let error = self.not_verified(evidence, true);
                if !self.back_if_inconclusive {
                    return Err(DeployError::NotVerified(Box::new(error)));
                }
                Err(self.go_back(error, ctx).await)
            }
        }
    }

    fn not_tried(&self) -> DeployError {
        DeployError::NotTried {
            stage: self.stage.clone(),
            deployment: self.serves.id.clone(),
            previous: self.back_to.cloned(),
        }
    }

    /// Another run may have moved the stage meanwhile: then the answers may be those of its deployment.
    async fn still_serves(&self) -> Result<(), DeployError> {
        let ctx = self.ctx;
        let read = ctx.read(|| self.account.stage(self.api, self.stage)).await;
        let stage = read.map_err(|error| match error {
            DeployError::Interrupted => self.not_tried(),
            error => DeployError::StageUnknown {
                stage: self.stage.clone(),
                deployment: self.serves.id.clone(),
                reason: error.to_string(),
            },
        })?;
        match stage.deployment.as_ref() == Some(&self.serves.id) {
            true => Ok(()),
            false => Err(DeployError::Moved {
                stage: self.stage.clone(),
                expected: Some(self.serves.id.clone()),
                found: stage.deployment,
            }),
        }
    }

    /// Records a trial in the description. A description that cannot be written is a note: the next run tries again.
    async fn record(&self, result: TrialResult, ctx: OperationContext<'_>) {
        let Some(mut metadata) = self.serves.metadata() else {
            return;
        };
        if self.serves.created_by() != CreatedBy::Redeploy && !self.mark {
            return;
        }
        metadata.trial = Some(result);
        let (id, text) = (&self.serves.id, metadata.to_string());
        let written = ctx.call(|| self.account.update_description(self.api, id, &text));
        if let Err(error) = written.await {
            ctx.step(Step::LeftOut {
                what: "recording the trial in the deployment's description",
                reason: &error.to_string(),
            });
        }
    }

    fn not_verified(&self, evidence: Evidence, inconclusive: bool) -> NotVerified {
        NotVerified {
            stage: self.stage.clone(),
            failed: self.serves.id.clone(),
            evidence,
            inconclusive,
            restored: None,
            not_restored: None,
            pruned: false,
        }
    }

    async fn go_back(&self, mut error: NotVerified, ctx: OperationContext<'_>) -> DeployError {
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
            // Another run moved the stage on, and looks after it.
            Err(MoveFailure::NotMoved(moved @ DeployError::Moved { .. })) => return moved,
            Err(failure) => error.not_restored = Some(failure.into_error().to_string()),
            Ok(()) => {
                ctx.step(Step::Restored {
                    deployment: previous,
                });
                error.restored = Some(previous.clone());
                let delete = self.delete_failed || error.inconclusive && !self.keeps;
                if delete {
                    let deleted =
                        ctx.call(|| self.account.delete_deployment(self.api, &self.serves.id));
                    error.pruned = deleted.await.is_ok();
                }
            }
        }
        DeployError::NotVerified(Box::new(error))
    }
}
