//! Decides whether the template shows every route of an API.

use std::collections::HashSet;
use std::sync::Arc;

use stackgen_model::{Api, LogicalId, Model, ProblemKind, Resolved, Resource};

use super::apis;
use super::presence::known_key;

/// Reasons why APIs may have routes outside the template.
pub(crate) struct RouteVisibility<'a> {
    model: &'a Model,
    /// True if SAM dropped or refused routes.
    has_dropped_routes: bool,
    /// Resources whose `Ref` is a parameter of a nested stack, an export or an SSM parameter.
    shared: HashSet<&'a LogicalId>,
    /// Resources whose `Ref` is an output, which a parent stack may pass to other stacks.
    output_ids: HashSet<&'a LogicalId>,
}

impl<'a> RouteVisibility<'a> {
    pub(crate) fn of(model: &'a Model) -> RouteVisibility<'a> {
        let mut problems = model.problems.iter();
        let of_kind = |kind: &'static str, property: &'static str| {
            let resources = model.resources.values().filter(move |it| it.kind == kind);
            resources.filter_map(move |it| it.properties.get(property))
        };
        let parameters = of_kind("AWS::CloudFormation::Stack", "Parameters");
        let parameters = parameters.filter_map(Resolved::as_map);
        let stored = of_kind("AWS::SSM::Parameter", "Value");
        let outputs = || model.outputs.as_map().into_iter().flatten();
        let exported = outputs().filter(|(_, output)| output.get("Export").is_some());
        let values = parameters
            .flat_map(|it| it.values())
            .chain(stored)
            .chain(exported.filter_map(|(_, output)| output.get("Value")));
        let outputs = outputs().filter_map(|(_, output)| output.get("Value"));
        RouteVisibility {
            model,
            has_dropped_routes: problems.any(|it| {
                matches!(
                    it.kind,
                    ProblemKind::RouteKeysCollide | ProblemKind::RouteKeyRefused
                )
            }),
            shared: values.filter_map(referred).collect(),
            output_ids: outputs.filter_map(referred).collect(),
        }
    }

    /// Returns true if the template shows every route of an API. Only then a route is missing. An API without routes
    /// here, or whose ID another stack receives, may have routes in other stacks.
    pub(crate) fn shows_every_route(&self, api: &Api) -> bool {
        !self.has_dropped_routes
            && apis::is_complete(self.model, api)
            && !api.routes.is_empty()
            && api.routes.iter().all(|route| known_key(route).is_some())
            && !self.is_shared(api)
    }

    /// Returns true if another stack receives the ID of an API and may add routes, deployments and stages. For an API
    /// without a stage here, an output is enough.
    pub(crate) fn is_shared(&self, api: &Api) -> bool {
        let shared = |resource: &Arc<Resource>| {
            let id = &resource.logical_id;
            self.shared.contains(id) || (api.stages.is_empty() && self.output_ids.contains(id))
        };
        api.resource.as_ref().is_some_and(shared)
    }
}

fn referred(value: &Resolved) -> Option<&LogicalId> {
    let Resolved::Text(text) = value else {
        return None;
    };
    let reference = text.as_reference()?;
    reference
        .attribute
        .is_none()
        .then_some(&reference.logical_id)
}
