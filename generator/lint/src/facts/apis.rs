//! Finds the WebSocket APIs, and decides whether the template shows everything that they have.

use stackgen_model::{Api, Model, Protocol, RouteKey};

/// Returns the WebSocket APIs of a template, and the APIs of other stacks to which the template adds a `$connect`
/// route.
pub(crate) fn websockets(model: &Model) -> impl Iterator<Item = &Api> {
    model.apis.iter().filter(|api| is_websocket(api))
}

/// Returns true if the template creates the API and the linter can read everything that may add routes or stages to it.
/// Only then is what is absent missing.
pub(crate) fn is_complete(model: &Model, api: &Api) -> bool {
    api.resource.is_some() && model.holds_all_wiring()
}

fn is_websocket(api: &Api) -> bool {
    match api.protocol {
        Protocol::WebSocket => true,
        Protocol::Http => false,
        Protocol::Unknown => {
            let mut keys = api.routes.iter().map(|route| &route.key);
            keys.any(RouteKey::is_connect)
        }
    }
}
