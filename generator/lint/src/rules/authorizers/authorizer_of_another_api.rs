use stackgen_model::{Link, Resource, Route};

use crate::context::Context;
use crate::facts::authorization::{Fault, fault};
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Place};

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

fn check(context: &Context<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes
        .filter_map(|route| match fault(context.model, route)? {
            Fault::Stranger(stranger) => Some(of_route(route, stranger)),
            _ => None,
        })
        .collect()
}

fn of_route(route: &Route, stranger: &Resource) -> Finding {
    let id = &stranger.logical_id;
    let place = Place::of(&route.resource, &["AuthorizerId"]);
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
            settings::shown(&api)
        ),
    };
    Finding::new(&RULE, place, message)
        .related(Place::of(stranger, path), label)
        .hint(hint)
}
