//! Integrations.

use std::sync::Arc;

use stackgen_gateway_common::{ApiId, IntegrationId, resource_id};

use super::check::{
    check_quota, merge, merge_texts, one_of, optional_length, required, set, set_text, unset,
};
use super::state::{ApiState, StoredWiring};
use super::{ApiError, Apis, IntegrationInput, ProtocolType, StoredIntegration};

impl Apis {
    /// Creates an integration.
    ///
    /// # Errors
    ///
    /// If a value is not valid (row F3).
    pub fn create_integration(
        &self,
        api: &ApiId,
        id: Option<IntegrationId>,
        input: IntegrationInput,
    ) -> Result<Arc<StoredIntegration>, ApiError> {
        self.change_wiring(api, |state| {
            let integration = state.create_integration(id, input)?;
            let subject = format!("integration {}", integration.integration_id);
            Ok((integration, subject))
        })
    }

    /// Returns the integration with this ID.
    ///
    /// # Errors
    ///
    /// If the API or the integration does not exist.
    pub fn get_integration(
        &self,
        api: &ApiId,
        id: &IntegrationId,
    ) -> Result<Arc<StoredIntegration>, ApiError> {
        self.read(api, |state| state.wiring.integration(id).cloned())
    }

    /// Returns all integrations.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn list_integrations(&self, api: &ApiId) -> Result<Vec<Arc<StoredIntegration>>, ApiError> {
        self.read(api, |state| {
            Ok(state.wiring.integrations.values().cloned().collect())
        })
    }

    /// Updates an integration. Stages call the old one until the API is deployed (row D1).
    ///
    /// # Errors
    ///
    /// As [`Apis::create_integration`], or if the integration does not exist.
    pub fn update_integration(
        &self,
        api: &ApiId,
        id: &IntegrationId,
        input: IntegrationInput,
    ) -> Result<Arc<StoredIntegration>, ApiError> {
        self.change_wiring(api, |state| {
            let mut integration = StoredIntegration::clone(state.wiring.integration(id)?);
            apply(&mut integration, input);
            let integration = state.wiring.put_integration(integration)?;
            Ok((integration, format!("integration {id}")))
        })
    }

    /// Deletes an integration with its responses.
    ///
    /// # Errors
    ///
    /// If it does not exist, or a route targets it.
    pub fn delete_integration(&self, api: &ApiId, id: &IntegrationId) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            state.wiring.integration(id)?;
            let target = format!("integrations/{id}");
            let routes: Vec<_> = (state.wiring.routes.values())
                .filter(|route| route.target.as_deref() == Some(&target))
                .map(|route| route.route_id.as_str())
                .collect();
            if !routes.is_empty() {
                return Err(ApiError::conflict(format!(
                    "Cannot delete Integration because it is referenced by the following Routes with Ids: [{}]",
                    routes.join(", ")
                )));
            }
            state.wiring.integrations.shift_remove(id);
            state.wiring.integration_responses.remove(id);
            Ok(((), format!("integration {id}")))
        })
    }
}

impl ApiState {
    pub(super) fn create_integration(
        &mut self,
        id: Option<IntegrationId>,
        mut input: IntegrationInput,
    ) -> Result<Arc<StoredIntegration>, ApiError> {
        check_quota("Integrations", self.wiring.integrations.len(), 300)?;
        let id = id.unwrap_or_else(|| IntegrationId::new(resource_id(7)));
        if self.wiring.integrations.contains_key(&id) {
            return Err(ApiError::conflict(format!(
                "Integration {id} already exists"
            )));
        }
        let websocket = self.wiring.api.protocol_type == ProtocolType::WebSocket;
        let expression = "${integration.response.statuscode}";
        let mut integration = StoredIntegration {
            integration_id: id,
            integration_type: required("integrationType", input.integration_type.take())?,
            integration_uri: None,
            integration_method: None,
            credentials_arn: None,
            timeout_in_millis: if websocket { 29_000 } else { 30_000 },
            payload_format_version: Some("1.0".to_owned()),
            connection_type: "INTERNET".to_owned(),
            connection_id: None,
            integration_subtype: None,
            integration_response_selection_expression: websocket.then(|| expression.to_owned()),
            content_handling_strategy: None,
            passthrough_behavior: websocket.then(|| "WHEN_NO_MATCH".to_owned()),
            template_selection_expression: None,
            request_templates: Default::default(),
            request_parameters: Default::default(),
            response_parameters: Default::default(),
            tls_config: None,
            description: None,
        };
        apply(&mut integration, input);
        self.wiring.put_integration(integration)
    }
}

