//! X

use std::collections::HashSet;
use std::sync::Arc;

use stackgen_model::{Api, LogicalId, Model, ProblemKind, Resolved, Resource};

use super::apis;
use super::presence::known_key;

/// What of the routes of apis may be out of sight. Made once for all apis.
pub(crate) struct RouteVisibility<'a> {
    model: &'a Model,
    /// SAM has lost or refused routes.
    lost: bool,
    /// Resources whose `Ref` a nested stack gets as a parameter, or any stack can import or find in the parameter store.
    given_away: HashSet<&'a LogicalId>,
    /// Resources whose `Ref` is an output: a parent may hand it to its other stacks.
    put_out: HashSet<&'a LogicalId>,
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
            lost: problems.any(|it| {
                matches!(
                    it.kind,
                    ProblemKind::RouteKeysCollide | ProblemKind::RouteKeyRefused
                )
            }),
            given_away: values.filter_map(referred).collect(),
            put_out: outputs.filter_map(referred).collect(),
        }
    }

    /// Whether the template tells every route of an api. Only then is a route missing. An api whose routes are all
    /// elsewhere is one that other stacks fill, and so may be one whose id another stack is given.
    pub(crate) fn shows_every_route(&self, api: &Api) -> bool {
        !self.lost
            && apis::is_complete(self.model, api)
            && !api.routes.is_empty()
            && api.routes.iter().all(|route| known_key(route).is_some())
            && !self.is_shared(api)
    }

    /// Whether another stack is given the id of an api, and may make routes, deployments and stages of it. That the id is
    /// merely put out says so of an api that has no stage here.
    pub(crate) fn is_shared(&self, api: &Api) -> bool {
        let given_away = |resource: &Arc<Resource>| {
            let id = &resource.logical_id;
            self.given_away.contains(id) || (api.stages.is_empty() && self.put_out.contains(id))
        };
        api.resource.as_ref().is_some_and(given_away)
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
