//! Finds the APIs whose wiring differs from the template's earlier revision.

use std::collections::HashMap;

use stackgen_model::{Api, Deployment, LogicalId, Model, SnapshotDigest, Text};

use crate::facts::Facts;

/// Returns the digest that `stackgen synth` wrote into a deployment's description.
pub(crate) fn rendered_digest(deployment: &Deployment) -> Option<SnapshotDigest> {
    let description = deployment.description.as_ref().and_then(Text::as_literal)?;
    let rest = description.strip_prefix("stackgen sha256:")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// An API whose wiring differs from the earlier revision.
pub(crate) struct ChangedApi<'a> {
    pub(crate) api: &'a Api,
    pub(crate) before: &'a Api,
    pub(crate) previous: &'a Model,
    pub(crate) digest: SnapshotDigest,
}

impl<'a> ChangedApi<'a> {
    /// Returns the WebSocket APIs with deployments whose wiring changed; none without an earlier revision.
    pub(crate) fn all(facts: &Facts<'a>) -> Vec<Self> {
        let Some(previous) = facts.previous else {
            return Vec::new();
        };
        let before: HashMap<&LogicalId, &Api> = previous
            .apis
            .iter()
            .filter_map(|api| Some((api.id.to()?, api)))
            .collect();
        let deployed = facts.websockets().filter(|api| !api.deployments.is_empty());
        let rewired = deployed.filter_map(|api| {
            let before = *before.get(api.id.to()?)?;
            let digest = api.snapshot_digest(facts.model);
            (before.snapshot_digest(previous) != digest).then_some(ChangedApi {
                api,
                before,
                previous,
                digest,
            })
        });
        rewired.collect()
    }

    /// Returns the deployments of both revisions. CloudFormation does not replace them, so they keep the old snapshot
    /// (row D7).
    pub(crate) fn unchanged_deployments(&self) -> impl Iterator<Item = &'a Deployment> {
        let id = |deployment: &'a Deployment| &deployment.resource.logical_id;
        let before: std::collections::HashSet<_> = self.before.deployments.iter().map(id).collect();
        let deployments = self.api.deployments.iter();
        deployments.filter(move |deployment| before.contains(id(deployment)))
    }
}
