//! How routes are authorized, and what is wrong with it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use stackgen_model::{Api, Authorizer, Link, LogicalId, Model, Resource, Route, Text};

use super::settings;
use crate::facts::Facts;

/// What a route's `AuthorizationType` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationKind {
    /// Nothing.
    LeftOut,
    /// `NONE`.
    Open,
    /// `AWS_IAM`.
    Iam,
    /// `CUSTOM`.
    Custom,
    /// `JWT`.
    Jwt,
    /// It is not known, or no such type.
    Other,
}

/// What is wrong with a route's authorization. Each fault has one rule, so that no mistake is told twice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AuthorizationFault<'a> {
    /// Its type is `JWT`.
    Jwt,
    /// It is not `$connect`.
    OffConnect,
    /// It names an authorizer, and its type is not `CUSTOM`.
    UnusedId,
    /// Its type is `CUSTOM`, and it names no authorizer.
    NoAuthorizer,
    /// What it names is not an authorizer of its api.
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

/// The fault of a route, if it has one. An open `$connect` is no fault in itself.
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
        // A key that holds references is not known: it may be `$connect`.
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

/// What a route names instead of an authorizer of its api.
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

/// Whether a resource is an authorizer of REST APIs whose API is not one.
pub(crate) fn is_rest_authorizer_of_v2(model: &Model, resource: &Resource) -> bool {
    let api = (resource.kind == "AWS::ApiGateway::Authorizer")
        .then(|| resource.properties.text("RestApiId"))
        .flatten();
    let api = api.as_ref().and_then(Text::as_reference);
    let api = api.and_then(|api| model.resource(&api.logical_id));
    api.is_some_and(|api| api.kind == "AWS::ApiGatewayV2::Api")
}

/// The authorizers that a route of the template names, be it in vain.
pub(crate) fn attached_authorizers(model: &Model) -> HashSet<&LogicalId> {
    let routes = model.apis.iter().flat_map(|api| &api.routes);
    routes.filter_map(|route| route.authorizer.to()).collect()
}

/// The open `$connect` routes of an api that has an authorizer, each with an authorizer that nothing names. None when
/// one of the api's `$connect` routes is not open, as in a template that has both and a condition that decides.
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

/// The authorizers of an api that nothing names.
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

/// The type that the route had in the earlier revision, when it has none any more.
pub(crate) fn removed_type(facts: &Facts<'_>, route: &Route) -> Option<Text> {
    let earlier = facts.previous?.resource(&route.resource.logical_id)?;
    let same = |key| earlier.properties.text(key) == route.resource.properties.text(key);
    let had = earlier.properties.text("AuthorizationType")?;
    let lost = authorization_kind(route) == AuthorizationKind::LeftOut
        && matches!(had.as_literal(), Some("CUSTOM" | "AWS_IAM"))
        && !settings::is_computed(earlier, &["AuthorizationType"]);
    (lost && same("ApiId") && same("RouteKey")).then_some(had)
}

/// Whether an authorizer is one of HTTP APIs: of the type `JWT`, or configured like it.
pub(crate) fn is_jwt(authorizer: &Authorizer) -> bool {
    let kind = authorizer
        .authorizer_type
        .as_ref()
        .and_then(Text::as_literal);
    kind == Some("JWT") || settings::is_set(&authorizer.resource, "JwtConfiguration")
}

/// The authorizers of the WebSocket APIs, but those that are not of their kind at all.
pub(crate) fn websocket_authorizers<'a>(
    facts: &Facts<'a>,
) -> impl Iterator<Item = &'a Authorizer> + use<'a> {
    let all = facts.websockets().flat_map(|api| &api.authorizers);
    all.filter(|authorizer| !is_jwt(authorizer))
}

/// Authorizers of an api that have the name of an earlier one, each after that one.
pub(crate) fn same_name_pairs(api: &Api) -> Vec<(&Authorizer, &Authorizer)> {
    let mut first = HashMap::new();
    let mut pairs = Vec::new();
    for authorizer in &api.authorizers {
        let name = authorizer.name.as_ref();
        let Some(name) = name.filter(|name| name.unknown().is_none()) else {
            continue;
        };
        // Of two under different conditions perhaps only one exists.
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
