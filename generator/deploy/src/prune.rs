//! Deleting old deployments, and choosing the one to roll back to.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::progress::DeployStep;
use crate::retry::OperationContext;
use crate::{
    Account, AccountErrorKind, ApiId, CreatedBy, DeployError, DeploymentId, DeploymentInfo,
    DeploymentState, StageInfo,
};

/// Limits of pruning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrunePolicy {
    /// Number of the newest deployments to keep, of those that may be deleted.
    pub keep: usize,
    /// True if deployments that CloudFormation created from templates of stackgen may be deleted.
    pub templates: bool,
    /// True if deployments of any origin may be deleted.
    pub all: bool,
}

impl Default for PrunePolicy {
    fn default() -> Self {
        PrunePolicy {
            keep: 10,
            templates: false,
            all: false,
        }
    }
}

/// The reason why a deployment is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepReason {
    /// A stage serves it (row D6).
    Served,
    /// A stage would go back to it, or this run used it.
    Previous,
    /// It is among the newest.
    Newest,
    /// API Gateway is creating it.
    Pending,
    /// It is the newest of CloudFormation's, so the stack may move the stage back to it (row D16).
    InTemplate,
    /// CloudFormation created it from a template of stackgen.
    OfTemplate,
    /// Something else than stackgen created it.
    Foreign,
}

/// A deployment, and the reason to keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneDecision {
    /// The deployment.
    pub deployment: DeploymentInfo,
    /// The reason to keep it; `None` deletes it.
    pub keep: Option<KeepReason>,
}

/// Decides for every deployment whether to keep it, newest first. Keeps those that this run moved the stage to or from:
/// the lists may not show that yet.
pub fn decide(
    deployments: &[DeploymentInfo],
    stages: &[StageInfo],
    policy: &PrunePolicy,
    used: &[&DeploymentId],
) -> Vec<PruneDecision> {
    let served: BTreeSet<_> = stages
        .iter()
        .filter_map(|stage| stage.deployment.as_ref())
        .collect();
    let mut protected: BTreeSet<&DeploymentId> = used.iter().copied().collect();
    for id in &served {
        protected.extend(earlier(deployments, id).map(|deployment| &deployment.id));
    }
    let all = newest_first(deployments);
    let mut template = all
        .iter()
        .filter(|one| one.created_by() == CreatedBy::Template);
    let in_template = template.next().map(|deployment| &deployment.id);
    let mut room = policy.keep;
    let decisions = all.iter().map(|deployment| {
        let id = &deployment.id;
        let keep = match deployment.created_by() {
            _ if served.contains(id) => Some(KeepReason::Served),
            _ if protected.contains(id) => Some(KeepReason::Previous),
            _ if deployment.status == DeploymentState::Pending => Some(KeepReason::Pending),
            _ if in_template == Some(id) => Some(KeepReason::InTemplate),
            CreatedBy::Template if !policy.templates && !policy.all => Some(KeepReason::OfTemplate),
            CreatedBy::Unknown | CreatedBy::AutoDeploy if !policy.all => Some(KeepReason::Foreign),
            _ if room > 0 => {
                room -= 1;
                Some(KeepReason::Newest)
            }
            _ => None,
        };
        PruneDecision {
            deployment: (*deployment).clone(),
            keep,
        }
    });
    decisions.collect()
}

/// Sorts deployments, the newest first. Within one second the account's order decides: AWS allows one deployment every
/// 5 s (row D15), and the local gateway lists them in the order of their creation.
pub(crate) fn newest_first(deployments: &[DeploymentInfo]) -> Vec<&DeploymentInfo> {
    let mut all: Vec<_> = deployments.iter().enumerate().collect();
    all.sort_by_key(|(index, deployment)| Reverse((deployment.created, *index)));
    all.into_iter().map(|(_, deployment)| deployment).collect()
}

/// Returns the deployment that a stage goes back to from the one that it serves: the newest older one that
/// [served well](served_well).
pub fn earlier<'a>(
    deployments: &'a [DeploymentInfo],
    served: &DeploymentId,
) -> Option<&'a DeploymentInfo> {
    let all = newest_first(deployments);
    let mut older = all
        .into_iter()
        .skip_while(|deployment| deployment.id != *served)
        .skip(1);
    older.find(|deployment| served_well(deployment, deployments))
}

/// True for a deployment that was verified. API Gateway does not record which deployments were ever served, so one that
/// was never verified counts only if its origin shows that it served: CloudFormation deletes those that it could not
/// activate, and a description names the deployment that the stage served before.
pub fn served_well(deployment: &DeploymentInfo, all: &[DeploymentInfo]) -> bool {
    if deployment.status != DeploymentState::Deployed || deployment.auto_deployed {
        return false;
    }
    let metadata = deployment.metadata();
    if let Some(metadata) = metadata.as_ref().filter(|one| one.verification.is_some()) {
        return metadata.is_verified();
    }
    let is_named = || {
        let mut named = all.iter().filter_map(|one| one.metadata()?.previous);
        named.any(|id| id == deployment.id)
    };
    match deployment.created_by() {
        CreatedBy::Template => true,
        CreatedBy::Unknown => is_named(),
        // Format 1 recorded failed verifications only.
        CreatedBy::Redeploy => metadata.is_some_and(|one| one.format < 2) && is_named(),
        CreatedBy::AutoDeploy => false,
    }
}

/// Returns what [`prune`] would decide for every deployment, newest first. Deletes nothing.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn plan(
    account: &impl Account,
    api: &ApiId,
    policy: &PrunePolicy,
    used: &[&DeploymentId],
    ctx: OperationContext<'_>,
) -> Result<Vec<PruneDecision>, DeployError> {
    // The stages first: a stack update between the two reads may create a deployment and move a stage to it.
    let stages = ctx.read(|| account.stages(api)).await?;
    let deployments = ctx.read(|| account.deployments(api)).await?;
    Ok(decide(&deployments, &stages, policy, used))
}

/// Deletes older deployments, except those that this run used. Returns those that were deleted. A deployment that a stage came
/// to serve meanwhile stays, because API Gateway refuses to delete it (row D6).
///
/// # Errors
///
/// See [`DeployError`].
pub async fn prune(
    account: &impl Account,
    api: &ApiId,
    policy: &PrunePolicy,
    used: &[&DeploymentId],
    ctx: OperationContext<'_>,
) -> Result<Vec<DeploymentId>, DeployError> {
    let mut deleted = Vec::new();
    for decision in plan(account, api, policy, used, ctx).await? {
        if decision.keep.is_some() {
            continue;
        }
        let id = &decision.deployment.id;
        let result = ctx.call(|| account.delete_deployment(api, id)).await;
        if is_deleted(result, id.as_str(), ctx)? {
            ctx.step(DeployStep::Deleted { deployment: id });
            deleted.push(id.clone());
        }
    }
    Ok(deleted)
}

/// Returns true if something is deleted, by this call or before, and false, after a step, if AWS keeps it.
pub(crate) fn is_deleted(
    result: Result<(), DeployError>,
    what: &str,
    ctx: OperationContext<'_>,
) -> Result<bool, DeployError> {
    match result {
        Ok(()) => Ok(true),
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => Ok(true),
        Err(DeployError::Account(error))
            if error.is_transient() || error.kind == AccountErrorKind::Refused =>
        {
            ctx.step(DeployStep::Skipped {
                what,
                reason: &error.to_string(),
            });
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
