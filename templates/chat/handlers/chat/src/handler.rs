//! Handler of the API's routes.

use aws_lambda_events::apigw::{
    ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use serde::Serialize;
use stackgen_websocket::authorize::CallerIdentity;
use stackgen_websocket::{Broadcaster, Clock, ConnectionId, Timestamp};
use thiserror::Error;

use crate::protocol::{ClientMessage, MessageRefusal};
use crate::rooms::{Caller, Chat, Memberships, StoreError};

/// Response of the function to API Gateway. On two-way routes the caller receives the body (row M8); after `$connect`
/// and `$disconnect` API Gateway discards it (row C9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionResponse {
    /// Status of the handshake (row C5). API Gateway discards it for other events.
    pub status_code: u16,
    /// Message for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Reason why an event failed. The caller gets `Internal server error` (row M4), and Lambda counts an error.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HandlerError {
    /// The event does not come from a WebSocket API.
    #[error(
        "the event has no requestContext.connectionId: invoke this function from a WebSocket API"
    )]
    NoConnection,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Handles one event of any route.
///
/// # Errors
///
/// See [`HandlerError`].
pub async fn handle<M: Memberships, B: Broadcaster, C: Clock>(
    chat: &Chat<M, B, C>,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<FunctionResponse, HandlerError> {
    let result = respond(chat, event).await;
    result.inspect_err(|error| tracing::error!(%error, "Event failed"))
}

async fn respond<M: Memberships, B: Broadcaster, C: Clock>(
    chat: &Chat<M, B, C>,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<FunctionResponse, HandlerError> {
    let context = &event.request_context;
    let id = context.connection_id.as_deref();
    let id = ConnectionId::new(id.ok_or(HandlerError::NoConnection)?);
    let caller = caller(context, id.clone());
    match context.route_key.as_deref().unwrap_or_default() {
        "$connect" => Ok(status(if caller.is_some() { 200 } else { 401 })),
        "$disconnect" => {
            chat.disconnected(&id).await?;
            Ok(status(200))
        }
        route_key => {
            let body = event.body.as_deref().unwrap_or_default();
            let answer = match (caller, ClientMessage::parse(route_key, body)) {
                (None, _) => MessageRefusal::NotAuthenticated.into(),
                (_, Err(refusal)) => refusal.into(),
                (Some(caller), Ok(message)) => chat.answer(&caller, message).await?,
            };
            Ok(FunctionResponse {
                status_code: 200,
                body: Some(answer.to_json()),
            })
        }
    }
}

/// Returns the caller that the authorizer identified at `$connect`. All later events contain it (row A10).
fn caller(
    context: &ApiGatewayWebsocketProxyRequestContext,
    connection_id: ConnectionId,
) -> Option<Caller> {
    let CallerIdentity::User(user_id) = CallerIdentity::read(&context.authorizer) else {
        return None;
    };
    Some(Caller {
        connection_id,
        connected_at: Timestamp::from_millis(u64::try_from(context.connected_at).unwrap_or(0)),
        user_id,
    })
}

fn status(status_code: u16) -> FunctionResponse {
    FunctionResponse {
        status_code,
        body: None,
    }
}
