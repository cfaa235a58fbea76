//! Which deployments are deleted, and which are kept.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::progress::Step;
use crate::retry::OperationContext;
use crate::{
    Account, AccountErrorKind, ApiId, CreatedBy, DeployError, Deployment, DeploymentId,
    DeploymentStatus, Stage,
};

/// How many of whose deployments are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many of the newest that may be deleted are kept, besides all that must be.
    pub keep: usize,
    /// Whether those that CloudFormation made from templates of stackgen may be deleted.
    pub templates: bool,
    /// Whether those of anybody may be deleted.
    pub all: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            keep: 10,
            templates: false,
            all: false,
        }
    }
}

/// Why a deployment is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// A stage serves it (row D6).
    Served,
    /// It is what a stage would go back to.
    Previous,
    /// It is among the newest.
    Newest,
    /// It is still being made.
    Pending,
    /// The newest of CloudFormation's is part of the stack, which may move the stage back to it (row D16).
    InTemplate,
    /// CloudFormation made it from a template of stackgen's.
    OfTemplate,
    /// Somebody else made it.
    Foreign,
}

/// What would become of every deployment, newest first: `None` is deleted.
pub fn prunable<'a>(
    deployments: &'a [Deployment],
    stages: &[Stage],
    policy: &Policy,
    previous: Option<&DeploymentId>,
) -> Vec<(&'a Deployment, Option<Kept>)> {
    let served: BTreeSet<_> = stages
        .iter()
        .filter_map(|stage| stage.deployment.as_ref())
        .collect();
    let mut protected: BTreeSet<&DeploymentId> = previous.into_iter().collect();
    for id in &served {
        protected.extend(earlier(deployments, id).map(|deployment| &deployment.id));
    }
    let all = newest_first(deployments);
    let mut template = all
        .iter()
        .filter(|one| one.created_by() == CreatedBy::Template);
    let in_template = template.next().map(|deployment| &deployment.id);
    let mut room = policy.keep;
    let judged = all.iter().map(|deployment| {
        let id = &deployment.id;
        let kept = match deployment.created_by() {
            _ if served.contains(id) => Some(Kept::Served),
            _ if protected.contains(id) => Some(Kept::Previous),
            _ if deployment.status == DeploymentStatus::Pending => Some(Kept::Pending),
            _ if in_template == Some(id) => Some(Kept::InTemplate),
            CreatedBy::Template if !policy.templates && !policy.all => Some(Kept::OfTemplate),
            CreatedBy::Unknown | CreatedBy::AutoDeploy if !policy.all => Some(Kept::Foreign),
            _ if room > 0 => {
                room -= 1;
                Some(Kept::Newest)
            }
            _ => None,
        };
        (*deployment, kept)
    });
    judged.collect()
}

/// The newest first. Of those of one second the account's order decides: on AWS there are none, since a deployment may
/// be made every 5 s (row D15), and the local gateway tells them in the order in which they were made.
pub(crate) fn newest_first(deployments: &[Deployment]) -> Vec<&Deployment> {
    let mut all: Vec<_> = deployments.iter().enumerate().collect();
    all.sort_by_key(|(index, deployment)| Reverse((deployment.created, *index)));
    all.into_iter().map(|(_, deployment)| deployment).collect()
}

/// Returns the deployment that a stage goes back to from the one it serves: the newest older one that can be served and
/// [served well](served_well).
pub fn earlier<'a>(deployments: &'a [Deployment], served: &DeploymentId) -> Option<&'a Deployment> {
    let all = newest_first(deployments);
    let mut older = all
        .into_iter()
        .skip_while(|deployment| deployment.id != *served)
        .skip(1);
    older.find(|deployment| served_well(deployment, deployments))
}

/// True for a deployment that was tried and good. API Gateway does not record which deployments were ever served, so one
/// that was never tried counts only if its origin shows that it served: CloudFormation deletes those that it could not
/// activate, and a description names the deployment that the stage served before.
pub fn served_well(deployment: &Deployment, all: &[Deployment]) -> bool {
    if deployment.status != DeploymentStatus::Deployed || deployment.auto_deployed {
        return false;
    }
    let metadata = deployment.metadata();
    if let Some(metadata) = metadata.as_ref().filter(|one| one.trial.is_some()) {
        return metadata.passed();
    }
    let is_named = || {
        let mut named = all.iter().filter_map(|one| one.metadata()?.previous);
        named.any(|id| id == deployment.id)
    };
    match deployment.created_by() {
        CreatedBy::Template => true,
        CreatedBy::Unknown => is_named(),
        // Format 1 recorded failed trials only.
        CreatedBy::Redeploy => metadata.is_some_and(|one| one.format < 2) && is_named(),
        CreatedBy::AutoDeploy => false,
    }
}

/// Deletes what may be deleted; answers what was. A deployment that a stage came to use meanwhile is refused by API
/// Gateway (row D6) and stays.
pub(crate) async fn apply(
    account: &impl Account,
    api: &ApiId,
    policy: &Policy,
    previous: Option<&DeploymentId>,
    ctx: OperationContext<'_>,
) -> Result<Vec<DeploymentId>, DeployError> {
    let deployments = ctx.read(|| account.deployments(api)).await?;
    let stages = ctx.read(|| account.stages(api)).await?;
    let mut deleted = Vec::new();
    for (deployment, kept) in prunable(&deployments, &stages, policy, previous) {
        if kept.is_some() {
            continue;
        }
        let id = &deployment.id;
        match ctx.call(|| account.delete_deployment(api, id)).await {
            Ok(()) => {}
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
            Err(DeployError::Account(error))
                if error.is_transient() || error.kind == AccountErrorKind::Refused =>
            {
                ctx.step(Step::LeftOut {
                    what: id.as_str(),
                    reason: &error.to_string(),
                });
                continue;
            }
            Err(error) => return Err(error),
        }
        ctx.step(Step::Deleted { deployment: id });
        deleted.push(id.clone());
    }
    Ok(deleted)
}
