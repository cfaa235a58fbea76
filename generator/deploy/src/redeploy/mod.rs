//! Makes a stage serve what the account holds.

mod create;

use serde::Serialize;
use stackgen_model::SnapshotDigest;

use crate::account::{AccountRegion, ApiDescription, Wiring};
use crate::code::{self, BuiltCode, CodePlan, Release};
use crate::pointer::{MoveFailure, StageMove, require_manual_stage};
use crate::progress::{Interrupt, Step};
use crate::prune::{self, Policy};
use crate::retry::OperationContext;
use crate::settle::Settlement;
use crate::trial::{Evidence, StageTrial, Verification};
use crate::{
    Account, AccountErrorKind, Api, ApiId, CreatedBy, DeployError, Deployment, DeploymentId,
    DeploymentMetadata, Stage, StageName, Verify,
};

/// A request to redeploy a stage.
#[derive(Clone, Debug)]
pub struct Redeploy {
    /// The API.
    pub api: Api,
    /// Its stage.
    pub stage: StageName,
    /// The commit, for the deployment's description.
    pub git: String,
    /// The environment of the stack.
    pub environment: Option<String>,
    /// A word that no other run has, for the deployment's description.
    pub run: String,
    /// Built code. The code of functions that are not named here stays.
    pub code: Vec<BuiltCode>,
    /// Whether versions are published and called. `None` leaves what the API calls as it is.
    pub release: Option<Release>,
    /// Deploy even if the stage serves the same already.
    pub force: bool,
    /// How the stage is verified; `None` does not try it.
    pub verify: Option<Verification>,
    /// Record trials on deployments that CloudFormation made, too.
    pub mark: bool,
    /// Delete a deployment that failed its trial instead of keeping it for inspection.
    pub prune_failed: bool,
    /// Which older deployments are deleted in the end.
    pub prune: Option<Policy>,
}

/// The result of a redeploy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Redeployed {
    /// The stage serves just this already.
    Current {
        /// The deployment that it serves.
        deployment: DeploymentId,
        /// The digest of the deployment.
        digest: SnapshotDigest,
        /// The origin. One of CloudFormation's may hold a route that was removed in the same update (row D20).
        maker: CreatedBy,
        /// Whether a trial passed, now or earlier.
        verified: bool,
        /// The answers, if it was tried now.
        evidence: Option<Evidence>,
    },
    /// The stage serves a new deployment.
    Deployed {
        /// The deployment that it serves.
        deployment: DeploymentId,
        /// The deployment that it served before.
        previous: Option<DeploymentId>,
        /// The digest of the new one.
        digest: SnapshotDigest,
        /// Whether its trial passed.
        verified: bool,
        /// The answers, if it was tried.
        evidence: Option<Evidence>,
        /// Older deployments that were deleted.
        pruned: Vec<DeploymentId>,
    },
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// To functions.
    pub code: Vec<CodePlan>,
    /// What the stage serves.
    pub served: Option<DeploymentId>,
    /// What that says it froze.
    pub served_digest: Option<SnapshotDigest>,
    /// What a deployment would freeze as things are.
    pub digest: SnapshotDigest,
    /// Whether a deployment would be made.
    pub deploys: bool,
    /// Whether the stage would be tried.
    pub tries: bool,
}

/// Makes the stage serve what the account holds, and verifies it. Whatever fails, the stage serves a complete deployment,
/// the old one or the new one, and another run goes on from there.
///
/// # Errors
///
/// See [`DeployError`]. With [`DeployError::NotVerified`] the stage went back, if a deployment to go back to is known.
pub async fn redeploy(
    account: &impl Account,
    verifier: &impl Verify,
    request: &Redeploy,
    ctx: OperationContext<'_>,
) -> Result<Redeployed, DeployError> {
    let redeployment = Redeployment {
        account,
        verifier,
        request,
        ctx,
    };
    redeployment.run().await
}

/// Removes the record of a trial that passed from the description of a deployment.
pub(crate) async fn forget_trial(
    account: &impl Account,
    api: &ApiId,
    deployment: &Deployment,
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let Some(metadata) = deployment.metadata().filter(DeploymentMetadata::passed) else {
        return Ok(());
    };
    let untried = DeploymentMetadata {
        trial: None,
        ..metadata
    };
    let text = untried.to_string();
    ctx.call(|| account.update_description(api, &deployment.id, &text))
        .await
}

/// A redeploy that runs.
struct Redeployment<'a, A, V> {
    account: &'a A,
    verifier: &'a V,
    request: &'a Redeploy,
    ctx: OperationContext<'a>,
}

/// The deployments of an API, and the one that the stage serves.
struct Deployments {
    all: Vec<Deployment>,
    served: Option<DeploymentId>,
}

impl Deployments {
    fn find(&self, id: &DeploymentId) -> Option<&Deployment> {
        self.all.iter().find(|deployment| deployment.id == *id)
    }

    fn served(&self) -> Option<&Deployment> {
        self.find(self.served.as_ref()?)
    }

