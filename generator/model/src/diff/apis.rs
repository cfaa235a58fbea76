//! What the changes mean for each api: does its stage serve them?

use serde::Serialize;

use super::pairs::Pairing;
use crate::api::{Api, Stage};
use crate::parts::Names;
use crate::{Link, Model, SnapshotDigest};

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
}

impl ApiDiff {
    /// True when a stage will go on serving the old wiring.
    pub fn is_stale(&self) -> bool {
        !self.stale_stages.is_empty()
    }
}

pub(super) fn apis(old: &Model, new: &Model, pairing: &Pairing, names: &Names) -> Vec<ApiDiff> {
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
        ApiDiff {
            api: after.id.to().map(|id| names.name(id)).unwrap_or_default(),
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
