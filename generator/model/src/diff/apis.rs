//! What the changes mean for each api: does its stage serve them?

use serde::Serialize;

use super::Subject;
use super::pairs::Pairing;
use crate::api::{Api, Stage};
use crate::parts::Names;
use crate::resource::Resource;
use crate::{Link, LogicalId, Model, SnapshotDigest};

/// One api in both models.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiDiff {
    /// Its name.
    pub api: String,
    /// What its deployment snapshots, before.
    pub before: SnapshotDigest,
    /// What its deployment snapshots, after.
    pub after: SnapshotDigest,
    /// True when the two differ, so that a new deployment is needed.
    pub wiring_changed: bool,
    /// Stages that will go on serving the old wiring: it changed, their deployment is the same resource, and nothing
    /// deploys by itself (row D7).
    pub stale_stages: Vec<String>,
    /// What the new deployment still holds although the template does not: CloudFormation deletes it only afterwards,
    /// and it takes one more deployment to be rid of it (row D20).
    pub lingering: Vec<Subject>,
}

impl ApiDiff {
    /// True when a stage will go on serving the old wiring.
    pub fn is_stale(&self) -> bool {
        !self.stale_stages.is_empty()
    }
}

pub(super) fn apis(
    old: &Model,
    new: &Model,
    pairing: &Pairing,
    names: &Names,
    removed: &[(LogicalId, Subject)],
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

/// True when the stage points at the same deployment as before and nothing will make a new one.
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

/// True when the update makes a deployment of the api, for its stages to serve.
fn is_deployed(old: &Model, after: &Api) -> bool {
    let mut deployments = after.deployments.iter();
    deployments.any(|deployment| {
        let id = &deployment.resource.logical_id;
        let serves = |stage: &Stage| stage.deployment.to() == Some(id);
        !old.resources.contains_key(id) && after.stages.iter().any(serves)
    })
}

/// What CloudFormation deletes in its clean-up, when the new deployment is there already (row D20). A thing whose
/// resource stays, under another name, is updated before that; what an OpenAPI body implies, too.
fn lingering(
    before: &Api,
    [old, new]: [&Model; 2],
    api: &str,
    removed: &[(LogicalId, Subject)],
) -> Vec<Subject> {
    let is_deleted = |resource: &Resource| {
        !resource.implied && !resource.retained && !new.resources.contains_key(&resource.logical_id)
    };
    let of_api = removed.iter().filter(|(id, subject)| {
        subject.api.as_deref() == Some(api)
            && old
                .resource(id)
                .is_some_and(|resource| is_deleted(resource))
    });
    let mut lingering: Vec<Subject> = of_api.map(|(_, subject)| subject.clone()).collect();
    let mut response = |resource: &Resource, of: &Resource, name: String| {
        // The responses of what goes as a whole go with it.
        if is_deleted(resource) && !is_deleted(of) {
            lingering.push(Subject {
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
