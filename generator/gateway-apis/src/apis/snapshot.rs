//! What a deployment froze (row D1).

use std::collections::HashMap;
use std::sync::Arc;

use stackgen_gateway_common::{AuthorizerId, IntegrationId, RouteId, RouteKey};

use super::{Api, Authorizer, Integration, IntegrationResponse, Model, Route, RouteResponse};

/// Everything of an api but its stages, at the moment when a deployment was made. It never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The api with its selection expressions.
    pub api: Arc<Api>,
    /// Its routes by their keys.
    pub routes: HashMap<RouteKey, Arc<Route>>,
    /// Its integrations.
    pub integrations: HashMap<IntegrationId, Arc<Integration>>,
    /// Responses of integrations.
    pub integration_responses: HashMap<IntegrationId, Vec<Arc<IntegrationResponse>>>,
    /// Responses of routes.
    pub route_responses: HashMap<RouteId, Vec<Arc<RouteResponse>>>,
    /// Its authorizers.
    pub authorizers: HashMap<AuthorizerId, Arc<Authorizer>>,
    /// Its models by their names.
    pub models: HashMap<String, Arc<Model>>,
}

impl Snapshot {
    /// The route that answers to exactly this key.
    pub fn route(&self, key: &str) -> Option<&Arc<Route>> {
        self.routes.get(key)
    }

    /// The integration that a route's target names; `None` when the route is dead (row F2).
    pub fn integration(&self, route: &Route) -> Option<&Arc<Integration>> {
        let id = route.target.as_deref()?.strip_prefix("integrations/")?;
        self.integrations.get(id)
    }

    /// A route's authorizer; `None` when its authorization type asks for none.
    pub fn authorizer(&self, route: &Route) -> Option<&Arc<Authorizer>> {
        if !["CUSTOM", "JWT"].contains(&route.authorization_type.as_str()) {
            return None;
        }
        self.authorizers.get(route.authorizer_id.as_ref()?)
    }

    /// True when both freeze the same wiring. An api's name, description and tags are no wiring.
    pub fn carries_what(&self, other: &Snapshot) -> bool {
        let api = |snapshot: &Snapshot| {
            let api = &snapshot.api;
            (
                api.route_selection_expression.clone(),
                api.api_key_selection_expression.clone(),
                api.disable_schema_validation,
                api.cors_configuration.clone(),
            )
        };
        api(self) == api(other)
            && self.routes == other.routes
            && self.integrations == other.integrations
            && self.integration_responses == other.integration_responses
            && self.route_responses == other.route_responses
            && self.authorizers == other.authorizers
            && self.models == other.models
    }

    /// True when what a route's integration returns is sent back: the selection expression **and** a route response
    /// `$default` (row M8).
    pub fn is_two_way(&self, route: &Route) -> bool {
        route.route_response_selection_expression.as_deref() == Some("$default")
            && self
                .route_responses
                .get(&route.route_id)
                .is_some_and(|responses| {
                    responses
                        .iter()
                        .any(|response| response.route_response_key == "$default")
                })
    }
}
