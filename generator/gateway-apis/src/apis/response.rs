//! Route responses and integration responses.

use std::sync::Arc;

use stackgen_gateway_common::{
    ApiId, IntegrationId, IntegrationResponseId, RouteId, RouteResponseId, resource_id,
};

use super::check::{length, merge, merge_texts, one_of, required, set, set_text};
use super::{
    ApiError, Apis, IntegrationResponseInput, ProtocolType, RouteResponseInput,
    StoredIntegrationResponse, StoredRouteResponse,
};

impl Apis {
    /// Creates a route response.
    ///
    /// # Errors
    ///
    /// If the route does not exist, or the key is taken or not `$default` (row F5).
    pub fn create_route_response(
        &self,
        api: &ApiId,
        route: &RouteId,
        id: Option<RouteResponseId>,
        mut input: RouteResponseInput,
    ) -> Result<Arc<StoredRouteResponse>, ApiError> {
        self.change_wiring(api, |state| {
            let subject = format!("route {}", state.wiring.route(route)?.route_key);
            if state.wiring.api.protocol_type == ProtocolType::Http {
                return Err(ApiError::bad_request(
                    "RouteResponses are not supported for HTTP protocol Apis.",
                ));
            }
            let responses = state
                .wiring
                .route_responses
                .entry(route.clone())
                .or_default();
            let id = id.unwrap_or_else(|| RouteResponseId::new(resource_id(6)));
            let key = required("routeResponseKey", input.route_response_key.take())?;
            let taken = |other: &Arc<StoredRouteResponse>| other.route_response_key == key;
            if responses.contains_key(&id) || responses.values().any(taken) {
                return Err(ApiError::conflict(format!(
                    "Route Response with key {key} already exists for this Route"
                )));
            }
            let mut response = StoredRouteResponse {
                route_response_id: id.clone(),
                route_response_key: key,
                model_selection_expression: None,
                response_models: Default::default(),
                response_parameters: Default::default(),
            };
            apply_route_response(&mut response, input)?;
            let response = Arc::new(response);
            responses.insert(id, response.clone());
            Ok((response, subject))
        })
    }

    /// Returns the route response with this ID.
    ///
    /// # Errors
    ///
    /// If the route or the response does not exist.
    pub fn get_route_response(
        &self,
        api: &ApiId,
        route: &RouteId,
        id: &RouteResponseId,
    ) -> Result<Arc<StoredRouteResponse>, ApiError> {
        let all = self.list_route_responses(api, route)?;
        let found = all.into_iter().find(|one| one.route_response_id == *id);
        found.ok_or_else(|| no_route_response(id))
    }

    /// Returns all responses of a route.
    ///
    /// # Errors
    ///
    /// If the route does not exist.
    pub fn list_route_responses(
        &self,
        api: &ApiId,
        route: &RouteId,
    ) -> Result<Vec<Arc<StoredRouteResponse>>, ApiError> {
        self.read(api, |state| {
            state.wiring.route(route)?;
            let all = state.wiring.route_responses.get(route).into_iter();
            Ok(all.flat_map(|all| all.values().cloned()).collect())
        })
    }

    /// Updates a route response.
    ///
    /// # Errors
    ///
    /// As [`Apis::create_route_response`], or if the response does not exist.
    pub fn update_route_response(
        &self,
        api: &ApiId,
        route: &RouteId,
        id: &RouteResponseId,
        input: RouteResponseInput,
    ) -> Result<Arc<StoredRouteResponse>, ApiError> {
        self.change_wiring(api, |state| {
            let subject = format!("route {}", state.wiring.route(route)?.route_key);
            let responses = state.wiring.route_responses.get_mut(route);
            let response = responses
                .and_then(|all| all.get_mut(id))
                .ok_or_else(|| no_route_response(id))?;
            apply_route_response(Arc::make_mut(response), input)?;
            Ok((response.clone(), subject))
        })
    }