impl StoredWiring {
    pub(super) fn integration(
        &self,
        id: &IntegrationId,
    ) -> Result<&Arc<StoredIntegration>, ApiError> {
        self.integrations
            .get(id)
            .ok_or_else(|| ApiError::not_found(format!("Unable to find Integration by Id {id}")))
    }

    fn put_integration(
        &mut self,
        integration: StoredIntegration,
    ) -> Result<Arc<StoredIntegration>, ApiError> {
        check(self.api.protocol_type, &integration)?;
        let integration = Arc::new(integration);
        self.integrations
            .insert(integration.integration_id.clone(), integration.clone());
        Ok(integration)
    }
}

fn check(protocol: ProtocolType, integration: &StoredIntegration) -> Result<(), ApiError> {
    let one = integration;
    let kind = one.integration_type.as_str();
    let websocket = protocol == ProtocolType::WebSocket;
    let kinds: &[&str] = match protocol {
        ProtocolType::WebSocket => &["AWS", "HTTP", "MOCK", "HTTP_PROXY", "AWS_PROXY"],
        ProtocolType::Http => &["AWS_PROXY", "HTTP_PROXY"],
    };
    one_of("integrationType", kind, kinds)?;
    one_of(
        "connectionType",
        &one.connection_type,
        &["INTERNET", "VPC_LINK"],
    )?;
    let most = if websocket { 29_000 } else { 30_000 };
    if !(50..=most).contains(&one.timeout_in_millis) {
        return Err(ApiError::bad_request(format!(
            "Timeout should be between 50 ms and {most} ms"
        )));
    }
    let version = one.payload_format_version.as_deref().unwrap_or("1.0");
    let versions: &[&str] = if websocket { &["1.0"] } else { &["1.0", "2.0"] };
    one_of("payloadFormatVersion", version, versions)?;
    optional_length("description", one.description.as_ref(), 1024)?;
    optional_length("integrationUri", one.integration_uri.as_ref(), 2048)?;
    if let Some(strategy) = &one.content_handling_strategy {
        let known = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];
        one_of("contentHandlingStrategy", strategy, &known)?;
    }
    if let Some(behavior) = &one.passthrough_behavior {
        let known = ["WHEN_NO_MATCH", "NEVER", "WHEN_NO_TEMPLATES"];
        one_of("passthroughBehavior", behavior, &known)?;
    }
    if websocket {
        unset(
            "IntegrationSubtype",
            one.integration_subtype.as_ref(),
            "WEBSOCKET",
        )?;
        let parameters = (!one.response_parameters.is_empty()).then_some(());
        unset("ResponseParameters", parameters.as_ref(), "WEBSOCKET")?;
    }
    let needs_uri = kind != "MOCK" && one.integration_subtype.is_none();
    if needs_uri && one.integration_uri.is_none() {
        return Err(ApiError::bad_request(format!(
            "IntegrationUri is required for {kind} integrations"
        )));
    }
    Ok(())
}

fn apply(integration: &mut StoredIntegration, input: IntegrationInput) {
    let one = integration;
    set(&mut one.integration_type, input.integration_type);
    set_text(&mut one.integration_uri, input.integration_uri);
    set_text(&mut one.integration_method, input.integration_method);
    set_text(&mut one.integration_subtype, input.integration_subtype);
    set_text(&mut one.credentials_arn, input.credentials_arn);
    set(&mut one.timeout_in_millis, input.timeout_in_millis);
    set_text(
        &mut one.payload_format_version,
        input.payload_format_version,
    );
    set(&mut one.connection_type, input.connection_type);
    set_text(&mut one.connection_id, input.connection_id);
    set_text(
        &mut one.content_handling_strategy,
        input.content_handling_strategy,
    );
    set_text(&mut one.passthrough_behavior, input.passthrough_behavior);
    set_text(
        &mut one.template_selection_expression,
        input.template_selection_expression,
    );
    merge_texts(&mut one.request_templates, input.request_templates);
    merge_texts(&mut one.request_parameters, input.request_parameters);
    merge(&mut one.response_parameters, input.response_parameters);
    one.response_parameters
        .retain(|_, changes| !changes.is_empty());
    if input.tls_config.is_some() {
        one.tls_config = input.tls_config;
    }
    set_text(&mut one.description, input.description);
}
