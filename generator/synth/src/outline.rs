//! Outline of a template: resources and outputs by logical ID, before deployments have their digests.

use std::collections::BTreeSet;

use stackgen_cfn::Node;
use stackgen_model::OrderedMap;

/// Resources and outputs of an environment's template, with the entry of stackgen.yaml behind each resource.
pub(crate) struct TemplateOutline {
    /// Resources by logical ID, raw resources included. A deployment's logical ID lacks the digest here, and its
    /// `DependsOn` names everything that the deployment snapshots.
    pub(crate) resources: OrderedMap<String, (Node, Origin)>,
    /// Logical IDs of the deployments without their digests. The template does not contain these.
    pub(crate) deployments: Vec<String>,
    /// Logical IDs of the outputs that stackgen makes.
    pub(crate) outputs: BTreeSet<String>,
    /// Pairs of entries whose resources have the same logical ID.
    pub(crate) collisions: Vec<Collision>,
}

/// Path in stackgen.yaml of the entry that a resource is made for.
pub(crate) type Origin = Vec<String>;

/// Two entries of stackgen.yaml whose resources have the same logical ID.
#[derive(Clone, Debug)]
pub(crate) struct Collision {
    pub(crate) id: String,
    pub(crate) first: Origin,
    pub(crate) second: Origin,
}
