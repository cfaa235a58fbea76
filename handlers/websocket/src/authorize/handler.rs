//! Lambda handler of the authorizer.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use super::decide::{Authorization, AuthorizerResponse, Callers, authorize};
use super::error::AuthorizeError;
use super::keys::KeySource;
use super::request::ConnectRequest;
use super::verify::Verifier;
use crate::Clock;
use crate::metrics::{AUTHORIZATION_REFUSALS, count};

/// A complete REQUEST authorizer for `$connect`. Pass [`Authorizer::handle`] to `lambda_runtime`.
#[derive(Debug)]
pub struct Authorizer<K, C> {
    verifier: Verifier<K, C>,
    callers: Callers,
}

impl<K: KeySource, C: Clock> Authorizer<K, C> {
    /// Returns an authorizer that admits these callers, if their tokens are valid.
    pub fn new(verifier: Verifier<K, C>, callers: Callers) -> Self {
        Authorizer { verifier, callers }
    }

    /// Handles one event, and logs the decision without the token.
    ///
    /// # Errors
    ///
    /// Fails with `Unauthorized`, for which API Gateway answers 401 (row A6), or with an error for which it answers 500
    /// (row A7).
    pub async fn handle(
        &self,
        event: LambdaEvent<Value>,
    ) -> Result<AuthorizerResponse, AuthorizeError> {
        let request = read(event.payload);
        let decision = authorize(&request, &self.verifier, self.callers).await;
        if matches!(decision, Err(AuthorizeError::Unauthorized(_))) {
            count(AUTHORIZATION_REFUSALS);
        }
        log(&request, &decision);
        decision.map(Authorization::into_response)
    }
}

/// Parses the event. The Lambda runtime would log an event that it cannot parse, with the token in it. A malformed
/// event becomes a request without `methodArn`, which is refused.
fn read(event: Value) -> ConnectRequest {
    let event =
        serde_path_to_error::deserialize::<_, ApiGatewayCustomAuthorizerRequestTypeRequest>(event);
    match event {
        Ok(event) => event.into(),
        Err(error) => {
            // The field's path, and not its value.
            tracing::error!(field = %error.path(), "Malformed event");
            ConnectRequest::default()
        }
    }
}

fn log(request: &ConnectRequest, decision: &Result<Authorization, AuthorizeError>) {
    let ConnectRequest {
        request_id,
        connection_id,
        ..
    } = request;
    match decision {
        Ok(authorization) => {
            if let Some(identity) = &authorization.identity {
                let token_use = identity.token_use.as_str();
                tracing::info!(requestId = %request_id, connectionId = %connection_id, tokenUse = token_use, "Token validated");
            }
            let role = authorization.role();
            tracing::info!(requestId = %request_id, connectionId = %connection_id, role, "Authorization successful");
        }
        Err(AuthorizeError::Unauthorized(reason)) => {
            tracing::warn!(requestId = %request_id, connectionId = %connection_id, code = ?reason, %reason, "Authorization refused");
        }
        Err(error) => {
            tracing::error!(requestId = %request_id, connectionId = %connection_id, %error, "Authorization failed");
        }
    }
}
