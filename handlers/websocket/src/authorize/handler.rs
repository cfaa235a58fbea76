//! The authorizer's function.

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

/// A REQUEST authorizer on `$connect`, whole: hand [`Authorizer::handle`] to `lambda_runtime`.
#[derive(Debug)]
pub struct Authorizer<K, C> {
    verifier: Verifier<K, C>,
    callers: Callers,
}

impl<K: KeySource, C: Clock> Authorizer<K, C> {
    /// Lets these callers in, if what tokens they bring are good.
    pub fn new(verifier: Verifier<K, C>, callers: Callers) -> Self {
        Authorizer { verifier, callers }
    }

    /// Answers one event and logs what became of it, without the token.
    ///
    /// # Errors
    ///
    /// `Unauthorized`, which API Gateway makes a 401 (row A6), or something that it makes a 500 (row A7).
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

/// Reads the event, here and not in the runtime: the runtime logs what it cannot read, and that may be a token. What
/// cannot be read has no `methodArn`, and is refused for that.
fn read(event: Value) -> ConnectRequest {
    let event =
        serde_path_to_error::deserialize::<_, ApiGatewayCustomAuthorizerRequestTypeRequest>(event);
    match event {
        Ok(event) => event.into(),
        Err(error) => {
            // Where, and not what.
            tracing::error!(field = %error.path(), "Event not understood");
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
