//! The function behind the API's routes.

use aws_lambda_events::apigw::{
    ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use serde::Serialize;
use stackgen_websocket::authorize::CallerIdentity;
use stackgen_websocket::{Broadcaster, Clock, ConnectionId, Timestamp};
use thiserror::Error;

use crate::protocol::{Call, Refusal};
use crate::rooms::{Caller, Chat, Memberships, StoreError};

/// What API Gateway gets. On two-way routes the caller gets the body (row M8); after `$connect` and `$disconnect` nobody
/// does (row C9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The status of the handshake (row C5); nobody reads another one.
    pub status_code: u16,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Why an event could not be handled. The caller gets `Internal server error` (row M4), and Lambda counts an error.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HandlerError {
    /// Not an event of a WebSocket API.
    #[error(
        "the event has no requestContext.connectionId: is the function called by a WebSocket API?"
    )]
    NoConnection,
    /// The table fails.
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
) -> Result<Reply, HandlerError> {
    let result = reply(chat, event).await;
    result.inspect_err(|error| tracing::error!(%error, "Event not handled"))
}

async fn reply<M: Memberships, B: Broadcaster, C: Clock>(
    chat: &Chat<M, B, C>,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<Reply, HandlerError> {
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
            let answer = match (caller, Call::read(route_key, body)) {
                (None, _) => Refusal::NotAuthenticated.into(),
                (_, Err(refusal)) => refusal.into(),
                (Some(caller), Ok(call)) => chat.answer(&caller, call).await?,
            };
            Ok(Reply {
                status_code: 200,
                body: Some(answer.to_json()),
            })
        }
    }
}

/// Whom the authorizer found. What it found at `$connect` comes with every later event (row A10).
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

fn status(status_code: u16) -> Reply {
    Reply {
        status_code,
        body: None,
    }
}