    /// Returns the deployment to go back to: the one that the stage serves, unless stackgen made it and it has not passed
    /// a trial. Then it is the last one before it that served well.
    fn back_to(&self) -> Option<&DeploymentId> {
        let served = self.served.as_ref()?;
        self.before_untried(served).or(Some(served))
    }

    /// Follows the chain of `previous:` from a deployment that has not passed a trial to one that served well.
    fn before_untried(&self, id: &DeploymentId) -> Option<&DeploymentId> {
        let mut next = self.find(id);
        for _ in 0..self.all.len() {
            let deployment = next?;
            let untried = deployment.created_by() == CreatedBy::Redeploy
                && !prune::served_well(deployment, &self.all);
            if !untried {
                let can_serve = deployment.status == crate::DeploymentStatus::Deployed;
                return Some(&deployment.id).filter(|found| can_serve && **found != *id);
            }
            next = self.find(&deployment.metadata()?.previous?);
        }
        None
    }
}

impl<A: Account, V: Verify> Redeployment<'_, A, V> {
    async fn run(&self) -> Result<Redeployed, DeployError> {
        let (account, request, ctx) = (self.account, self.request, self.ctx);
        let api = &request.api.id;
        let region = ctx.read(|| account.account_region()).await?;
        // Everything that can refuse comes before the first change.
        let stage = require_manual_stage(account, api, &request.stage, ctx).await?;
        let mut description = ApiDescription::read(account, api, ctx).await?;
        let trial = self.trial(&description).await?;
        let deployments = Deployments {
            all: ctx.read(|| account.deployments(api)).await?,
            served: stage.deployment,
        };
        let sent = self.send_code(&deployments).await?;
        if request.release == Some(Release::Pinned) {
            code::pin(account, api, &region, ctx).await?;
        }
        if sent || request.release == Some(Release::Pinned) {
            description = ApiDescription::read(account, api, ctx).await?;
        }
        let wiring = description.wiring(&region);
        let metadata = deployments.served().and_then(Deployment::metadata);
        ctx.step(Step::Described {
            routes: wiring.routes,
            digest: &wiring.digest.to_string(),
            served: metadata
                .as_ref()
                .map(|metadata| metadata.digest.to_string())
                .as_deref(),
        });
        let current = deployments
            .served()
            .filter(|served| !request.force && is_current(served, &wiring));
        match current {
            Some(served) => {
                let tried = metadata.is_some_and(|metadata| metadata.passed()) && !sent;
                let trial = trial.as_ref().filter(|_| !tried);
                self.confirm(served, &deployments, trial, tried).await
            }
            None => {
                self.deploy(&region, wiring, &deployments, trial.as_ref())
                    .await
            }
        }
    }

    /// Finds out how to try the stage, if it is to be tried.
    async fn trial(&self, description: &ApiDescription) -> Result<Option<StageTrial>, DeployError> {
        let Redeploy { api, stage, .. } = self.request;
        match &self.request.verify {
            Some(verification) => {
                let (account, ctx) = (self.account, self.ctx);
                let trial =
                    StageTrial::resolve(account, api, stage, verification, description, ctx);
                trial.await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Sends code that differs; true if any did. Code behind an unqualified ARN is live at once (row D2), so that the
    /// trial of the served deployment says nothing any more: its record is removed first.
    async fn send_code(&self, deployments: &Deployments) -> Result<bool, DeployError> {
        let (account, request, ctx) = (self.account, self.request, self.ctx);
        let live = request.release != Some(Release::Pinned);
        if let Some(served) = deployments.served().filter(|_| live)
            && !code::would_send(account, &request.code, ctx)
                .await?
                .is_empty()
        {
            forget_trial(account, &request.api.id, served, ctx).await?;
        }
        Ok(!code::send(account, &request.code, ctx).await?.is_empty())
    }

    /// Tries the deployment that the stage serves, which holds the same wiring.
    async fn confirm(
        &self,
        served: &Deployment,
        deployments: &Deployments,
        trial: Option<&StageTrial>,
        tried: bool,
    ) -> Result<Redeployed, DeployError> {
        let evidence = match trial {
            Some(trial) => {
                let back_to = deployments.before_untried(&served.id);
                let settlement = self.settlement(served, back_to);
                let settlement = Settlement {
                    back_if_inconclusive: false,
                    keeps: true,
                    delete_failed: false,
                    ..settlement
                };
                Some(settlement.settle(trial).await?)
            }
            None => None,
        };
        let metadata = served.metadata();
        let digest = metadata
            .expect("only a deployment with metadata is current")
            .digest;
        Ok(Redeployed::Current {
            deployment: served.id.clone(),
            digest,
            maker: served.created_by(),
            verified: tried || evidence.is_some(),
            evidence,
        })
    }

    /// Makes a deployment, moves the stage to it, and verifies it.
    async fn deploy(
        &self,
        region: &AccountRegion,
        wiring: Wiring,
        deployments: &Deployments,
        trial: Option<&StageTrial>,
    ) -> Result<Redeployed, DeployError> {
        let (request, ctx) = (self.request, self.ctx);
        let previous = deployments.served.as_ref();
        let created = self.create(region, wiring, previous).await?;
        if let Err(interrupted) = ctx.interrupt.check() {
            self.delete_unused(&created.deployment.id).await;
            return Err(interrupted);
        }
        let id = &created.deployment.id;
        let stage_move = StageMove {
            api: &request.api.id,
            stage: &request.stage,
            from: previous,
            to: id,
        };
        match stage_move.run(self.account, ctx).await {
            Ok(()) => {}
            Err(MoveFailure::NotMoved(error)) => {
                self.delete_unused(id).await;
                return Err(error);
            }
            Err(MoveFailure::Unknown(error)) => return Err(error),
        }
        ctx.step(Step::Activated {
            deployment: id,
            previous,
        });
        let evidence = match trial {
            Some(trial) => {
                let back_to = deployments.back_to();
                let settlement = self.settlement(&created.deployment, back_to);
                let settled = settlement.settle(trial).await;
                Some(self.without_leftover(id, settled).await?)
            }
            None => None,
        };
        let pruned = match &request.prune {
            Some(policy) => self.prune(policy, previous).await,
            None => Vec::new(),
        };
        Ok(Redeployed::Deployed {
            deployment: id.clone(),
            previous: previous.cloned(),
            digest: created.digest,
            verified: evidence.is_some(),
            evidence,
            pruned,
        })
    }

    fn settlement<'s>(
        &'s self,
        serves: &'s Deployment,
        back_to: Option<&'s DeploymentId>,
    ) -> Settlement<'s, A, V> {
        Settlement {
            account: self.account,
            verifier: self.verifier,
            api: &self.request.api.id,
            stage: &self.request.stage,
            serves,
            back_to,
            back_if_inconclusive: true,
            keeps: false,
            mark: self.request.mark,
            delete_failed: self.request.prune_failed,
            ctx: self.ctx,
        }
    }

    /// Deletes the deployment if another run moved the stage on. It was never verified, and no stage serves it.
    async fn without_leftover(
        &self,
        id: &DeploymentId,
        settled: Result<Evidence, DeployError>,
    ) -> Result<Evidence, DeployError> {
        if let Err(DeployError::Moved { .. }) = &settled {
            self.delete_unused(id).await;
        }
        settled
    }

    /// Deletes a deployment that no stage serves. If that fails, a note names the deployment: the run has another result
    /// to report.
    async fn delete_unused(&self, id: &DeploymentId) {
        // An interrupted run deletes what it created, too; a second signal ends it at once.
        let never = Interrupt::never();
        let ctx = self.ctx.with_interrupt(&never);
        let deleted = ctx.call(|| self.account.delete_deployment(&self.request.api.id, id));
        match deleted.await {
            Ok(()) => {}
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
            Err(error) => ctx.step(Step::LeftOut {
                what: &format!("deleting deployment {id}, which no stage serves,"),
                reason: &error.to_string(),
            }),
        }
    }

    /// Deletes older deployments. The stage is where it should be, so a failure here is a note.
    async fn prune(&self, policy: &Policy, previous: Option<&DeploymentId>) -> Vec<DeploymentId> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
        let pruned = prune::apply(account, api, policy, previous, ctx).await;
        pruned.unwrap_or_else(|error| {
            let reason = error.to_string();
            ctx.step(Step::LeftOut {
                what: "pruning",
                reason: &reason,
            });
            Vec::new()
        })
    }
}