    /// Deletes a route response.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub fn delete_route_response(
        &self,
        api: &ApiId,
        route: &RouteId,
        id: &RouteResponseId,
    ) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            let subject = format!("route {}", state.wiring.route(route)?.route_key);
            let responses = state.wiring.route_responses.get_mut(route);
            responses
                .and_then(|all| all.shift_remove(id))
                .ok_or_else(|| no_route_response(id))?;
            Ok(((), subject))
        })
    }

    /// Creates an integration response.
    ///
    /// # Errors
    ///
    /// If the integration does not exist, or the key is taken.
    pub fn create_integration_response(
        &self,
        api: &ApiId,
        integration: &IntegrationId,
        id: Option<IntegrationResponseId>,
        mut input: IntegrationResponseInput,
    ) -> Result<Arc<StoredIntegrationResponse>, ApiError> {
        self.change_wiring(api, |state| {
            state.wiring.integration(integration)?;
            let responses = &mut state.wiring.integration_responses;
            let responses = responses.entry(integration.clone()).or_default();
            let id = id.unwrap_or_else(|| IntegrationResponseId::new(resource_id(6)));
            let key = required(
                "integrationResponseKey",
                input.integration_response_key.take(),
            )?;
            let taken =
                |other: &Arc<StoredIntegrationResponse>| other.integration_response_key == key;
            if responses.contains_key(&id) || responses.values().any(taken) {
                return Err(ApiError::conflict(format!(
                    "Integration Response with key {key} already exists for this Integration"
                )));
            }
            let mut response = StoredIntegrationResponse {
                integration_response_id: id.clone(),
                integration_response_key: key,
                response_templates: Default::default(),
                response_parameters: Default::default(),
                content_handling_strategy: None,
                template_selection_expression: None,
            };
            apply_integration_response(&mut response, input)?;
            let response = Arc::new(response);
            responses.insert(id, response.clone());
            Ok((response, format!("integration {integration}")))
        })
    }

    /// Returns the integration response with this ID.
    ///
    /// # Errors
    ///
    /// If the integration or the response does not exist.
    pub fn get_integration_response(
        &self,
        api: &ApiId,
        integration: &IntegrationId,
        id: &IntegrationResponseId,
    ) -> Result<Arc<StoredIntegrationResponse>, ApiError> {
        let all = self.list_integration_responses(api, integration)?;
        let found = (all.into_iter()).find(|one| one.integration_response_id == *id);
        found.ok_or_else(|| no_integration_response(id))
    }

    /// Returns all responses of an integration.
    ///
    /// # Errors
    ///
    /// If the integration does not exist.
    pub fn list_integration_responses(
        &self,
        api: &ApiId,
        integration: &IntegrationId,
    ) -> Result<Vec<Arc<StoredIntegrationResponse>>, ApiError> {
        self.read(api, |state| {
            state.wiring.integration(integration)?;
            let all = state.wiring.integration_responses.get(integration);
            Ok((all.into_iter())
                .flat_map(|all| all.values().cloned())
                .collect())
        })
    }

    /// Updates an integration response.
    ///
    /// # Errors
    ///
    /// As [`Apis::create_integration_response`], or if the response does not exist.
    pub fn update_integration_response(
        &self,
        api: &ApiId,
        integration: &IntegrationId,
        id: &IntegrationResponseId,
        input: IntegrationResponseInput,
    ) -> Result<Arc<StoredIntegrationResponse>, ApiError> {
        self.change_wiring(api, |state| {
            state.wiring.integration(integration)?;
            let responses = state.wiring.integration_responses.get_mut(integration);
            let response = responses
                .and_then(|all| all.get_mut(id))
                .ok_or_else(|| no_integration_response(id))?;
            apply_integration_response(Arc::make_mut(response), input)?;
            Ok((response.clone(), format!("integration {integration}")))
        })
    }

    /// Deletes an integration response.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub fn delete_integration_response(
        &self,
        api: &ApiId,
        integration: &IntegrationId,
        id: &IntegrationResponseId,
    ) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            state.wiring.integration(integration)?;
            let responses = state.wiring.integration_responses.get_mut(integration);
            responses
                .and_then(|all| all.shift_remove(id))
                .ok_or_else(|| no_integration_response(id))?;
            Ok(((), format!("integration {integration}")))
        })
    }
}

fn no_route_response(id: &RouteResponseId) -> ApiError {
    ApiError::not_found(format!("Unable to find RouteResponse by Id {id}"))
}

fn no_integration_response(id: &IntegrationResponseId) -> ApiError {
    ApiError::not_found(format!("Unable to find IntegrationResponse by Id {id}"))
}

fn apply_route_response(
    response: &mut StoredRouteResponse,
    input: RouteResponseInput,
) -> Result<(), ApiError> {
    set(&mut response.route_response_key, input.route_response_key);
    set_text(
        &mut response.model_selection_expression,
        input.model_selection_expression,
    );
    merge_texts(&mut response.response_models, input.response_models);
    merge(&mut response.response_parameters, input.response_parameters);
    if response.route_response_key != "$default" {
        return Err(ApiError::bad_request(
            "Currently, only $default is supported as a RouteResponseKey",
        ));
    }
    Ok(())
}

fn apply_integration_response(
    response: &mut StoredIntegrationResponse,
    input: IntegrationResponseInput,
) -> Result<(), ApiError> {
    let one = response;
    set(
        &mut one.integration_response_key,
        input.integration_response_key,
    );
    merge_texts(&mut one.response_templates, input.response_templates);
    merge_texts(&mut one.response_parameters, input.response_parameters);
    set_text(
        &mut one.content_handling_strategy,
        input.content_handling_strategy,
    );
    set_text(
        &mut one.template_selection_expression,
        input.template_selection_expression,
    );
    length(
        "integrationResponseKey",
        &one.integration_response_key,
        1,
        1024,
    )?;
    match &one.content_handling_strategy {
        Some(strategy) => one_of(
            "contentHandlingStrategy",
            strategy,
            &["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"],
        ),
        None => Ok(()),
    }
}
