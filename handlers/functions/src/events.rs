//! What API Gateway says, in the words of the core.

use aws_lambda_events::apigw::{
    ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use lambda_runtime::Diagnostic;
use live_session_core::{ConnectionId, Handshake, Sender, Timestamp, UserId};
use serde::Serialize;
use stackgen_websocket::authorize::{CallerIdentity, echoed_subprotocol};
use thiserror::Error;

/// An event that is not what API Gateway sends to this function.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EventError {
    /// A field is missing.
    #[error("the event has no requestContext.{0}: is the function called by a WebSocket API?")]
    Missing(&'static str),
    /// It came by a route that belongs to another function.
    #[error("an event of type {0:?} is not for this function: look at the API's routes")]
    Unexpected(String),
}

/// The event's connection.
pub fn connection_id(
    context: &ApiGatewayWebsocketProxyRequestContext,
) -> Result<ConnectionId, EventError> {
    let id = context.connection_id.as_deref();
    id.map(ConnectionId::new)
        .ok_or(EventError::Missing("connectionId"))
}

/// Who sent it, and over which connection (row E0).
pub fn sender(context: &ApiGatewayWebsocketProxyRequestContext) -> Result<Sender, EventError> {
    Ok(Sender {
        connection_id: connection_id(context)?,
        connected_at: Timestamp::from_millis(u64::try_from(context.connected_at).unwrap_or(0)),
        ip_address: context.identity.source_ip.clone().unwrap_or_default(),
        user_id: user_id(context),
    })
}

/// The verified user. A subject that is no user id has been refused by the authorizer; here it is nobody.
fn user_id(context: &ApiGatewayWebsocketProxyRequestContext) -> Option<UserId> {
    let caller = CallerIdentity::read(&context.authorizer);
    caller.user_id().and_then(|id| UserId::try_from(id).ok())
}

/// A `$connect` event (row E1). Only here there are query parameters (row E2).
pub fn handshake(event: &ApiGatewayWebsocketProxyRequest) -> Result<Handshake, EventError> {
    let sender = sender(&event.request_context)?;
    let parameter = |name| event.query_string_parameters.first(name).map(str::to_owned);
    Ok(Handshake {
        connection_id: sender.connection_id,
        connected_at: sender.connected_at,
        ip_address: sender.ip_address,
        user_id: sender.user_id,
        session_id: parameter("sessionId"),
        target_language: parameter("targetLanguage"),
        previous_connection_id: parameter("previousConnectionId"),
    })
}

/// What a function answers API Gateway: a status, and after `$connect` the subprotocol if one was offered (rows C9, C10).
/// There is never a body: on one-way routes nobody reads it (row M7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The status: of the handshake (row C5), or one that nobody reads (row M7).
    pub status_code: u16,
    /// The subprotocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Subprotocol>,
}

/// The header that makes browsers accept the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subprotocol {
    /// One of those that were offered.
    #[serde(rename = "Sec-WebSocket-Protocol")]
    pub name: String,
}

impl Reply {
    /// Only a status.
    pub fn status(status_code: u16) -> Self {
        Reply {
            status_code,
            headers: None,
        }
    }

    /// 200, with the subprotocol that a browser waits for.
    pub fn connected(event: &ApiGatewayWebsocketProxyRequest) -> Self {
        let offered = event.headers.get("Sec-WebSocket-Protocol");
        let offered = offered.and_then(|offered| offered.to_str().ok());
        let name = offered.and_then(echoed_subprotocol).map(str::to_owned);
        Reply {
            status_code: 200,
            headers: name.map(|name| Subprotocol { name }),
        }
    }
}

/// What Lambda reports, and API Gateway answers with `Internal server error` (rows C6, M4).
impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        Diagnostic {
            error_type: "EventError".to_owned(),
            error_message: error.to_string(),
        }
    }
}
