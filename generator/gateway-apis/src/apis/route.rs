//! Routes.

use std::sync::Arc;

use stackgen_gateway_common::{ApiId, RouteId, RouteKey, resource_id};

use super::check::{
    check_quota, length, merge, merge_texts, one_of, optional_length, required, set, set_text,
};
use super::state::{ApiState, StoredWiring};
use super::{ApiError, Apis, ProtocolType, RouteInput, StoredRoute};

impl Apis {
    /// Creates a route.
    ///
    /// # Errors
    ///
    /// If its key is taken (row D14) or reserved (row F2), or a value is not valid.
    pub fn create_route(
        &self,
        api: &ApiId,
        id: Option<RouteId>,
        input: RouteInput,
    ) -> Result<Arc<StoredRoute>, ApiError> {
        self.change_wiring(api, |state| {
            let route = state.create_route(id, input)?;
            let subject = format!("route {}", route.route_key);
            Ok((route, subject))
        })
    }

    /// Returns the route with this ID.
    ///
    /// # Errors
    ///
    /// If the API or the route does not exist.
    pub fn get_route(&self, api: &ApiId, id: &RouteId) -> Result<Arc<StoredRoute>, ApiError> {
        self.read(api, |state| state.wiring.route(id).cloned())
    }

    /// Returns all routes.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn list_routes(&self, api: &ApiId) -> Result<Vec<Arc<StoredRoute>>, ApiError> {
        self.read(api, |state| {
            Ok(state.wiring.routes.values().cloned().collect())
        })
    }

    /// Updates a route.
    ///
    /// # Errors
    ///
    /// As [`Apis::create_route`], or if the route does not exist.
    pub fn update_route(
        &self,
        api: &ApiId,
        id: &RouteId,
        input: RouteInput,
    ) -> Result<Arc<StoredRoute>, ApiError> {
        self.change_wiring(api, |state| {
            let mut route = StoredRoute::clone(state.wiring.route(id)?);
            apply(&mut route, input);
            let subject = format!("route {}", route.route_key);
            Ok((state.wiring.put_route(route)?, subject))
        })
    }

    /// Deletes a request parameter of a route.
    ///
    /// # Errors
    ///
    /// If the route or the parameter does not exist.
    pub fn delete_route_request_parameter(
        &self,
        api: &ApiId,
        id: &RouteId,
        key: &str,
    ) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            let mut route = StoredRoute::clone(state.wiring.route(id)?);
            let subject = format!("route {}", route.route_key);
            if route.request_parameters.shift_remove(key).is_none() {
                return Err(ApiError::not_found(format!(
                    "Invalid request parameter specified {key}"
                )));
            }
            state.wiring.put_route(route)?;
            Ok(((), subject))
        })
    }

    /// Deletes a route with its responses.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub fn delete_route(&self, api: &ApiId, id: &RouteId) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            let subject = format!("route {}", state.wiring.route(id)?.route_key);
            state.wiring.routes.shift_remove(id);
            state.wiring.route_responses.remove(id);
            Ok(((), subject))
        })
    }
}

impl ApiState {
    pub(super) fn create_route(
        &mut self,
        id: Option<RouteId>,
        mut input: RouteInput,
    ) -> Result<Arc<StoredRoute>, ApiError> {
        check_quota("Routes", self.wiring.routes.len(), 300)?;
        let id = id.unwrap_or_else(|| RouteId::new(resource_id(7)));
        if self.wiring.routes.contains_key(&id) {
            return Err(ApiError::conflict(format!("Route {id} already exists")));
        }
        let mut route = StoredRoute {
            route_id: id,
            route_key: required("routeKey", input.route_key.take())?,
            authorization_type: "NONE".to_owned(),
            authorizer_id: None,
            authorization_scopes: Vec::new(),
            api_key_required: false,
            target: None,
            route_response_selection_expression: None,
            model_selection_expression: None,
            request_models: Default::default(),
            request_parameters: Default::default(),
            operation_name: None,
        };
        apply(&mut route, input);
        self.wiring.put_route(route)
    }
}

impl StoredWiring {
    pub(super) fn route(&self, id: &RouteId) -> Result<&Arc<StoredRoute>, ApiError> {
        self.routes
            .get(id)
            .ok_or_else(|| ApiError::not_found(format!("Unable to find Route by Id {id}")))
    }

    fn put_route(&mut self, mut route: StoredRoute) -> Result<Arc<StoredRoute>, ApiError> {
        if !["CUSTOM", "JWT"].contains(&route.authorization_type.as_str()) {
            // An authorizer can be deleted after its route went back to NONE.
            route.authorizer_id = None;
        }
        let taken = |other: &Arc<StoredRoute>| {
            other.route_key == route.route_key && other.route_id != route.route_id
        };
        if self.routes.values().any(taken) {
            return Err(ApiError::conflict(format!(
                "Route with key {} already exists for this API",
                route.route_key
            )));
        }
        let http = self.api.protocol_type == ProtocolType::Http;
        let ambiguous = |other: &&Arc<StoredRoute>| {
            http && other.route_id != route.route_id
                && shape(&other.route_key) == shape(&route.route_key)
        };
        if let Some(other) = self.routes.values().find(ambiguous) {
            return Err(ApiError::conflict(format!(
                "The provided route key \"{}\" has a conflicting variable on the same hierarchical level as \"{}\"",
                route.route_key, other.route_key
            )));
        }
        self.check_route(&route)?;
        let route = Arc::new(route);
        self.routes.insert(route.route_id.clone(), route.clone());
        Ok(route)
    }

