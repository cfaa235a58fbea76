//! APIs.

use std::sync::Arc;

use stackgen_gateway_common::{ApiId, EpochMillis, RouteKey, StageName, resource_id};

use super::check::{length, one_of, optional_length, required, set, set_text, unset};
use super::state::ApiState;
use super::{
    ApiError, ApiInput, Apis, IntegrationInput, Pairs, ProtocolType, RouteInput, StageInput,
    StoredApi,
};

impl Apis {
    /// Creates an API.
    ///
    /// # Errors
    ///
    /// If a required value is missing, a value is not allowed for the protocol (row F1), or the ID is taken.
    pub fn create_api(
        &self,
        id: Option<ApiId>,
        input: ApiInput,
    ) -> Result<Arc<StoredApi>, ApiError> {
        let id = id.unwrap_or_else(|| ApiId::new(resource_id(10)));
        let protocol_type = required("protocolType", input.protocol_type)?;
        let mut api = StoredApi {
            api_id: id.clone(),
            name: String::new(),
            protocol_type,
            api_endpoint: None,
            route_selection_expression: match protocol_type {
                ProtocolType::WebSocket => String::new(),
                ProtocolType::Http => HTTP_ROUTE_SELECTION.to_owned(),
            },
            api_key_selection_expression: "$request.header.x-api-key".to_owned(),
            cors_configuration: None,
            description: None,
            disable_schema_validation: false,
            disable_execute_api_endpoint: false,
            created_date: EpochMillis::now(),
            version: None,
            ip_address_type: Some("ipv4".to_owned()),
            tags: input.tags.clone().unwrap_or_default(),
        };
        let quick = QuickCreate::of(&input);
        apply(&mut api, input)?;
        if quick.is_some() && protocol_type == ProtocolType::WebSocket {
            unset("Target", quick.as_ref(), "WEBSOCKET")?;
        }
        let mut state = ApiState::new(api);
        if let Some(quick) = quick {
            quick.fill(&mut state)?;
        }
        let api = state.wiring.api.clone();
        let mut all = self.all();
        if all.contains_key(&id) {
            return Err(ApiError::conflict(format!("Api {id} already exists")));
        }
        self.publish(&id, Some(&state));
        all.insert(id, state);
        drop(all);
        self.start_listening(api)
    }

