//! Making a deployment that holds what its description says.

use stackgen_model::SnapshotDigest;

use super::Redeployment;
use crate::account::{AccountRegion, ApiDescription, Wiring};
use crate::progress::{Interrupt, Step};
use crate::{
    Account, AccountErrorKind, DeployError, Deployment, DeploymentId, DeploymentMetadata,
    DeploymentStatus, Verify,
};

/// The number of deployments that are made, at most, if the API changes meanwhile.
const TIMES: usize = 3;

/// A deployment that can be served, and the digest of what it holds.
pub(super) struct Created {
    pub(super) deployment: Deployment,
    pub(super) digest: SnapshotDigest,
}

impl<A: Account, V: Verify> Redeployment<'_, A, V> {
    /// Makes a deployment and waits until it can be served. No stage moves.
    ///
    /// Nobody can read what a deployment holds. So the API is read before and after: if both are the same, that is what
    /// it holds. If not, it is deleted and another one is made.
    pub(super) async fn create(
        &self,
        region: &AccountRegion,
        mut wanted: Wiring,
        previous: Option<&DeploymentId>,
    ) -> Result<Created, DeployError> {
        let (request, ctx) = (self.request, self.ctx);
        for _ in 0..TIMES {
            ctx.step(Step::Creating);
            let metadata = DeploymentMetadata {
                git: Some(request.git.clone()),
                environment: request.environment.clone(),
                run: Some(request.run.clone()),
                previous: previous.cloned(),
                ..DeploymentMetadata::new(wanted.digest.clone())
            };
            let description = metadata.to_string();
            let created = match self.create_with_retry(&description).await {
                Ok(created) => created,
                Err(error) => {
                    self.delete_described(&description).await;
                    return Err(error);
                }
            };
            let after = match self.finish(region, &created).await {
                Ok(after) => after,
                Err(error) => {
                    self.delete_unused(&created.id).await;
                    return Err(error);
                }
            };
            if after.digest == wanted.digest {
                return Ok(Created {
                    deployment: Deployment {
                        status: DeploymentStatus::Deployed,
                        description: Some(description),
                        ..created
                    },
                    digest: wanted.digest,
                });
            }
            ctx.step(Step::Changed {
                deployment: &created.id,
            });
            self.delete_unused(&created.id).await;
            wanted = after;
        }
        Err(DeployError::KeepsChanging {
            api: request.api.id.clone(),
            times: TIMES,
        })
    }

    /// Waits for a deployment, and reads the API again.
    async fn finish(
        &self,
        region: &AccountRegion,
        created: &Deployment,
    ) -> Result<Wiring, DeployError> {
        let (account, ctx) = (self.account, self.ctx);
        self.wait_until_deployed(created.clone()).await?;
        ctx.step(Step::Created {
            deployment: &created.id,
        });
        let description = ApiDescription::read(account, &self.request.api.id, ctx).await?;
        Ok(description.wiring(region))
    }

    /// Deletes a deployment that may have been made although no answer says so. That is not worth failing for.
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

    /// Calls CreateDeployment, not more often than allowed (row D15). After any failure, a deployment
    /// with this description, which names the run, is the one: a refusal may hide a call that took effect.
    async fn create_with_retry(&self, description: &str) -> Result<Deployment, DeployError> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
        let mut retries = ctx.create_retries();
        loop {
            ctx.interrupt.check()?;
            let error = match account.create_deployment(api, description).await {
                Ok(created) => return Ok(created),
                Err(error) => error,
            };
            let now = ctx.read(|| account.deployments(api)).await?;
            let mut ours = now.into_iter();
            let ours = ours.find(|one| one.description.as_deref() == Some(description));
            if let Some(ours) = ours {
                return Ok(ours);
            }
            if !retries.allow(&error) {
                return Err(error.into());
            }
            retries.wait(&error).await?;
        }
    }

    /// Waits until a deployment is DEPLOYED.
    async fn wait_until_deployed(&self, mut deployment: Deployment) -> Result<(), DeployError> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
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
                DeploymentStatus::Pending if started.elapsed() >= ctx.retry.deployment_timeout => {
                    return Err(DeployError::DeploymentTimedOut {
                        id: deployment.id,
                        after: ctx.retry.deployment_timeout,
                    });
                }
                DeploymentStatus::Pending => ctx.interrupt.sleep(ctx.retry.poll_interval).await?,
            }
            match ctx.read(|| account.deployment(api, &deployment.id)).await {
                Ok(found) => deployment = found,
                // What was just made may not be seen everywhere yet.
                Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
}
