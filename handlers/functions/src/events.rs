//! Conversion of API Gateway's events into the core's types.

use aws_lambda_events::apigw::{
    ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use lambda_runtime::Diagnostic;
use live_session_core::{ConnectionId, Handshake, Sender, Timestamp, UserId};
use serde::Serialize;
use stackgen_websocket::authorize::{CallerIdentity, echoed_subprotocol};
use thiserror::Error;

use crate::authorizer::grant;

/// Event that API Gateway does not send to this function.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EventError {
    /// A field is missing.
    #[error("the event has no requestContext.{0}: invoke this function from a WebSocket API")]
    Missing(&'static str),
    /// The event is for another function.
    #[error(
        "this function does not handle events of type {0:?}: check the integrations of the API's routes"
    )]
    Unexpected(String),
}

/// Returns the event's connection ID.
pub fn connection_id(
    context: &ApiGatewayWebsocketProxyRequestContext,
) -> Result<ConnectionId, EventError> {
    let id = context.connection_id.as_deref();
    id.map(ConnectionId::new)
        .ok_or(EventError::Missing("connectionId"))
}

/// Returns the sender of the event (row E0).
pub fn sender(context: &ApiGatewayWebsocketProxyRequestContext) -> Result<Sender, EventError> {
    Ok(Sender {
        connection_id: connection_id(context)?,
        connected_at: Timestamp::from_millis(u64::try_from(context.connected_at).unwrap_or(0)),
        ip_address: context.identity.source_ip.clone().unwrap_or_default(),
        user_id: user_id(context),
        grant: grant(&context.authorizer.fields),
    })
}

/// Returns the verified user. The authorizer refuses subjects that are no valid user ID; here they count as anonymous.
fn user_id(context: &ApiGatewayWebsocketProxyRequestContext) -> Option<UserId> {
    let caller = CallerIdentity::read(&context.authorizer);
    caller.user_id().and_then(|id| UserId::try_from(id).ok())
}

/// Returns the handshake of a `$connect` event (row E1). Only this event has query parameters (row E2).
pub fn handshake(event: &ApiGatewayWebsocketProxyRequest) -> Result<Handshake, EventError> {
    let sender = sender(&event.request_context)?;
    let parameter = |name| event.query_string_parameters.first(name).map(str::to_owned);
    Ok(Handshake {
        connection_id: sender.connection_id,
        connected_at: sender.connected_at,
        ip_address: sender.ip_address,
        user_id: sender.user_id,
        grant: sender.grant,
        session_id: parameter("sessionId"),
        target_language: parameter("targetLanguage"),
        previous_connection_id: parameter("previousConnectionId"),
    })
}

/// Response of a function to API Gateway: a status and, after `$connect`, the subprotocol if the client offered one
/// (rows C9, C10). It has no body, because API Gateway discards the body on one-way routes (row M7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionResponse {
    /// Status of the handshake (row C5). API Gateway discards it for other events (row M7).
    pub status_code: u16,
    /// Subprotocol that the handshake selects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Subprotocol>,
}

/// Header that selects a subprotocol. Without it, browsers close the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subprotocol {
    /// One of the offered subprotocols.
    #[serde(rename = "Sec-WebSocket-Protocol")]
    pub name: String,
}

impl FunctionResponse {
    /// Returns a response without headers.
    pub fn status(status_code: u16) -> Self {
        FunctionResponse {
            status_code,
            headers: None,
        }
    }

    /// Returns 200 with the subprotocol, if the client offered one.
    pub fn connected(event: &ApiGatewayWebsocketProxyRequest) -> Self {
        let offered = event.headers.get("Sec-WebSocket-Protocol");
        let offered = offered.and_then(|offered| offered.to_str().ok());
        let name = offered.and_then(echoed_subprotocol).map(str::to_owned);
        FunctionResponse {
            status_code: 200,
            headers: name.map(|name| Subprotocol { name }),
        }
    }
}

/// Error that Lambda reports. API Gateway answers with `Internal server error` (rows C6, M4).
impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        Diagnostic {
            error_type: "EventError".to_owned(),
            error_message: error.to_string(),
        }
    }
}
