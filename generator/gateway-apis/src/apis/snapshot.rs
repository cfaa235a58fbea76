//! Snapshots, which deployments hold (row D1).

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use stackgen_gateway_common::{AuthorizerId, IntegrationId, RouteId, RouteKey};

use super::{
    Cors, StoredApi, StoredAuthorizer, StoredIntegration, StoredIntegrationResponse, StoredModel,
    StoredRoute, StoredRouteResponse,
};

/// Everything of an API except its stages, as it was when a deployment was created. It never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// API with its selection expressions.
    pub api: Arc<StoredApi>,
    /// Routes by key.
    pub routes: HashMap<RouteKey, Arc<StoredRoute>>,
    /// Integrations by ID.
    pub integrations: HashMap<IntegrationId, Arc<StoredIntegration>>,
    /// Integration responses by integration.
    pub integration_responses: HashMap<IntegrationId, Vec<Arc<StoredIntegrationResponse>>>,
    /// Route responses by route.
    pub route_responses: HashMap<RouteId, Vec<Arc<StoredRouteResponse>>>,
    /// Authorizers by ID.
    pub authorizers: HashMap<AuthorizerId, Arc<StoredAuthorizer>>,
    /// Models by name.
    pub models: HashMap<String, Arc<StoredModel>>,
}

/// Properties of an API that are wiring. Its name, its description and its tags are not.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiOwnWiring<'a> {
    api_key_selection_expression: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors_configuration: Option<&'a Cors>,
    disable_schema_validation: bool,
    route_selection_expression: &'a str,
}

impl Snapshot {
    /// Returns the wiring of the API itself.
    pub(super) fn api_wiring(&self) -> ApiOwnWiring<'_> {
        ApiOwnWiring {
            api_key_selection_expression: &self.api.api_key_selection_expression,
            cors_configuration: self.api.cors_configuration.as_ref(),
            disable_schema_validation: self.api.disable_schema_validation,
            route_selection_expression: &self.api.route_selection_expression,
        }
    }

    /// Returns the route with exactly this key.
    pub fn route(&self, key: &str) -> Option<&Arc<StoredRoute>> {
        self.routes.get(key)
    }

    /// Returns the integration that a route targets; `None` for a route without a target (row F2).
    pub fn integration(&self, route: &StoredRoute) -> Option<&Arc<StoredIntegration>> {
        let id = route.target.as_deref()?.strip_prefix("integrations/")?;
        self.integrations.get(id)
    }

    /// Returns the authorizer of a route; `None` if its authorization type uses none.
    pub fn authorizer(&self, route: &StoredRoute) -> Option<&Arc<StoredAuthorizer>> {
        if !["CUSTOM", "JWT"].contains(&route.authorization_type.as_str()) {
            return None;
        }
        self.authorizers.get(route.authorizer_id.as_ref()?)
    }

    /// Returns true if both snapshots hold the same wiring.
    pub fn has_same_wiring(&self, other: &Snapshot) -> bool {
        self.api_wiring() == other.api_wiring()
            && self.routes == other.routes
            && self.integrations == other.integrations
            && self.integration_responses == other.integration_responses
            && self.route_responses == other.route_responses
            && self.authorizers == other.authorizers
            && self.models == other.models
    }

    /// Returns true if the integration's answer is sent back to the client: the route has a `$default` route response
    /// (row M8).
    pub fn is_two_way(&self, route: &StoredRoute) -> bool {
        let responses = self.route_responses.get(&route.route_id);
        let mut responses = responses.into_iter().flatten();
        responses.any(|response| response.route_response_key == "$default")
    }
}
