use std::collections::HashMap;

use stackgen_model::{Api, Integration, Link, LogicalId, Route};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The target of a route is an integration of another API.
    ///
    /// ## Why it hurts
    ///
    /// A route can only use integrations of its own API. API Gateway refuses the route, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Add an integration to this API; two integrations can call the same function. Each API needs its own permission
    /// to call it.
    id: "SG209",
    name: "target-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["F2"],
    fixable: false,
    example: "routes/target_of_another_api.diff",
}

type Owners<'a> = HashMap<&'a LogicalId, (&'a Api, &'a Integration)>;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let apis = context.model.apis.iter();
    let owned = apis.flat_map(|api| api.integrations.iter().map(move |it| (api, it)));
    let owners: Owners<'_> = owned
        .map(|(api, integration)| (&integration.resource.logical_id, (api, integration)))
        .collect();
    let routes = |api| -> Vec<Finding> { check_api(api, &owners) };
    context.websockets().flat_map(routes).collect()
}

fn check_api(api: &Api, owners: &Owners<'_>) -> Vec<Finding> {
    let Link::To(own) = &api.id else {
        return Vec::new();
    };
    let finding = |route: &Route| {
        let (owner, integration) = owners.get(route.target.to()?)?;
        let Link::To(other) = &owner.id else {
            return None;
        };
        if other == own {
            return None;
        }
        let message = format!(
            "the target of route `{}` of API {own} is integration {}, which belongs to API {other}",
            route.key, integration.resource.logical_id
        );
        let location = Location::of(&route.resource, &["Target"]);
        let related = Location::of(&integration.resource, &["ApiId"]);
        let finding =
            Finding::new(&RULE, location, message).related(related, "belongs to another API");
        Some(finding.hint(format!("add an integration to {own}")))
    };
    api.routes.iter().filter_map(finding).collect()
}
