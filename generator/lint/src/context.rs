//! What rules read.

use stackgen_model::{Api, Model, Protocol, RouteKey};

use crate::facts::hard_coded::HardCoded;
use crate::facts::permissions::Refusal;
use crate::suppress::Suppressions;

/// A template's model, and its earlier one where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) model: &'a Model,
    /// The template's earlier revision.
    pub(crate) previous: Option<&'a Model>,
    /// What may not be invoked, which several rules ask for.
    pub(crate) refusals: &'a [Refusal<'a>],
    /// What is written into ARNs that the stack could tell, which several rules ask for.
    pub(crate) hard_coded: &'a [HardCoded<'a>],
    /// What the template says is meant so. There is nothing in it until every other rule has been asked.
    pub(crate) suppressions: &'a Suppressions,
}

impl<'a> Context<'a> {
    /// The WebSocket APIs, and apis outside of the template whose routes here are a WebSocket API's.
    pub(crate) fn websockets(&self) -> impl Iterator<Item = &'a Api> + use<'a> {
        self.model.apis.iter().filter(|api| is_websocket(api))
    }

    /// Whether the template tells all that there is of an api: it is one of its own, and nothing that makes routes or
    /// stages is out of sight. Only then is what is absent missing.
    pub(crate) fn is_whole(&self, api: &Api) -> bool {
        api.resource.is_some() && self.model.holds_all_wiring()
    }
}

fn is_websocket(api: &Api) -> bool {
    let of_websocket = || {
        api.routes
            .iter()
            .map(|route| &route.key)
            .any(RouteKey::is_connect)
    };
    match api.protocol {
        Protocol::WebSocket => true,
        Protocol::Http => false,
        Protocol::Unknown => of_websocket(),
    }
}
