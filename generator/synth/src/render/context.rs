//! Context of rendering.

use std::collections::BTreeMap;

use stackgen_cfn::{Map, Node, list, map};

use crate::names::physical_name;
use crate::spec::{ReleaseSpec, Spec, WebSocketSpec};
use crate::{Artifacts, Dialect};

/// Environment to render, with the options of rendering.
pub(super) struct RenderContext<'a> {
    pub(super) spec: &'a Spec,
    pub(super) environment: &'a str,
    pub(super) release: ReleaseSpec,
    pub(super) dialect: Dialect,
    pub(super) project_path: &'a str,
    pub(super) artifacts: &'a Artifacts,
}

impl<'a> RenderContext<'a> {
    /// Returns the name of a resource in this environment.
    pub(super) fn name(&self, name: &str) -> String {
        physical_name(name, self.environment)
    }

    /// Returns the name of the stack in this environment.
    pub(super) fn stack_name(&self) -> String {
        self.name(&self.spec.name)
    }

    pub(super) fn pinned(&self) -> bool {
        self.release == ReleaseSpec::Pinned
    }

    pub(super) fn websocket(&self) -> Option<&'a WebSocketSpec> {
        self.spec.websocket.as_ref()
    }

    /// Returns the tags as most resource types have them: a list of `Key` and `Value`.
    pub(super) fn tag_list(&self) -> Option<Node> {
        let tags = &self.spec.tags;
        (!tags.is_empty()).then(|| list(tags.iter().map(tag)))
    }

    /// Returns the tags as `AWS::ApiGatewayV2` and SAM have them: a mapping.
    pub(super) fn tag_map(&self) -> Option<Node> {
        let tags = &self.spec.tags;
        (!tags.is_empty()).then(|| string_map(tags))
    }
}

fn tag((key, value): (&String, &String)) -> Node {
    map([
        ("Key", key.as_str().into()),
        ("Value", value.as_str().into()),
    ])
}

pub(super) fn string_map(strings: &BTreeMap<String, String>) -> Node {
    let map: Map = strings
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    map.into()
}
