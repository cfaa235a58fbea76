//! The steps of a redeploy.

use std::collections::BTreeMap;

use super::served::StageDeployments;
use super::{RedeployOutcome, RedeployPlan, RedeployRequest};
use crate::account::{AccountRegion, ApiDescription, ApiWiring};
use crate::code::{self, CodePlan, PinnedApi, ReleaseMode};
use crate::progress::{DeployStep, Interrupt};
use crate::prune::{self, PrunePolicy};
use crate::retry::{MOST_STALE_READS, OperationContext};
use crate::stage_move::{MoveFailure, StageMove};
use crate::verify::{
    DeploymentOrigin, StageCheck, StageVerifier, VerifyEvidence, clear_record, write_description,
};
use crate::{
    Account, AccountErrorKind, DeployError, DeploymentId, DeploymentInfo, DeploymentMetadata,
    FunctionName, StageClient,
};

/// A redeploy of a stage, planned or run.
pub(super) struct Redeployment<'a, A> {
    pub(super) account: &'a A,
    pub(super) request: &'a RedeployRequest,
    pub(super) ctx: OperationContext<'a>,
}

/// The API and its stage as a redeploy finds them.
struct StartState {
    region: AccountRegion,
    description: ApiDescription,
    auto_deploy: bool,
    deployments: StageDeployments,
}

impl StartState {
    fn served_metadata(&self) -> Option<DeploymentMetadata> {
        self.deployments.served().and_then(DeploymentInfo::metadata)
    }
}

