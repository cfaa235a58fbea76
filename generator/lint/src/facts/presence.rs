//! Decides whether routes and resources certainly exist.

use stackgen_model::{Api, Resolved, Resource, Route};

/// Returns the key of a route, if it is known.
pub(crate) fn known_key(route: &Route) -> Option<&str> {
    let known = match route.resource.properties.get("RouteKey")? {
        Resolved::Text(text) => text.as_literal().is_some(),
        Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float(_) => true,
        _ => false,
    };
    known.then(|| route.key.as_str())
}

/// Returns the key of a route for messages, which is not `$connect`, `$disconnect` or `$default`.
pub(crate) fn custom_key(route: &Route) -> Option<&str> {
    known_key(route).filter(|_| !route.key.is_predefined())
}

/// Returns true if an API has the route, or one whose key differs only in upper and lower case: another rule reports
/// `$Default`.
pub(crate) fn has_route(api: &Api, key: &str) -> bool {
    let mut keys = api.routes.iter().map(|route| route.key.as_str());
    keys.any(|other| other.eq_ignore_ascii_case(key))
}

/// Returns true if a resource exists whenever its API does: without an unknown condition, or under the API's condition.
pub(crate) fn exists_with_api(api: &Api, resource: &Resource) -> bool {
    let of_api = api.resource.as_ref().and_then(|api| condition(api));
    let of_resource = condition(resource);
    of_resource.is_none() || of_resource == of_api
}

/// Returns the name of the condition that decides whether a resource exists.
pub(crate) fn condition(resource: &Resource) -> Option<&str> {
    let conditional = resource.conditional.as_ref()?;
    Some(conditional.name.as_str())
}

/// Returns true if two resources exist together: without an unknown condition, or under the same one.
pub(crate) fn exist_together(one: &Resource, other: &Resource) -> bool {
    condition(one) == condition(other)
}
