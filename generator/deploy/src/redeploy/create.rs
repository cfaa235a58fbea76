//! Creating a deployment whose digest is known.

use stackgen_model::SnapshotDigest;

use super::Redeployment;
use crate::account::{AccountRegion, ApiDescription, ApiWiring};
use crate::progress::{DeployStep, Interrupt};
use crate::retry::MOST_STALE_READS;
use crate::{
    Account, AccountErrorKind, DeployError, DeploymentId, DeploymentInfo, DeploymentMetadata,
    DeploymentState,
};

/// The largest number of deployments to create if the API keeps changing.
const MOST_CREATED: usize = 3;

/// A deployment that a stage can serve, and its digest.
pub(super) struct CreatedDeployment {
    pub(super) deployment: DeploymentInfo,
    pub(super) digest: SnapshotDigest,
}

impl<A: Account> Redeployment<'_, A> {
    /// Creates a deployment and waits until a stage can serve it. No stage moves.
    ///
    /// API Gateway does not return the snapshot of a deployment. So the API is read before and after: if both digests are
    /// equal, it is the deployment's. Otherwise the deployment is deleted and another one is created.
    pub(super) async fn create(
        &self,
        region: &AccountRegion,
        mut wiring: ApiWiring,
        previous: Option<&DeploymentId>,
    ) -> Result<CreatedDeployment, DeployError> {
        let (request, ctx) = (self.request, self.ctx);
        for _ in 0..MOST_CREATED {
            ctx.step(DeployStep::Creating);
            let metadata = DeploymentMetadata {
                git: Some(request.git.clone()),
                environment: request.environment.clone(),
                run: Some(request.run.clone()),
                previous: previous.cloned(),
                calls: Some(wiring.calls.clone()),
                ..DeploymentMetadata::new(wiring.digest.clone())
            };
            let description = metadata.to_string();
            let created = match self.create_with_retry(&description).await {
                Ok(created) => created,
                Err(error) => {
                    self.delete_described(&description).await;
                    return Err(error);
                }
            };
            let after = match self.wiring_after(region, &created, &wiring.digest).await {
                Ok(after) => after,
                Err(error) => {
                    self.delete_unused(&created.id).await;
                    return Err(error);
                }
            };
            if after.digest == wiring.digest {
                return Ok(CreatedDeployment {
                    deployment: DeploymentInfo {
                        status: DeploymentState::Deployed,
                        description: Some(description),
                        ..created
                    },
                    digest: wiring.digest,
                });
            }
            ctx.step(DeployStep::ApiChanged {
                deployment: &created.id,
            });
            self.delete_unused(&created.id).await;
            wiring = after;
        }
        Err(DeployError::KeepsChanging {
            api: request.api.id.clone(),
            times: MOST_CREATED,
        })
    }

    /// Waits until a deployment is DEPLOYED, and reads the API again.
    async fn wiring_after(
        &self,
        region: &AccountRegion,
        created: &DeploymentInfo,
        expected: &SnapshotDigest,
    ) -> Result<ApiWiring, DeployError> {
        let (account, ctx) = (self.account, self.ctx);
        self.wait_until_deployed(created.clone()).await?;
        ctx.step(DeployStep::Created {
            deployment: &created.id,
        });
        let api = &self.request.api.id;
        let mut wiring = ApiDescription::read(account, api, ctx)
            .await?
            .wiring(region);
        // A read may show an earlier state, so a difference counts if the next read shows it too.
        for _ in 0..MOST_STALE_READS {
            if wiring.digest == *expected {
                break;
            }
            ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
            let again = ApiDescription::read(account, api, ctx).await?;
            let again = again.wiring(region);
            if again.digest == wiring.digest {
                break;
            }
            wiring = again;
        }
        Ok(wiring)
    }

    /// Deletes a deployment that a call without an answer may have created. If deployments cannot be listed, nothing is
    /// deleted: the error of that call matters more.
    async fn delete_described(&self, description: &str) {
        let (account, api, never) = (self.account, &self.request.api.id, Interrupt::never());
        let ctx = self.ctx.with_interrupt(&never);
        let all = ctx.read(|| account.deployments(api)).await;
        for one in all.unwrap_or_default() {
            if one.description.as_deref() == Some(description) {
                self.delete_unused(&one.id).await;
            }
        }
    }

    /// Calls CreateDeployment at the allowed rate (row D15). After an error, looks for a deployment with this description,
    /// which names the run: the call may have taken effect.
    async fn create_with_retry(&self, description: &str) -> Result<DeploymentInfo, DeployError> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
        let mut retries = ctx.create_retries();
        loop {
            ctx.interrupt.check()?;
            let error = match account.create_deployment(api, description).await {
                Ok(created) => return Ok(created),
                Err(error) => error,
            };
            if let Some(ours) = self.find_described(description).await? {
                return Ok(ours);
            }
            if !retries.allow(&error) {
                return Err(error.into());
            }
            retries.wait(&error).await?;
            // A new deployment may not be visible at once.
            if let Some(ours) = self.find_described(description).await? {
                return Ok(ours);
            }
        }
    }

    /// Returns the deployment with a description.
    async fn find_described(
        &self,
        description: &str,
    ) -> Result<Option<DeploymentInfo>, DeployError> {
        let (account, api) = (self.account, &self.request.api.id);
        let all = self.ctx.read(|| account.deployments(api)).await?;
        let mut all = all.into_iter();
        Ok(all.find(|one| one.description.as_deref() == Some(description)))
    }

    /// Waits until a deployment is DEPLOYED.
    async fn wait_until_deployed(&self, mut deployment: DeploymentInfo) -> Result<(), DeployError> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
        let started = tokio::time::Instant::now();
        loop {
            match deployment.status {
                DeploymentState::Deployed => return Ok(()),
                DeploymentState::Failed => {
                    return Err(DeployError::DeploymentFailed {
                        id: deployment.id,
                        message: deployment
                            .message
                            .unwrap_or_else(|| "no reason is given".to_owned()),
                    });
                }
                DeploymentState::Pending if started.elapsed() >= ctx.retry.deployment_timeout => {
                    return Err(DeployError::DeploymentTimedOut {
                        id: deployment.id,
                        after: ctx.retry.deployment_timeout,
                    });
                }
                DeploymentState::Pending => ctx.interrupt.sleep(ctx.retry.poll_interval).await?,
            }
            match ctx.read(|| account.deployment(api, &deployment.id)).await {
                Ok(found) => deployment = found,
                // A new deployment may not be visible everywhere yet.
                Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
}
