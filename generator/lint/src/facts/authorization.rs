//! Reads the authorization of routes, and finds its mistakes.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use stackgen_model::{Api, Authorizer, Link, LogicalId, Model, Resource, Route, Text};

use super::settings;
use crate::facts::Facts;

/// Value of a route's `AuthorizationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationKind {
    /// Not set.
    LeftOut,
    /// `NONE`.
    Open,
    /// `AWS_IAM`.
    Iam,
    /// `CUSTOM`.
    Custom,
    /// `JWT`.
    Jwt,
    /// Unknown or invalid.
    Other,
}

/// A mistake in a route's authorization. Each one has one rule, so that nothing is reported twice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AuthorizationFault<'a> {
    /// The type is `JWT`.
    Jwt,
    /// The route is not `$connect`.
    OffConnect,
    /// The route names an authorizer, but its type is not `CUSTOM`.
    UnusedId,
    /// The type is `CUSTOM`, but the route names no authorizer.
    NoAuthorizer,
    /// The route names something that is not an authorizer of its API.
    ForeignAuthorizer(&'a Resource),
}

pub(crate) fn authorization_kind(route: &Route) -> AuthorizationKind {
    match route.authorization_type.as_ref().map(Text::as_literal) {
        None => AuthorizationKind::LeftOut,
        Some(Some("NONE")) => AuthorizationKind::Open,
        Some(Some("AWS_IAM")) => AuthorizationKind::Iam,
        Some(Some("CUSTOM")) => AuthorizationKind::Custom,
        Some(Some("JWT")) => AuthorizationKind::Jwt,
        Some(_) => AuthorizationKind::Other,
    }
}

/// Returns the fault in the authorization of a route, if there is one. An open `$connect` is not a fault by itself.
pub(crate) fn authorization_fault<'a>(
    model: &'a Model,
    route: &'a Route,
) -> Option<AuthorizationFault<'a>> {
    let kind = authorization_kind(route);
    let names = settings::is_set(&route.resource, "AuthorizerId");
    if kind == AuthorizationKind::Jwt {
        return Some(AuthorizationFault::Jwt);
    }
    if !route.key.is_connect() {
        // A key with references is unknown and may be `$connect`.
        let known = !route.key.as_str().contains("${");
        let authorized =
            names || matches!(kind, AuthorizationKind::Iam | AuthorizationKind::Custom);
        return (known && authorized).then_some(AuthorizationFault::OffConnect);
    }
    match kind {
        AuthorizationKind::LeftOut | AuthorizationKind::Open | AuthorizationKind::Iam if names => {
            Some(AuthorizationFault::UnusedId)
        }
        AuthorizationKind::Custom if route.authorizer == Link::Missing => {
            Some(AuthorizationFault::NoAuthorizer)
        }
        AuthorizationKind::Custom => {
            foreign_authorizer(model, route).map(AuthorizationFault::ForeignAuthorizer)
        }
        _ => None,
    }
}

/// Returns what a route names instead of an authorizer of its API.
fn foreign_authorizer<'a>(model: &'a Model, route: &'a Route) -> Option<&'a Resource> {
    let named = match &route.authorizer {
        Link::To(id) => {
            let authorizer = model.resource(id)?;
            let api = |resource: &Resource| resource.properties.text("ApiId");
            let (theirs, ours) = (api(authorizer)?, api(&route.resource)?);
            let known = theirs.unknown().is_none() && ours.unknown().is_none();
            return (known && theirs != ours).then_some(authorizer);
        }
        Link::External(text) => match text.as_reference() {
            Some(reference) => model.resource(&reference.logical_id)?,
            None => model.resources.get(text.as_literal()?)?,
        },
        _ => return None,
    };
    (!settings::is_opaque(named) && !is_rest_authorizer_of_v2(model, named)).then_some(named)
}

/// Returns true for an authorizer of REST APIs whose API is not a REST API.
pub(crate) fn is_rest_authorizer_of_v2(model: &Model, resource: &Resource) -> bool {
    let api = (resource.kind == "AWS::ApiGateway::Authorizer")
        .then(|| resource.properties.text("RestApiId"))
        .flatten();
    let api = api.as_ref().and_then(Text::as_reference);
    let api = api.and_then(|api| model.resource(&api.logical_id));
    api.is_some_and(|api| api.kind == "AWS::ApiGatewayV2::Api")
}

