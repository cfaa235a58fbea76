use stackgen_model::{Link, Resource, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{AuthorizationFault, authorization_fault};
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` names something that is not an authorizer of its API.
    ///
    /// ## Why it hurts
    ///
    /// An authorizer belongs to one API. The ID of another API's authorizer, of a REST API's authorizer or of another
    /// resource, such as the authorizer's function, does not exist in this API. API Gateway refuses the route with
    /// `Invalid authorizer ID specified`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Create an `AWS::ApiGatewayV2::Authorizer` with this API's `ApiId` and name it with `!Ref`. Two APIs can share a
    /// function but not an authorizer. Each needs its own permission (row A16).
    id: "SG105",
    name: "authorizer-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["A1", "F2", "F6"],
    fixable: false,
    example: "authorizers/authorizer_of_another_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes
        .filter_map(|route| match authorization_fault(context.model, route)? {
            AuthorizationFault::ForeignAuthorizer(named) => Some(route_finding(route, named)),
            _ => None,
        })
        .collect()
}

fn route_finding(route: &Route, named: &Resource) -> Finding {
    let id = &named.logical_id;
    let location = Location::of(&route.resource, &["AuthorizerId"]);
    let api = route.resource.properties.text("ApiId").unwrap_or_default();
    let (message, label, path): (_, _, &[&str]) = match &route.authorizer {
        Link::To(_) => (
            format!("`$connect` names authorizer {id}, which belongs to another API"),
            "its API",
            &["ApiId"],
        ),
        Link::External(text) if text.as_reference().is_none() => (
            format!("`AuthorizerId` is the text `{id}` instead of the ID of {id}"),
            "`Ref` returns its ID",
            &[],
        ),
        _ => (
            format!(
                "`$connect` names {id}, an `{}`, which is not an authorizer of this API",
                named.kind
            ),
            "the named resource",
            &[],
        ),
    };
    let hint = match &route.authorizer {
        Link::External(text) if text.as_reference().is_none() => format!("write `!Ref {id}`"),
        _ => format!(
            "name an `AWS::ApiGatewayV2::Authorizer` whose `ApiId` is `{}`",
            settings::as_written(&api)
        ),
    };
    Finding::new(&RULE, location, message)
        .related(Location::of(named, path), label)
        .hint(hint)
}