    /// Returns the API with this ID.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn get_api(&self, id: &ApiId) -> Result<Arc<StoredApi>, ApiError> {
        self.read(id, |state| Ok(state.wiring.api.clone()))
    }

    /// Returns all APIs in the order of creation.
    pub fn list_apis(&self) -> Vec<Arc<StoredApi>> {
        let all = self.all();
        all.values().map(|state| state.wiring.api.clone()).collect()
    }

    /// Updates an API. Selection expressions and CORS settings are wiring (row D1).
    ///
    /// # Errors
    ///
    /// If the API does not exist, or the result is not valid.
    pub fn update_api(&self, id: &ApiId, input: ApiInput) -> Result<Arc<StoredApi>, ApiError> {
        self.change_wiring(id, |state| {
            state.update_api(input)?;
            Ok((state.wiring.api.clone(), "the API's settings".to_owned()))
        })
    }

    /// Sets the endpoint of an API.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn set_api_endpoint(
        &self,
        id: &ApiId,
        endpoint: String,
    ) -> Result<Arc<StoredApi>, ApiError> {
        self.change(id, |state| {
            Arc::make_mut(&mut state.wiring.api).api_endpoint = Some(endpoint);
            Ok(state.wiring.api.clone())
        })
    }

    /// Deletes the CORS configuration of an HTTP API.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn delete_cors_configuration(&self, id: &ApiId) -> Result<(), ApiError> {
        self.change_wiring(id, |state| {
            Arc::make_mut(&mut state.wiring.api).cors_configuration = None;
            Ok(((), "the API's CORS configuration".to_owned()))
        })
    }

    /// Deletes an API with all its resources.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn delete_api(&self, id: &ApiId) -> Result<(), ApiError> {
        let mut all = self.all();
        all.shift_remove(id).ok_or_else(|| self.no_such_api(id))?;
        self.publish(id, None);
        drop(all);
        self.stop_listening(id);
        Ok(())
    }

    /// Adds tags to an API or to one of its stages.
    ///
    /// # Errors
    ///
    /// If the API or the stage does not exist.
    pub fn tag(&self, id: &ApiId, stage: Option<&str>, tags: Pairs) -> Result<(), ApiError> {
        self.change(id, |state| {
            state.tags(stage)?.extend(tags);
            Ok(())
        })
    }

    /// Removes tags.
    ///
    /// # Errors
    ///
    /// If the API or the stage does not exist.
    pub fn untag(&self, id: &ApiId, stage: Option<&str>, keys: &[String]) -> Result<(), ApiError> {
        self.change(id, |state| {
            state.tags(stage)?.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }
}

const HTTP_ROUTE_SELECTION: &str = "$request.method $request.path";

impl ApiState {
    pub(super) fn update_api(&mut self, input: ApiInput) -> Result<(), ApiError> {
        if QuickCreate::of(&input).is_some() {
            return Err(ApiError::bad_request(
                "Target can only be set when the API is created: update the integration instead",
            ));
        }
        apply(Arc::make_mut(&mut self.wiring.api), input)
    }

    fn tags(&mut self, stage: Option<&str>) -> Result<&mut Pairs, ApiError> {
        match stage {
            None => Ok(&mut Arc::make_mut(&mut self.wiring.api).tags),
            Some(stage) => Ok(&mut self.stage_mut(stage)?.tags),
        }
    }
}

fn apply(api: &mut StoredApi, input: ApiInput) -> Result<(), ApiError> {
    set(&mut api.name, input.name);
    set(
        &mut api.route_selection_expression,
        input.route_selection_expression,
    );
    set(
        &mut api.api_key_selection_expression,
        input.api_key_selection_expression,
    );
    set_text(&mut api.description, input.description);
    set_text(&mut api.version, input.version);
    set_text(&mut api.ip_address_type, input.ip_address_type);
    if input.cors_configuration.is_some() {
        api.cors_configuration = input.cors_configuration;
    }
    set(
        &mut api.disable_schema_validation,
        input.disable_schema_validation,
    );
    set(
        &mut api.disable_execute_api_endpoint,
        input.disable_execute_api_endpoint,
    );
    check(api)
}

fn check(api: &StoredApi) -> Result<(), ApiError> {
    length("name", &api.name, 1, 128)?;
    optional_length("description", api.description.as_ref(), 1024)?;
    optional_length("version", api.version.as_ref(), 64)?;
    if let Some(kind) = &api.ip_address_type {
        one_of("ipAddressType", kind, &["ipv4", "dualstack"])?;
    }
    match api.protocol_type {
        ProtocolType::WebSocket => {
            if api.route_selection_expression.is_empty() {
                return Err(ApiError::bad_request(
                    "RouteSelectionExpression is required for WEBSOCKET protocol Apis.",
                ));
            }
            unset(
                "CorsConfiguration",
                api.cors_configuration.as_ref(),
                "WEBSOCKET",
            )?;
            one_of(
                "apiKeySelectionExpression",
                &api.api_key_selection_expression,
                &[
                    "$request.header.x-api-key",
                    "$context.authorizer.usageIdentifierKey",
                ],
            )
        }
        ProtocolType::Http => one_of(
            "routeSelectionExpression",
            &api.route_selection_expression,
            &[HTTP_ROUTE_SELECTION, "${request.method} ${request.path}"],
        ),
    }
}

/// Quick create: an API with an integration, a route and a stage.
struct QuickCreate {
    target: String,
    route_key: RouteKey,
    credentials_arn: Option<String>,
}

impl QuickCreate {
    fn of(input: &ApiInput) -> Option<Self> {
        let default = || RouteKey::new(RouteKey::DEFAULT);
        Some(QuickCreate {
            target: input.target.clone()?,
            route_key: input.route_key.clone().unwrap_or_else(default),
            credentials_arn: input.credentials_arn.clone(),
        })
    }

    fn fill(self, state: &mut ApiState) -> Result<(), ApiError> {
        let lambda = self.target.starts_with("arn:");
        let kind = if lambda { "AWS_PROXY" } else { "HTTP_PROXY" };
        let integration = state.create_integration(
            None,
            IntegrationInput {
                integration_type: Some(kind.to_owned()),
                integration_method: (!lambda).then(|| "ANY".to_owned()),
                integration_uri: Some(self.target),
                payload_format_version: Some(if lambda { "2.0" } else { "1.0" }.to_owned()),
                credentials_arn: self.credentials_arn,
                ..IntegrationInput::default()
            },
        )?;
        state.create_route(
            None,
            RouteInput {
                route_key: Some(self.route_key),
                target: Some(format!("integrations/{}", integration.integration_id)),
                ..RouteInput::default()
            },
        )?;
        state.create_stage(StageInput {
            stage_name: Some(StageName::new("$default")),
            auto_deploy: Some(true),
            ..StageInput::default()
        })?;
        Ok(())
    }
}