/// What [`redeploy`] would do. Changes nothing.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn plan(
    account: &impl Account,
    request: &Redeploy,
    ctx: OperationContext<'_>,
) -> Result<Plan, DeployError> {
    let api = &request.api.id;
    let place = ctx.read(|| account.account_region()).await?;
    let stage = require_manual_stage(account, api, &request.stage, ctx).await?;
    let description = ApiDescription::read(account, api, ctx).await?;
    let wiring = description.wiring(&place);
    let pinned = (request.release == Some(Release::Pinned)).then_some((&description, &place));
    let code = code::plan(account, &request.code, pinned, ctx).await?;
    let all = ctx.read(|| account.deployments(api)).await?;
    let served = served(&stage, &all);
    let publishes = code.iter().any(|plan| matches!(plan, CodePlan::Publish(_)));
    let metadata = served.and_then(Deployment::metadata);
    let tried = metadata.as_ref().is_some_and(DeploymentMetadata::passed) && code.is_empty();
    let current = served.is_some_and(|served| is_current(served, &wiring)) && !publishes;
    Ok(Plan {
        code,
        served: stage.deployment.clone(),
        served_digest: metadata.as_ref().map(|metadata| metadata.digest.clone()),
        digest: wiring.digest,
        deploys: request.force || !current,
        tries: request.verify.is_some() && !(current && tried),
    })
}

fn served<'a>(stage: &Stage, all: &'a [Deployment]) -> Option<&'a Deployment> {
    let id = stage.deployment.as_ref()?;
    all.iter().find(|deployment| deployment.id == *id)
}

/// True if the description of a deployment has this digest, and its last trial did not fail.
pub(crate) fn is_current(deployment: &Deployment, wiring: &Wiring) -> bool {
    let metadata = deployment.metadata();
    metadata.is_some_and(|metadata| metadata.digest == wiring.digest && !metadata.failed())
}
