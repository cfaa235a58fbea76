//! Makes a stage serve what the account holds.

mod create;

use serde::Serialize;
use stackgen_model::SnapshotDigest;

use crate::account::{AccountRegion, Wiring};
use crate::code::{self, BuiltCode, CodePlan, Release};
use crate::error::NotVerified;
use crate::pointer::{move_stage, require_manual_stage};
use crate::progress::{Interrupt, Step};
use crate::prune::{self, Policy};
use crate::retry::OperationContext;
use crate::verify::{self, Evidence, Expectation};
use crate::{
    Account, Api, CreatedBy, DeployError, Deployment, DeploymentId, DeploymentMetadata, Stage,
    StageName, Verify,
};

/// What to redeploy, and how.
#[derive(Clone, Debug)]
pub struct Redeploy {
    /// The API.
    pub api: Api,
    /// Its stage.
    pub stage: StageName,
    /// The commit that is deployed, for the deployment's description.
    pub git: String,
    /// The environment of the stack.
    pub environment: Option<String>,
    /// Code that was built; of functions that are not named here, the code is left alone.
    pub code: Vec<BuiltCode>,
    /// Whether versions are published and called. `None` leaves what the API calls as it is.
    pub release: Option<Release>,
    /// Deploy although the stage serves the same already.
    pub force: bool,
    /// Try the stage afterwards; with statuses that are fine for this API.
    pub verify: Option<Vec<u16>>,
    /// Delete a deployment that did not answer as it should, instead of keeping it to look at.
    pub prune_failed: bool,
    /// Which older deployments are deleted in the end.
    pub prune: Option<Policy>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Redeployed {
    /// The stage serves just this already.
    Current {
        /// What it serves.
        deployment: DeploymentId,
        /// What that froze.
        digest: SnapshotDigest,
        /// Who made it. Of CloudFormation's, a route that was removed in the same update may linger (row D20).
        maker: CreatedBy,
    },
    /// The stage serves a new deployment.
    Deployed {
        /// What it serves.
        deployment: DeploymentId,
        /// What it served before.
        previous: Option<DeploymentId>,
        /// What the new one froze.
        digest: SnapshotDigest,
        /// What was seen, if it was tried.
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
}

/// Makes the stage serve what the account holds. Whatever fails, and wherever: the stage serves a complete deployment,
/// the old one or the new one, and running it again goes on from there.
///
/// # Errors
///
/// See [`DeployError`]. With [`DeployError::NotVerified`] the previous deployment is served again.
pub async fn redeploy(
    account: &impl Account,
    verifier: &impl Verify,
    request: &Redeploy,
    ctx: OperationContext<'_>,
) -> Result<Redeployed, DeployError> {
    let api = &request.api.id;
    let place = ctx.call(|| account.place()).await?;
    // Before anything is changed: under AutoDeploy it would go live by and by.
    let stage = require_manual_stage(account, api, &request.stage, ctx).await?;
    code::send(account, &request.code, ctx).await?;
    if request.release == Some(Release::Pinned) {
        code::pin(account, api, &place, ctx).await?;
    }
    let (wiring, guarded) = wiring(account, request, &place, ctx).await?;
    let all = ctx.call(|| account.deployments(api)).await?;
    let served = served(&stage, &all);
    let label = served.and_then(Deployment::label);
    ctx.step(Step::Described {
        routes: wiring.routes,
        digest: &wiring.digest.to_string(),
        served: label
            .as_ref()
            .map(|label| label.digest.to_string())
            .as_deref(),
    });
    if let Some(served) = served.filter(|served| !request.force && is_current(served, &wiring)) {
        return Ok(Redeployed::Current {
            deployment: served.id.clone(),
            digest: wiring.digest,
            maker: served.maker(),
        });
    }
    let (deployment, digest) = create::create(account, request, &place, wiring, ctx).await?;
    if let Err(interrupted) = ctx.interrupt.check() {
        create::forget(account, request, &deployment, &interrupted).await;
        return Err(interrupted);
    }
    let ends = (stage.deployment.as_ref(), &deployment);
    move_stage(account, api, &request.stage, ends, ctx).await?;
    ctx.step(Step::Activated {
        deployment: &deployment,
        previous: stage.deployment.as_ref(),
    });
    let evidence = verified(account, verifier, request, guarded, ends, ctx).await?;
    let pruned = match &request.prune {
        Some(policy) => prune_quietly(account, request, policy, ends.0, ctx).await,
        None => Vec::new(),
    };
    Ok(Redeployed::Deployed {
        deployment: deployment.clone(),
        previous: stage.deployment.clone(),
        digest,
        evidence,
        pruned,
    })
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
    let place = ctx.call(|| account.place()).await?;
    let stage = require_manual_stage(account, api, &request.stage, ctx).await?;
    let description = ctx.call(|| account.describe(api)).await?;
    let wiring = description.wiring(&place);
    let pinned = (request.release == Some(Release::Pinned)).then_some((&description, &place));
    let code = code::plan(account, &request.code, pinned, ctx).await?;
    let all = ctx.call(|| account.deployments(api)).await?;
    let served = served(&stage, &all);
    let publishes = code.iter().any(|plan| matches!(plan, CodePlan::Publish(_)));
    let current = served.is_some_and(|served| is_current(served, &wiring)) && !publishes;
    Ok(Plan {
        code,
        served: stage.deployment.clone(),
        served_digest: served.and_then(Deployment::label).map(|label| label.digest),
        digest: wiring.digest,
        deploys: request.force || !current,
    })
}

fn served<'a>(stage: &Stage, all: &'a [Deployment]) -> Option<&'a Deployment> {
    let id = stage.deployment.as_ref()?;
    all.iter().find(|deployment| deployment.id == *id)
}

