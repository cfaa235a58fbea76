//! Redeploying a stage under AutoDeploy: API Gateway creates its deployments and activates them (rows D4, D5).

use super::{RedeployOutcome, Redeployment};
use crate::progress::DeployStep;
use crate::prune::newest_first;
use crate::verify::{DeploymentOrigin, StageVerifier};
use crate::{
    Account, DeployError, DeploymentInfo, DeploymentState, FunctionName, StageClient, StageInfo,
};

/// The state of a stage's automatic deployment.
#[derive(Debug, PartialEq, Eq)]
enum AutoDeployState<'a> {
    /// The stage serves its newest deployment.
    Settled(&'a DeploymentInfo),
    /// API Gateway is not done yet.
    Waiting(String),
    /// API Gateway could not deploy the API.
    Failed(String),
}

impl<A: Account> Redeployment<'_, A> {
    /// Returns the stage, which may be under AutoDeploy if the release is not pinned.
    pub(super) async fn releasable_stage(&self) -> Result<StageInfo, DeployError> {
        let (account, api, name) = (self.account, &self.request.api.id, &self.request.stage);
        let stage = self.ctx.read(|| account.stage(api, name)).await?;
        // A pinned release changes integrations one by one, and AutoDeploy would serve each change at once.
        match stage.auto_deploy && self.is_pinned() {
            true => Err(DeployError::PinnedAutoDeploy {
                api: api.clone(),
                stage: name.clone(),
            }),
            false => Ok(stage),
        }
    }

    /// Waits until API Gateway has deployed the stage, and verifies it.
    pub(super) async fn finish_auto_deploy(
        &self,
        updated: Vec<FunctionName>,
        verifier: Option<&StageVerifier>,
        client: &impl StageClient,
    ) -> Result<RedeployOutcome, DeployError> {
        let deployment = self.wait_for_auto_deploy().await?;
        let evidence = match verifier {
            Some(verifier) => {
                let check = self.check(&deployment, DeploymentOrigin::AutoDeployed, None);
                Some(check.run(verifier, client).await?)
            }
            None => None,
        };
        Ok(RedeployOutcome::AutoDeployed {
            deployment: deployment.id,
            updated,
            verified: evidence.is_some(),
            evidence,
        })
    }

    /// Waits until the stage serves its newest deployment. A change of the API that API Gateway has not begun to deploy
    /// is not waited for: nothing in the account shows it.
    async fn wait_for_auto_deploy(&self) -> Result<DeploymentInfo, DeployError> {
        let (account, api, ctx) = (self.account, &self.request.api.id, self.ctx);
        let stage = &self.request.stage;
        let started = tokio::time::Instant::now();
        loop {
            // Stages before deployments: a deployment that a stage came to serve in between is in the list.
            let stages = ctx.read(|| account.stages(api)).await?;
            let deployments = ctx.read(|| account.deployments(api)).await?;
            let found = stages.iter().find(|one| one.name == *stage);
            let found = found.ok_or_else(|| DeployError::NoStage {
                api: api.clone(),
                stage: Some(stage.clone()),
                stages: stages.iter().map(|one| one.name.clone()).collect(),
            })?;
            let reason = match state(found, &stages, &deployments) {
                AutoDeployState::Settled(deployment) => return Ok(deployment.clone()),
                AutoDeployState::Failed(message) => {
                    let stage = stage.clone();
                    return Err(DeployError::AutoDeployFailed { stage, message });
                }
                AutoDeployState::Waiting(reason) => reason,
            };
            if started.elapsed() >= ctx.retry.deployment_timeout {
                return Err(DeployError::AutoDeployTimedOut {
                    stage: stage.clone(),
                    reason,
                    after: ctx.retry.deployment_timeout,
                });
            }
            ctx.step(DeployStep::AwaitingAutoDeploy { stage });
            ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
        }
    }
}

/// Returns the state of a stage. Deployments that are newer than the one that it serves are on their way to it, unless
/// another stage serves them or a person or a tool created them.
fn state<'a>(
    stage: &StageInfo,
    stages: &[StageInfo],
    deployments: &'a [DeploymentInfo],
) -> AutoDeployState<'a> {
    let serves = |stage: &StageInfo, deployment: &DeploymentInfo| {
        stage.deployment.as_ref() == Some(&deployment.id)
    };
    let newest = newest_first(deployments).into_iter().find(|deployment| {
        let is_elsewhere = stages.iter().any(|other| serves(other, deployment));
        serves(stage, deployment) || deployment.auto_deployed && !is_elsewhere
    });
    let failure = || stage.auto_deploy_failure().map(str::to_owned);
    let Some(newest) = newest else {
        return match failure() {
            Some(message) => AutoDeployState::Failed(message),
            None => AutoDeployState::Waiting("there is no deployment".to_owned()),
        };
    };
    let id = &newest.id;
    match newest.status {
        DeploymentState::Pending => AutoDeployState::Waiting(format!("deployment {id} is PENDING")),
        DeploymentState::Failed => {
            let message = newest.message.clone().or_else(failure);
            AutoDeployState::Failed(message.unwrap_or_else(|| format!("deployment {id} failed")))
        }
        DeploymentState::Deployed => match failure() {
            Some(message) => AutoDeployState::Failed(message),
            None if serves(stage, newest) => AutoDeployState::Settled(newest),
            None => AutoDeployState::Waiting(format!("the stage does not serve deployment {id}")),
        },
    }
}
