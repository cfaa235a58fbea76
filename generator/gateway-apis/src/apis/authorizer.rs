//! Authorizers.

use std::sync::Arc;

use stackgen_gateway_common::{ApiId, AuthorizerId, resource_id};

use super::check::{check_quota, length, one_of, optional_length, required, set, set_text, unset};
use super::state::{ApiState, StoredWiring};
use super::{ApiError, Apis, AuthorizerInput, ProtocolType, StoredAuthorizer, StoredRoute};

impl Apis {
    /// Creates an authorizer.
    ///
    /// # Errors
    ///
    /// If its name is taken, or a value is not allowed for the protocol (rows A3, A11, A12, F6).
    pub fn create_authorizer(
        &self,
        api: &ApiId,
        id: Option<AuthorizerId>,
        input: AuthorizerInput,
    ) -> Result<Arc<StoredAuthorizer>, ApiError> {
        self.change_wiring(api, |state| {
            let authorizer = state.create_authorizer(id, input)?;
            let subject = format!("authorizer {}", authorizer.name);
            Ok((authorizer, subject))
        })
    }

    /// Returns the authorizer with this ID.
    ///
    /// # Errors
    ///
    /// If the API or the authorizer does not exist.
    pub fn get_authorizer(
        &self,
        api: &ApiId,
        id: &AuthorizerId,
    ) -> Result<Arc<StoredAuthorizer>, ApiError> {
        self.read(api, |state| state.wiring.authorizer(id).cloned())
    }

    /// Returns all authorizers.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn list_authorizers(&self, api: &ApiId) -> Result<Vec<Arc<StoredAuthorizer>>, ApiError> {
        self.read(api, |state| {
            Ok(state.wiring.authorizers.values().cloned().collect())
        })
    }

    /// Updates an authorizer.
    ///
    /// # Errors
    ///
    /// As [`Apis::create_authorizer`], or if the authorizer does not exist.
    pub fn update_authorizer(
        &self,
        api: &ApiId,
        id: &AuthorizerId,
        input: AuthorizerInput,
    ) -> Result<Arc<StoredAuthorizer>, ApiError> {
        self.change_wiring(api, |state| {
            let mut authorizer = StoredAuthorizer::clone(state.wiring.authorizer(id)?);
            apply(&mut authorizer, input);
            let authorizer = state.wiring.put_authorizer(authorizer)?;
            let subject = format!("authorizer {}", authorizer.name);
            Ok((authorizer, subject))
        })
    }

    /// Deletes an authorizer.
    ///
    /// # Errors
    ///
    /// If it does not exist, or a route uses it.
    pub fn delete_authorizer(&self, api: &ApiId, id: &AuthorizerId) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            let name = state.wiring.authorizer(id)?.name.clone();
            let used = |route: &&Arc<StoredRoute>| route.authorizer_id.as_ref() == Some(id);
            if let Some(route) = state.wiring.routes.values().find(used) {
                return Err(ApiError::conflict(format!(
                    "Cannot delete authorizer '{name}', is referenced in route: {}",
                    route.route_key
                )));
            }
            state.wiring.authorizers.shift_remove(id);
            Ok(((), format!("authorizer {name}")))
        })
    }
}

impl ApiState {
    pub(super) fn create_authorizer(
        &mut self,
        id: Option<AuthorizerId>,
        mut input: AuthorizerInput,
    ) -> Result<Arc<StoredAuthorizer>, ApiError> {
        check_quota("Authorizers", self.wiring.authorizers.len(), 10)?;
        let id = id.unwrap_or_else(|| AuthorizerId::new(resource_id(6)));
        if self.wiring.authorizers.contains_key(&id) {
            return Err(ApiError::conflict(format!(
                "Authorizer {id} already exists"
            )));
        }
        let mut authorizer = StoredAuthorizer {
            authorizer_id: id,
            name: required("name", input.name.take())?,
            authorizer_type: required("authorizerType", input.authorizer_type.take())?,
            authorizer_uri: None,
            identity_source: Vec::new(),
            authorizer_credentials_arn: None,
            authorizer_result_ttl_in_seconds: None,
            authorizer_payload_format_version: None,
            enable_simple_responses: None,
            jwt_configuration: None,
            identity_validation_expression: None,
        };
        apply(&mut authorizer, input);
        self.wiring.put_authorizer(authorizer)
    }
}

impl StoredWiring {
    fn authorizer(&self, id: &AuthorizerId) -> Result<&Arc<StoredAuthorizer>, ApiError> {
        self.authorizers
            .get(id)
            .ok_or_else(|| ApiError::not_found(format!("Unable to find Authorizer by Id {id}")))
    }

    fn put_authorizer(
        &mut self,
        authorizer: StoredAuthorizer,
    ) -> Result<Arc<StoredAuthorizer>, ApiError> {
        check(self.api.protocol_type, &authorizer)?;
        let taken = |other: &Arc<StoredAuthorizer>| {
            other.name == authorizer.name && other.authorizer_id != authorizer.authorizer_id
        };
        if self.authorizers.values().any(taken) {
            return Err(ApiError::bad_request(format!(
                "Authorizer name must be unique. Authorizer {} already exists in this RestApi.",
                authorizer.name
            )));
        }
        let authorizer = Arc::new(authorizer);
        self.authorizers
            .insert(authorizer.authorizer_id.clone(), authorizer.clone());
        Ok(authorizer)
    }
}