/// True when a deployment says that it froze just this.
pub(crate) fn is_current(deployment: &Deployment, wiring: &Wiring) -> bool {
    let label = deployment.label();
    label.is_some_and(|label| label.digest == wiring.digest && !label.failed)
}

/// What a deployment would freeze, and whether `$connect` is guarded.
async fn wiring(
    account: &impl Account,
    request: &Redeploy,
    place: &AccountRegion,
    ctx: OperationContext<'_>,
) -> Result<(Wiring, bool), DeployError> {
    let description = ctx.call(|| account.describe(&request.api.id)).await?;
    Ok((description.wiring(place), description.connect_is_guarded()))
}

/// What a deployment says of itself.
fn label(request: &Redeploy, digest: &SnapshotDigest, failed: bool) -> DeploymentMetadata {
    DeploymentMetadata {
        digest: digest.clone(),
        git: Some(request.git.clone()),
        environment: request.environment.clone(),
        failed,
    }
}

/// Tries the stage, and goes back when it does not answer as it should.
async fn verified(
    account: &impl Account,
    verifier: &impl Verify,
    request: &Redeploy,
    guarded: bool,
    (previous, deployment): (Option<&DeploymentId>, &DeploymentId),
    ctx: OperationContext<'_>,
) -> Result<Option<Evidence>, DeployError> {
    let Some(also) = &request.verify else {
        return Ok(None);
    };
    let Some(url) = request.api.url(&request.stage) else {
        let reason = "only a custom domain reaches the API";
        ctx.step(Step::LeftOut {
            what: "verification",
            reason,
        });
        return Ok(None);
    };
    let expectation = Expectation {
        url,
        guarded,
        also: also.clone(),
    };
    let tries = &ctx.retry.tries;
    let tried = verify::verify(verifier, &expectation, tries, ctx.steps, ctx.interrupt).await;
    match tried.map_err(|_| DeployError::NotTried {
        stage: request.stage.clone(),
        deployment: deployment.clone(),
        previous: previous.cloned(),
    })? {
        Ok(evidence) => Ok(Some(evidence)),
        Err(evidence) => {
            // Going back is not interrupted.
            let never = Interrupt::never();
            let ctx = OperationContext {
                interrupt: &never,
                ..ctx
            };
            Err(go_back(account, request, evidence, (previous, deployment), ctx).await)
        }
    }
}

async fn go_back(
    account: &impl Account,
    request: &Redeploy,
    evidence: Evidence,
    (previous, failed): (Option<&DeploymentId>, &DeploymentId),
    ctx: OperationContext<'_>,
) -> DeployError {
    let (api, stage) = (&request.api.id, &request.stage);
    let mut error = NotVerified {
        stage: stage.clone(),
        failed: failed.clone(),
        evidence,
        restored: None,
        not_restored: None,
        pruned: false,
    };
    let Some(previous) = previous else {
        return DeployError::NotVerified(Box::new(error));
    };
    match move_stage(account, api, stage, (Some(failed), previous), ctx).await {
        // Somebody else has moved it on; theirs to look after.
        Err(moved @ DeployError::Moved { .. }) => return moved,
        Err(reason) => error.not_restored = Some(reason.to_string()),
        Ok(()) => {
            ctx.step(Step::Restored {
                deployment: previous,
            });
            error.restored = Some(previous.clone());
            error.pruned = retire(account, request, failed, ctx).await;
        }
    }
    DeployError::NotVerified(Box::new(error))
}

/// Deletes a deployment that failed, or marks it so that nothing goes back to it. Neither is worth failing for.
async fn retire(
    account: &impl Account,
    request: &Redeploy,
    failed: &DeploymentId,
    ctx: OperationContext<'_>,
) -> bool {
    let api = &request.api.id;
    if request.prune_failed {
        return ctx.call(|| account.delete(api, failed)).await.is_ok();
    }
    let deployment = ctx.call(|| account.deployment(api, failed)).await;
    if let Some(found) = deployment.ok().and_then(|deployment| deployment.label()) {
        let marked = label(request, &found.digest, true).to_string();
        let _ = ctx
            .call(|| account.update_description(api, failed, &marked))
            .await;
    }
    false
}

/// Deletes older deployments. The stage is where it should be, so that a failure here is a note.
async fn prune_quietly(
    account: &impl Account,
    request: &Redeploy,
    policy: &Policy,
    previous: Option<&DeploymentId>,
    ctx: OperationContext<'_>,
) -> Vec<DeploymentId> {
    let pruned = prune::apply(account, &request.api.id, policy, previous, ctx).await;
    pruned.unwrap_or_else(|error| {
        let reason = error.to_string();
        ctx.step(Step::LeftOut {
            what: "pruning",
            reason: &reason,
        });
        Vec::new()
    })
}