impl<A: Account> Redeployment<'_, A> {
    pub(super) async fn plan(&self) -> Result<RedeployPlan, DeployError> {
        let start = self.read().await?;
        let wiring = start.description.wiring(&start.region);
        let pinned = self.is_pinned().then_some(PinnedApi {
            description: &start.description,
            region: &start.region,
        });
        let code = code::plan(self.account, &self.request.code, pinned, self.ctx).await?;
        let metadata = start.served_metadata();
        let is_verified = code.is_empty()
            && metadata
                .as_ref()
                .is_some_and(DeploymentMetadata::is_verified);
        let auto_deploy = start.auto_deploy;
        let publishes = code.iter().any(|plan| matches!(plan, CodePlan::Publish(_)));
        let deploys =
            !auto_deploy && (publishes || self.current(&start.deployments, &wiring).is_none());
        Ok(RedeployPlan {
            code,
            served: start.deployments.served_id,
            served_digest: metadata.map(|metadata| metadata.digest),
            digest: wiring.digest,
            deploys,
            auto_deploy,
            // Without a description of stackgen, a verification is not recorded.
            verifies: self.request.verify.is_some() && (deploys || auto_deploy || !is_verified),
        })
    }

    pub(super) async fn run(
        &self,
        client: &impl StageClient,
    ) -> Result<RedeployOutcome, DeployError> {
        let start = self.read().await?;
        // Everything that can be refused comes before the first change.
        let verifier = self.verifier(&start.description).await?;
        let updated = self.send_code(&start.deployments).await?;
        if start.auto_deploy {
            return self
                .finish_auto_deploy(updated, verifier.as_ref(), client)
                .await;
        }
        let sent = !updated.is_empty();
        let wiring = self.update_wiring(&start, sent).await?;
        let metadata = start.served_metadata();
        self.report_wiring(&wiring, metadata.as_ref());
        match self.current(&start.deployments, &wiring) {
            Some(served) => {
                let adopted = self.adopt(served, &wiring).await;
                let served = adopted.as_ref().unwrap_or(served);
                let is_verified = metadata.is_some_and(|found| found.is_verified()) && !sent;
                let verifier = verifier.as_ref().filter(|_| !is_verified);
                let check = self.check(
                    served,
                    DeploymentOrigin::Served,
                    start.deployments.back_from(served, &self.request.back_to),
                );
                let evidence = match verifier {
                    Some(verifier) => Some(check.run(verifier, client).await?),
                    None => None,
                };
                Ok(RedeployOutcome::Current {
                    deployment: served.id.clone(),
                    digest: wiring.digest,
                    created_by: served.created_by(),
                    verified: is_verified || evidence.is_some(),
                    evidence,
                })
            }
            None => self.deploy(start, wiring, verifier.as_ref(), client).await,
        }
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.request.release == Some(ReleaseMode::Pinned)
    }

    /// Reads what plan and run start from.
    async fn read(&self) -> Result<StartState, DeployError> {
        let (account, ctx) = (self.account, self.ctx);
        let api = &self.request.api.id;
        let region = ctx.read(|| account.account_region()).await?;
        let stage = self.releasable_stage().await?;
        let description = ApiDescription::read(account, api, ctx).await?;
        let all = ctx.read(|| account.deployments(api)).await?;
        Ok(StartState {
            region,
            description,
            auto_deploy: stage.auto_deploy,
            deployments: StageDeployments {
                all,
                served_id: stage.deployment,
            },
        })
    }

    /// Returns the deployment that makes a new one unnecessary.
    fn current<'s>(
        &self,
        deployments: &'s StageDeployments,
        wiring: &ApiWiring,
    ) -> Option<&'s DeploymentInfo> {
        let of_update = || deployments.of_update(self.request.updated.as_ref()?, wiring);
        let current = deployments.current(wiring).or_else(of_update);
        current.filter(|_| !self.request.force)
    }

    /// Adds the account's digest and the called versions to the description of a deployment from a template, unless it has the
    /// account's digest. If the description cannot be written, the next run deploys again.
    async fn adopt(&self, served: &DeploymentInfo, wiring: &ApiWiring) -> Option<DeploymentInfo> {
        let metadata = served.metadata()?;
        if metadata.has_digest(&wiring.digest) {
            return None;
        }
        let metadata = DeploymentMetadata {
            account: Some(wiring.digest.clone()),
            calls: Some(wiring.calls.clone()),
            ..metadata
        };
        let what = "recording the account's digest in the deployment's description";
        let (api, id) = (&self.request.api.id, &served.id);
        write_description(self.account, api, id, &metadata, what, self.ctx).await;
        Some(DeploymentInfo {
            description: Some(metadata.to_string()),
            ..served.clone()
        })
    }

    /// Returns the verifier of the stage, if the stage is to be verified.
    async fn verifier(
        &self,
        description: &ApiDescription,
    ) -> Result<Option<StageVerifier>, DeployError> {
        let RedeployRequest { api, stage, .. } = self.request;
        let Some(request) = &self.request.verify else {
            return Ok(None);
        };
        let (account, ctx) = (self.account, self.ctx);
        let verifier = StageVerifier::resolve(account, api, stage, request, description, ctx);
        verifier.await.map(Some)
    }

    /// Sends code that differs. Returns its functions. Code behind an unqualified ARN is live at once (row D2), so the
    /// record of an earlier verification is cleared first.
    async fn send_code(
        &self,
        deployments: &StageDeployments,
    ) -> Result<Vec<FunctionName>, DeployError> {
        let (account, request, ctx) = (self.account, self.request, self.ctx);
        if let Some(served) = deployments.served().filter(|_| !self.is_pinned())
            && !code::find_differing(account, &request.code, ctx)
                .await?
                .is_empty()
        {
            clear_record(account, &request.api.id, served, ctx).await?;
        }
        code::send(account, &request.code, ctx).await
    }

    /// Publishes versions in a pinned release, and returns the wiring after all changes.
    async fn update_wiring(
        &self,
        start: &StartState,
        sent: bool,
    ) -> Result<ApiWiring, DeployError> {
        let (account, ctx, api) = (self.account, self.ctx, &self.request.api.id);
        let region = &start.region;
        let mut versions = BTreeMap::new();
        if self.is_pinned() {
            versions = code::pin(account, api, region, &self.request.code, ctx).await?;
        }
        if !sent && !self.is_pinned() {
            return Ok(start.description.wiring(region));
        }
        // A changed integration may not be visible at once.
        for _ in 0..MOST_STALE_READS {
            let changed = ApiDescription::read(account, api, ctx).await?;
            if code::invokes(&changed, region, &versions) {
                return Ok(changed.wiring(region));
            }
            ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
        }
        let changed = ApiDescription::read(account, api, ctx).await?;
        Ok(changed.wiring(region))
    }

    fn report_wiring(&self, wiring: &ApiWiring, served: Option<&DeploymentMetadata>) {
        let served = served.map(|metadata| metadata.digest.to_string());
        self.ctx.step(DeployStep::WiringRead {
            routes: wiring.routes,
            digest: &wiring.digest.to_string(),
            served: served.as_deref(),
        });
    }

    /// Creates a deployment, moves the stage to it, and verifies the stage.
    async fn deploy(
        &self,
        start: StartState,
        wiring: ApiWiring,
        verifier: Option<&StageVerifier>,
        client: &impl StageClient,
    ) -> Result<RedeployOutcome, DeployError> {
        let deployments = &start.deployments;
        let previous = deployments.served_id.as_ref();
        let created = self.create(&start.region, wiring, previous).await?;
        let id = &created.deployment.id;
        self.activate(id, previous).await?;
        let origin = DeploymentOrigin::CreatedDeployment {
            delete_failed: self.request.prune_failed,
        };
        let check = self.check(&created.deployment, origin, self.back_to(deployments));
        let evidence = match verifier {
            Some(verifier) => Some(self.verify(&check, verifier, client).await?),
            None => None,
        };
        let pruned = match &self.request.prune {
            Some(policy) => {
                let used: Vec<_> = previous.into_iter().chain([id]).collect();
                self.prune(policy, &used).await
            }
            None => Vec::new(),
        };
        Ok(RedeployOutcome::Deployed {
            deployment: id.clone(),
            previous: previous.cloned(),
            digest: created.digest,
            verified: evidence.is_some(),
            evidence,
            pruned,
        })
    }

    /// Returns the deployment to go back to from a new one.
    fn back_to<'s>(&'s self, deployments: &'s StageDeployments) -> Option<&'s DeploymentId> {
        let served = deployments.served();
        let known = served.and_then(|served| deployments.back_from(served, &self.request.back_to));
        known.or_else(|| deployments.back_to())
    }

    /// Moves the stage to a new deployment. Deletes the deployment if the stage does not serve it.
    async fn activate(
        &self,
        id: &DeploymentId,
        previous: Option<&DeploymentId>,
    ) -> Result<(), DeployError> {
        if let Err(interrupted) = self.ctx.interrupt.check() {
            self.delete_unused(id).await;
            return Err(interrupted);
        }
        let stage_move = StageMove {
            api: &self.request.api.id,
            stage: &self.request.stage,
            from: previous,
            to: id,
        };
        match stage_move.run(self.account, self.ctx).await {
            Ok(()) => {}
            Err(MoveFailure::NotMoved(error)) => {
                self.delete_unused(id).await;
                return Err(error);
            }
            Err(MoveFailure::Unknown(error)) => return Err(error),
        }
        self.ctx.step(DeployStep::Activated {
            deployment: id,
            previous,
        });
        Ok(())
    }

    pub(super) fn check<'s>(
        &'s self,
        serves: &'s DeploymentInfo,
        origin: DeploymentOrigin,
        back_to: Option<&'s DeploymentId>,
    ) -> StageCheck<'s, A> {
        StageCheck {
            account: self.account,
            api: &self.request.api.id,
            stage: &self.request.stage,
            serves,
            origin,
            back_to,
            mark: self.request.mark,
            ctx: self.ctx,
        }
    }

    /// Verifies a new deployment. Deletes it if another run moved the stage: it was never verified, and no stage serves it.
    async fn verify(
        &self,
        check: &StageCheck<'_, A>,
        verifier: &StageVerifier,
        client: &impl StageClient,
    ) -> Result<VerifyEvidence, DeployError> {
        let evidence = check.run(verifier, client).await;
        if let Err(DeployError::Moved { .. }) = &evidence {
            self.delete_unused(&check.serves.id).await;
        }
        evidence
    }

    /// Deletes a deployment that no stage serves, even after an interrupt: a second signal ends the process at once. A
    /// failure is only reported, because the run has another result.
    pub(super) async fn delete_unused(&self, id: &DeploymentId) {
        let (account, api, never) = (self.account, &self.request.api.id, Interrupt::never());
        let ctx = self.ctx.with_interrupt(&never);
        match ctx.call(|| account.delete_deployment(api, id)).await {
            Ok(()) => {}
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
            Err(error) => ctx.step(DeployStep::Skipped {
                what: &format!("deleting deployment {id}, which no stage serves"),
                reason: &error.to_string(),
            }),
        }
    }

    /// Deletes older deployments. The stage serves the new deployment already, so a failure is only reported.
    async fn prune(&self, policy: &PrunePolicy, used: &[&DeploymentId]) -> Vec<DeploymentId> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
        let pruned = prune::prune(account, api, policy, used, ctx).await;
        pruned.unwrap_or_else(|error| {
            let reason = error.to_string();
            ctx.step(DeployStep::Skipped {
                what: "pruning",
                reason: &reason,
            });
            Vec::new()
        })
    }
}
