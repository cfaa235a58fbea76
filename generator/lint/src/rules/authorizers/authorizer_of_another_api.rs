use stackgen_model::{Link, Resource, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{AuthorizationFault, authorization_fault};
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` names something that is no authorizer of its API.
    ///
    /// ## Why it hurts
    ///
    /// Authorizers belong to one API. The id of another API's authorizer, of an authorizer of a REST API, or what `Ref`
    /// gives of another resource, such as the authorizer's function, is unknown to this API: the route is refused with
    /// `Invalid authorizer ID specified`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Make an `AWS::ApiGatewayV2::Authorizer` with this API's `ApiId`, and name it by `!Ref`. Two APIs can share the
    /// function, not the authorizer; each needs its own permission (row A16).
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
            AuthorizationFault::ForeignAuthorizer(stranger) => Some(route_finding(route, stranger)),
            _ => None,
        })
        .collect()
}

fn route_finding(route: &Route, stranger: &Resource) -> Finding {
    let id = &stranger.logical_id;
    let location = Location::of(&route.resource, &["AuthorizerId"]);
    let api = route.resource.properties.text("ApiId").unwrap_or_default();
    let (message, label, path): (_, _, &[&str]) = match &route.authorizer {
        Link::To(_) => (
            format!("`$connect` names authorizer {id}, which belongs to another API"),
            "its API",
            &["ApiId"],
        ),
        Link::External(text) if text.as_reference().is_none() => (
            format!("`AuthorizerId` is the word `{id}`, and not the id of {id}"),
            "its id is what `Ref` gives",
            &[],
        ),
        _ => (
            format!(
                "`$connect` names {id}, an `{}` and no authorizer of this API",
                stranger.kind
            ),
            "what it names",
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
        .related(Location::of(stranger, path), label)
        .hint(hint)
}