fn check(protocol: ProtocolType, authorizer: &StoredAuthorizer) -> Result<(), ApiError> {
    length("name", &authorizer.name, 1, 128)?;
    let expression = authorizer.identity_validation_expression.as_ref();
    optional_length("identityValidationExpression", expression, 1024)?;
    match protocol {
        ProtocolType::WebSocket => check_websocket(authorizer),
        ProtocolType::Http => check_http(authorizer),
    }
}

fn check_websocket(authorizer: &StoredAuthorizer) -> Result<(), ApiError> {
    const WEBSOCKET: &str = "WEBSOCKET";
    let one = authorizer;
    one_of("authorizerType", &one.authorizer_type, &["REQUEST"])?;
    // API Gateway refuses any value, even 0 (row A11).
    let ttl = one.authorizer_result_ttl_in_seconds.as_ref();
    unset("AuthorizerResultTtlInSeconds", ttl, WEBSOCKET)?;
    let version = one.authorizer_payload_format_version.as_ref();
    unset("AuthorizerPayloadFormatVersion", version, WEBSOCKET)?;
    let simple = one.enable_simple_responses.as_ref();
    unset("EnableSimpleResponses", simple, WEBSOCKET)?;
    unset(
        "JwtConfiguration",
        one.jwt_configuration.as_ref(),
        WEBSOCKET,
    )?;
    check_uri(one)?;
    const FROM_REQUEST: [&str; 4] = [
        "route.request.header.",
        "route.request.querystring.",
        "context.",
        "stageVariables.",
    ];
    check_sources(one, &FROM_REQUEST)
}

fn check_http(authorizer: &StoredAuthorizer) -> Result<(), ApiError> {
    let one = authorizer;
    one_of("authorizerType", &one.authorizer_type, &["REQUEST", "JWT"])?;
    const FROM_REQUEST: [&str; 4] = [
        "$request.header.",
        "$request.querystring.",
        "$context.",
        "$stageVariables.",
    ];
    if one.authorizer_type == "JWT" {
        let Some(jwt) = &one.jwt_configuration else {
            return Err(ApiError::bad_request(
                "JwtConfiguration is required for JWT authorizers",
            ));
        };
        length("issuer", &jwt.issuer, 1, 2048)?;
        return check_sources(one, &FROM_REQUEST[..2]);
    }
    check_uri(one)?;
    let Some(version) = &one.authorizer_payload_format_version else {
        return Err(ApiError::bad_request(
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer",
        ));
    };
    one_of("authorizerPayloadFormatVersion", version, &["1.0", "2.0"])?;
    if one.authorizer_result_ttl_in_seconds > Some(3600) {
        return Err(ApiError::bad_request(
            "AuthorizerResultTtlInSeconds must be between 0 and 3600",
        ));
    }
    check_sources(one, &FROM_REQUEST)
}

fn check_uri(authorizer: &StoredAuthorizer) -> Result<(), ApiError> {
    match &authorizer.authorizer_uri {
        Some(uri) if !uri.contains(":lambda:path/") || !uri.ends_with("/invocations") => {
            Err(ApiError::bad_request(format!(
                "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
            )))
        }
        Some(uri) => length("authorizerUri", uri, 1, 2048),
        None => Err(ApiError::bad_request(
            "AuthorizerUri is required for REQUEST authorizers",
        )),
    }
}

/// Checks that each identity source has a known prefix and a name (row A3).
fn check_sources(authorizer: &StoredAuthorizer, prefixes: &[&str]) -> Result<(), ApiError> {
    for source in &authorizer.identity_source {
        let known = prefixes.iter().any(|prefix| {
            source
                .strip_prefix(prefix)
                .is_some_and(|name| !name.is_empty())
        });
        if !known {
            return Err(ApiError::bad_request(format!(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {source}]"
            )));
        }
    }
    Ok(())
}

fn apply(authorizer: &mut StoredAuthorizer, input: AuthorizerInput) {
    set(&mut authorizer.name, input.name);
    set(&mut authorizer.authorizer_type, input.authorizer_type);
    set_text(&mut authorizer.authorizer_uri, input.authorizer_uri);
    set(&mut authorizer.identity_source, input.identity_source);
    set_text(
        &mut authorizer.authorizer_credentials_arn,
        input.authorizer_credentials_arn,
    );
    if input.authorizer_result_ttl_in_seconds.is_some() {
        authorizer.authorizer_result_ttl_in_seconds = input.authorizer_result_ttl_in_seconds;
    }
    set_text(
        &mut authorizer.authorizer_payload_format_version,
        input.authorizer_payload_format_version,
    );
    if input.enable_simple_responses.is_some() {
        authorizer.enable_simple_responses = input.enable_simple_responses;
    }
    if input.jwt_configuration.is_some() {
        authorizer.jwt_configuration = input.jwt_configuration;
    }
    set_text(
        &mut authorizer.identity_validation_expression,
        input.identity_validation_expression,
    );
}