    fn check_route(&self, route: &StoredRoute) -> Result<(), ApiError> {
        check_key(self.api.protocol_type, &route.route_key)?;
        optional_length("operationName", route.operation_name.as_ref(), 64)?;
        self.check_target(route)?;
        self.check_authorization(route)?;
        let connect = route.route_key.as_str() == RouteKey::CONNECT;
        if !route.request_parameters.is_empty() && !connect {
            return Err(ApiError::bad_request(
                "RequestParameters are only supported for the $connect route",
            ));
        }
        for model in route.request_models.values() {
            if !self.models.values().any(|known| known.name == *model) {
                return Err(ApiError::bad_request(format!(
                    "Invalid model identifier specified: {model}"
                )));
            }
        }
        Ok(())
    }

    fn check_target(&self, route: &StoredRoute) -> Result<(), ApiError> {
        let Some(target) = &route.target else {
            return Ok(());
        };
        let id = target.strip_prefix("integrations/").ok_or_else(|| {
            ApiError::bad_request(format!(
                "Invalid target {target}: it must be integrations/ followed by an integration ID"
            ))
        })?;
        match self.integrations.get(id) {
            Some(_) => Ok(()),
            None => Err(ApiError::not_found(format!(
                "Unable to find Integration by Id {id}"
            ))),
        }
    }

    /// Checks that only `$connect` has authorization, and that `CUSTOM` has an authorizer of this API (rows A1, F2).
    fn check_authorization(&self, route: &StoredRoute) -> Result<(), ApiError> {
        let kind = route.authorization_type.as_str();
        let (allowed, needed): (&[&str], _) = match self.api.protocol_type {
            ProtocolType::WebSocket => (&["NONE", "AWS_IAM", "CUSTOM"], "REQUEST"),
            ProtocolType::Http if kind == "JWT" => (&["JWT"], "JWT"),
            ProtocolType::Http => (&["NONE", "AWS_IAM", "CUSTOM", "JWT"], "REQUEST"),
        };
        one_of("authorizationType", kind, allowed)?;
        let websocket = self.api.protocol_type == ProtocolType::WebSocket;
        if websocket && kind != "NONE" && route.route_key.as_str() != RouteKey::CONNECT {
            return Err(ApiError::bad_request(
                "Currently, authorization is restricted to the $connect route only",
            ));
        }
        if !["CUSTOM", "JWT"].contains(&kind) {
            return Ok(());
        }
        let id = route.authorizer_id.as_ref().ok_or_else(|| {
            ApiError::bad_request(format!(
                "AuthorizerId is required when AuthorizationType is {kind}"
            ))
        })?;
        match self.authorizers.get(id) {
            Some(authorizer) if authorizer.authorizer_type == needed => Ok(()),
            Some(_) => Err(ApiError::bad_request(format!(
                "AuthorizationType {kind} needs a {needed} authorizer, and authorizer {id} is of another type"
            ))),
            None => Err(ApiError::bad_request(format!(
                "Invalid authorizer ID specified {id}: this API has no such authorizer"
            ))),
        }
    }
}

/// Checks the form of a route key. On WebSocket APIs, only three keys start with `$` (row F2). On HTTP APIs, a key is
/// `$default` or a method and a path.
fn check_key(protocol: ProtocolType, key: &RouteKey) -> Result<(), ApiError> {
    length("routeKey", key.as_str(), 1, 1024)?;
    const RESERVED: [&str; 3] = [RouteKey::CONNECT, RouteKey::DISCONNECT, RouteKey::DEFAULT];
    let known = match protocol {
        ProtocolType::WebSocket => {
            !key.as_str().starts_with('$') || RESERVED.contains(&key.as_str())
        }
        ProtocolType::Http => {
            key.as_str() == RouteKey::DEFAULT
                || key.as_str().split_once(' ').is_some_and(|(method, path)| {
                    HTTP_METHODS.contains(&method) && path.starts_with('/')
                })
        }
    };
    if known {
        return Ok(());
    }
    Err(ApiError::bad_request(match protocol {
        ProtocolType::WebSocket => format!(
            "The provided route key is not valid: {key}. Only $connect, $disconnect and $default may start with $"
        ),
        ProtocolType::Http => format!(
            "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\": {key}"
        ),
    }))
}

/// Returns the key of an HTTP API's route without the names of its path variables.
fn shape(key: &RouteKey) -> String {
    let Some((method, path)) = key.as_str().split_once(" /") else {
        return key.to_string();
    };
    let segments = path.split('/').map(|segment| match segment {
        greedy if greedy.starts_with('{') && greedy.ends_with("+}") => "{+}",
        variable if variable.starts_with('{') && variable.ends_with('}') => "{}",
        fixed => fixed,
    });
    format!("{method} /{}", segments.collect::<Vec<_>>().join("/"))
}

const HTTP_METHODS: [&str; 8] = [
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

fn apply(route: &mut StoredRoute, input: RouteInput) {
    set(&mut route.route_key, input.route_key);
    set(&mut route.authorization_type, input.authorization_type);
    if let Some(id) = input.authorizer_id {
        route.authorizer_id = Some(id).filter(|id| !id.as_str().is_empty());
    }
    set(&mut route.authorization_scopes, input.authorization_scopes);
    set(&mut route.api_key_required, input.api_key_required);
    set_text(&mut route.target, input.target);
    set_text(
        &mut route.route_response_selection_expression,
        input.route_response_selection_expression,
    );
    set_text(
        &mut route.model_selection_expression,
        input.model_selection_expression,
    );
    merge_texts(&mut route.request_models, input.request_models);
    merge(&mut route.request_parameters, input.request_parameters);
    set_text(&mut route.operation_name, input.operation_name);
}