/// Returns the authorizers that a route names, even if the route does not use them.
pub(crate) fn attached_authorizers(model: &Model) -> HashSet<&LogicalId> {
    let routes = model.apis.iter().flat_map(|api| &api.routes);
    routes.filter_map(|route| route.authorizer.to()).collect()
}

/// Returns the open `$connect` routes of an API with an unattached authorizer, and that authorizer. Returns `None` if
/// one of the API's `$connect` routes is not open, as in a template with two of them under opposite conditions.
pub(crate) fn open_connect_routes<'a>(
    facts: &Facts<'_>,
    api: &'a Api,
) -> Option<(Vec<&'a Route>, &'a Authorizer)> {
    let idle = unattached_authorizers(facts, api).next()?;
    let connects = api.routes.iter().filter(|route| route.key.is_connect());
    let connects: Vec<_> = connects.collect();
    let open = |route: &&Route| {
        matches!(
            authorization_kind(route),
            AuthorizationKind::LeftOut | AuthorizationKind::Open
        ) && route.authorizer == Link::Missing
            && removed_type(facts, route).is_none()
    };
    (!connects.is_empty() && connects.iter().all(open)).then_some((connects, idle))
}

/// Returns the authorizers of an API that no route names.
pub(crate) fn unattached_authorizers<'a>(
    facts: &Facts<'_>,
    api: &'a Api,
) -> impl Iterator<Item = &'a Authorizer> {
    let named = facts.attached_authorizers();
    let is_idle = move |authorizer: &&Authorizer| {
        !named.contains(&authorizer.resource.logical_id) && !is_jwt(authorizer)
    };
    api.authorizers.iter().filter(is_idle)
}

/// Returns the type that the route had in the earlier revision, if it has none now.
pub(crate) fn removed_type(facts: &Facts<'_>, route: &Route) -> Option<Text> {
    let earlier = facts.previous?.resource(&route.resource.logical_id)?;
    let same = |key| earlier.properties.text(key) == route.resource.properties.text(key);
    let had = earlier.properties.text("AuthorizationType")?;
    let lost = authorization_kind(route) == AuthorizationKind::LeftOut
        && matches!(had.as_literal(), Some("CUSTOM" | "AWS_IAM"))
        && !settings::is_computed(earlier, &["AuthorizationType"]);
    (lost && same("ApiId") && same("RouteKey")).then_some(had)
}

/// Returns true for an authorizer of HTTP APIs: with type `JWT` or a `JwtConfiguration`.
pub(crate) fn is_jwt(authorizer: &Authorizer) -> bool {
    let kind = authorizer
        .authorizer_type
        .as_ref()
        .and_then(Text::as_literal);
    kind == Some("JWT") || settings::is_set(&authorizer.resource, "JwtConfiguration")
}

/// Returns the authorizers of the WebSocket APIs without those of HTTP APIs.
pub(crate) fn websocket_authorizers<'a>(
    facts: &Facts<'a>,
) -> impl Iterator<Item = &'a Authorizer> + use<'a> {
    let all = facts.websockets().flat_map(|api| &api.authorizers);
    all.filter(|authorizer| !is_jwt(authorizer))
}

/// Returns the pairs of an API's authorizers that have the same name, the earlier one first.
pub(crate) fn same_name_pairs(api: &Api) -> Vec<(&Authorizer, &Authorizer)> {
    let mut first = HashMap::new();
    let mut pairs = Vec::new();
    for authorizer in &api.authorizers {
        let name = authorizer.name.as_ref();
        let Some(name) = name.filter(|name| name.unknown().is_none()) else {
            continue;
        };
        // Of two authorizers under different conditions, only one may exist.
        let condition = settings::condition(&authorizer.resource);
        match first.entry((condition, name.to_string())) {
            Entry::Vacant(entry) => {
                entry.insert(authorizer);
            }
            Entry::Occupied(entry) => pairs.push((*entry.get(), authorizer)),
        }
    }
    pairs
}
