//! What is there for certain, and what is missing for certain.

use stackgen_model::{Api, Resolved, Resource, Route};

/// The key of a route, when the template tells it.
pub(crate) fn known_key(route: &Route) -> Option<&str> {
    let known = match route.resource.properties.get("RouteKey")? {
        Resolved::Text(text) => text.as_literal().is_some(),
        Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float(_) => true,
        _ => false,
    };
    known.then(|| route.key.as_str())
}

/// The key of a route that messages choose: neither `$connect` nor `$disconnect` nor `$default`.
pub(crate) fn custom_key(route: &Route) -> Option<&str> {
    known_key(route).filter(|_| !route.key.is_predefined())
}

/// Whether an api has the route, or one whose key is meant to be it: `$Default` is refused and found as that.
pub(crate) fn has_route(api: &Api, key: &str) -> bool {
    let mut keys = api.routes.iter().map(|route| route.key.as_str());
    keys.any(|other| other.eq_ignore_ascii_case(key))
}

/// Whether a resource is there whenever its api is: under no condition that is not known, or under the api's own.
pub(crate) fn exists_with_api(api: &Api, resource: &Resource) -> bool {
    let of_api = api.resource.as_ref().and_then(|api| condition(api));
    let of_resource = condition(resource);
    of_resource.is_none() || of_resource == of_api
}

/// The name of the condition that decides whether a resource exists.
pub(crate) fn condition(resource: &Resource) -> Option<&str> {
    let conditional = resource.conditional.as_ref()?;
    Some(conditional.name.as_str())
}

/// Whether of two resources each is there when the other is: under no condition that is not known, or under the same.
pub(crate) fn exist_together(one: &Resource, other: &Resource) -> bool {
    condition(one) == condition(other)
}
