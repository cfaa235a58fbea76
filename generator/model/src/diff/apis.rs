//! Consequences of the changes for each API: whether its stages will serve the new wiring.

use serde::Serialize;

use super::ChangeSubject;
use super::pairs::Pairing;
use crate::api::{Api, Stage};
use crate::parts::Names;
use crate::resource::Resource;
use crate::{Link, LogicalId, Model, SnapshotDigest};

/// An API that both models contain.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiDiff {
    /// The name.
    pub api: String,
    /// The digest of the old wiring.
    pub before: SnapshotDigest,
    /// The digest of the new wiring.
    pub after: SnapshotDigest,
    /// True if the digests differ, so that a new deployment is needed.
    pub wiring_changed: bool,
    /// Stages that will keep serving the old wiring: it changed, their deployment is the same resource, and they do not
    /// use AutoDeploy (row D7).
    pub stale_stages: Vec<String>,
    /// Parts that the new deployment still contains although the template does not: CloudFormation deletes them only
    /// after it creates the deployment. Another deployment is needed without them (row D20).
    pub lingering: Vec<ChangeSubject>,
}

impl ApiDiff {
    /// True if a stage will keep serving the old wiring.
    pub fn is_stale(&self) -> bool {
        !self.stale_stages.is_empty()
    }
}

pub(super) fn apis(
    old: &Model,
    new: &Model,
    pairing: &Pairing,
    names: &Names,
    removed: &[(LogicalId, ChangeSubject)],
) -> Vec<ApiDiff> {
    let pairs = new.apis.iter().filter_map(|after| {
        let before = old
            .apis
            .iter()
            .find(|before| is_same(before, after, pairing))?;
        Some((before, after))
    });
    let diffs = pairs.map(|(before, after)| {
        let digests = (before.snapshot_digest(old), after.snapshot_digest(new));
        let wiring_changed = digests.0 != digests.1;
        let stale = after
            .stages
            .iter()
            .filter(|stage| wiring_changed && keeps_deployment(before, stage, pairing));
        let api = after.id.to().map(|id| names.name(id)).unwrap_or_default();
        let deploys = wiring_changed && is_deployed(old, after);
        let lingering = match deploys {
            true => lingering(before, [old, new], &api, removed),
            false => Vec::new(),
        };
        ApiDiff {
            api,
            lingering,
            stale_stages: stale
                .map(|stage| names.name(&stage.resource.logical_id))
                .collect(),
            before: digests.0,
            after: digests.1,
            wiring_changed,
        }
    });
    diffs.collect()
}

fn is_same(before: &Api, after: &Api, pairing: &Pairing) -> bool {
    match (&before.id, &after.id) {
        (Link::To(old), Link::To(new)) => pairing.old_id(new) == old,
        (old, new) => old == new,
    }
}

/// True if the stage refers to the same deployment as before, and nothing creates a new one.
fn keeps_deployment(before: &Api, stage: &Stage, pairing: &Pairing) -> bool {
    if stage.auto_deploy.value() == Some(&true) {
        return false;
    }
    let same =
        |old: &&Stage| *pairing.old_id(&stage.resource.logical_id) == old.resource.logical_id;
    let old = before.stages.iter().find(same);
    match (old.map(|old| &old.deployment), &stage.deployment) {
        (Some(Link::To(old)), Link::To(new)) => old == new,
        _ => false,
    }
}

/// True if the update creates a deployment that the API's stages will serve.
fn is_deployed(old: &Model, after: &Api) -> bool {
    let mut deployments = after.deployments.iter();
    deployments.any(|deployment| {
        let id = &deployment.resource.logical_id;
        let serves = |stage: &Stage| stage.deployment.to() == Some(id);
        !old.resources.contains_key(id) && after.stages.iter().any(serves)
    })
}

/// Returns the parts that CloudFormation deletes in its clean-up, after it creates the new deployment (row D20). It
/// updates a resource with another name before that, and the parts of an OpenAPI body, too.
fn lingering(
    before: &Api,
    [old, new]: [&Model; 2],
    api: &str,
    removed: &[(LogicalId, ChangeSubject)],
) -> Vec<ChangeSubject> {
    let is_deleted = |resource: &Resource| {
        !resource.implied && !resource.retained && !new.resources.contains_key(&resource.logical_id)
    };
    let of_api = removed.iter().filter(|(id, subject)| {
        subject.api.as_deref() == Some(api)
            && old
                .resource(id)
                .is_some_and(|resource| is_deleted(resource))
    });
    let mut lingering: Vec<ChangeSubject> = of_api.map(|(_, subject)| subject.clone()).collect();
    let mut response = |resource: &Resource, of: &Resource, name: String| {
        // Responses of a removed route or integration are removed with it.
        if is_deleted(resource) && !is_deleted(of) {
            lingering.push(ChangeSubject {
                kind: "response".to_owned(),
                name,
                api: Some(api.to_owned()),
            });
        }
    };
    for route in &before.routes {
        for one in &route.responses {
            let name = format!("{} of route {}", one.key, route.key);
            response(&one.resource, &route.resource, name);
        }
    }
    for integration in &before.integrations {
        for one in &integration.responses {
            let of = &integration.resource;
            let name = format!("{} of integration {}", one.key, of.logical_id);
            response(&one.resource, of, name);
        }
    }
    lingering
}
