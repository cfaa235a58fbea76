//! Authorizer: tickets and tokens.
//!
//! `stackgen-websocket` verifies tokens. This module redeems the tickets of live sessions.

use std::collections::HashMap;

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use lambda_runtime::LambdaEvent;
use live_session_core::ports::{Ports, RateLimiter, TicketStore};
use live_session_core::tickets::{TicketError, TicketRequest, redeem};
use live_session_core::{CallerLimits, Clock, Grant, Role, SessionId, Ticket};
use serde_json::{Value, json};
use stackgen_websocket::authorize::{
    Authorization, AuthorizeError, Authorizer, ConnectRequest, KeySource, TokenError, find_token,
};
use stackgen_websocket::metrics::{AUTHORIZATION_REFUSALS, count};
use tracing::{error, info, warn};

/// Context field with the session of a redeemed ticket.
const TICKET_SESSION: &str = "ticketSession";
/// Context field with the role of a redeemed ticket.
const TICKET_ROLE: &str = "ticketRole";

/// Handles one event: a ticket in the query counts, or else a token.
///
/// # Errors
///
/// Fails with `Unauthorized`, for which API Gateway answers 401 (row A6), or with an error for which it answers 500 (row A7).
pub async fn handle<S: RateLimiter + TicketStore, B, C: Clock, K: KeySource, D: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    authorizer: &Authorizer<K, D>,
    event: LambdaEvent<Value>,
) -> Result<Value, AuthorizeError> {
    let Some(request) = ticket_request(&event.payload) else {
        let response = authorizer.handle(event).await?;
        return Ok(json!(response));
    };
    let decision = decide(ports, limits, &request).await;
    let (request_id, connection_id) = (&request.connect.request_id, &request.connect.connection_id);
    match decision {
        Ok(ticket) => {
            let (role, session) = (ticket.role.name(), &ticket.session_id);
            info!(requestId = %request_id, connectionId = %connection_id, sessionId = %session, role, "Ticket redeemed");
            Ok(response(request.connect.method_arn, &ticket))
        }
        Err(TicketDecisionError::Refused(reason)) => {
            count(AUTHORIZATION_REFUSALS);
            warn!(requestId = %request_id, connectionId = %connection_id, reason, "Ticket refused");
            Err(AuthorizeError::Unauthorized(TokenError::Ticket))
        }
        Err(TicketDecisionError::Failed(failure)) => {
            error!(requestId = %request_id, connectionId = %connection_id, error = failure, "Ticket not verified");
            Err(AuthorizeError::Unavailable(failure))
        }
    }
}

/// A handshake with a ticket.
struct TicketHandshake {
    connect: ConnectRequest,
    /// All values of the query parameter `ticket`, except empty ones.
    tickets: Vec<String>,
    /// All values of the query parameter `sessionId`.
    sessions: Vec<String>,
    ip_address: String,
}

/// Returns the handshake if its query has a ticket.
fn ticket_request(event: &Value) -> Option<TicketHandshake> {
    // Tokens of a malformed event are the other authorizer's matter.
    let event: ApiGatewayCustomAuthorizerRequestTypeRequest =
        serde_json::from_value(event.clone()).ok()?;
    // For repeated names, the first map has only the last value, and the second has all.
    let query = [
        &event.query_string_parameters,
        &event.multi_value_query_string_parameters,
    ];
    let values = |name: &str| {
        let values = query.iter().filter_map(|map| map.all(name)).flatten();
        let mut values: Vec<_> = values.map(str::to_owned).collect();
        values.sort();
        values.dedup();
        values
    };
    let mut tickets = values("ticket");
    tickets.retain(|ticket| !ticket.is_empty());
    let sessions = values("sessionId");
    let ip_address = event
        .request_context
        .identity
        .as_ref()
        .and_then(|identity| identity.source_ip.clone())
        .unwrap_or_default();
    (!tickets.is_empty()).then(|| TicketHandshake {
        tickets,
        sessions,
        ip_address,
        connect: event.into(),
    })
}

enum TicketDecisionError {
    Refused(&'static str),
    Failed(String),
}

/// Redeems the ticket. A handshake with a token besides, or with several tickets or sessions, is ambiguous, and refused.
async fn decide<S: RateLimiter + TicketStore, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    request: &TicketHandshake,
) -> Result<Ticket, TicketDecisionError> {
    let refused = TicketDecisionError::Refused;
    if request.connect.method_arn.is_empty() {
        let missing = "the event has no methodArn: invoke this function from a WebSocket API";
        return Err(TicketDecisionError::Failed(missing.to_owned()));
    }
    if !matches!(find_token(&request.connect), Ok(None)) {
        return Err(refused("ticketAndToken"));
    }
    let (Some(secret), true) = (request.tickets.first(), request.tickets.len() == 1) else {
        return Err(refused("severalTickets"));
    };
    if request.sessions.len() > 1 {
        return Err(refused("severalSessions"));
    }
    let session_id = request.sessions.first().map_or("", String::as_str);
    let ticket = TicketRequest {
        secret,
        session_id,
        ip_address: &request.ip_address,
    };
    redeem(ports, limits, ticket)
        .await
        .map_err(|error| match error {
            TicketError::Invalid => refused("invalid"),
            TicketError::RateLimited(_) => refused("tooOften"),
            TicketError::Store(error) => TicketDecisionError::Failed(error.to_string()),
        })
}

/// Returns the response that allows the requested method, with the ticket's limits in the context (rows A5, A8 to A10).
fn response(method_arn: String, ticket: &Ticket) -> Value {
    let allowed = Authorization {
        method_arn,
        identity: None,
    };
    let mut response = json!(allowed.into_response());
    response["principalId"] = json!(ticket.user_id);
    response["context"] = json!({
        "userId": ticket.user_id,
        "tokenUse": "ticket",
        TICKET_SESSION: ticket.session_id,
        TICKET_ROLE: ticket.role.name(),
    });
    response
}

/// Returns the limits of the ticket with which a connection was opened, from `requestContext.authorizer`. Only the authorizer
/// writes these fields: both, or none for callers without a ticket.
pub(crate) fn grant(context: &HashMap<String, Value>) -> Option<Grant> {
    let text = |name: &str| context.get(name).and_then(Value::as_str);
    let session = text(TICKET_SESSION)?;
    let role = match text(TICKET_ROLE) {
        Some("speaker") => Role::Speaker,
        _ => Role::Listener,
    };
    let session_id = SessionId::try_from(session).ok()?;
    Some(Grant { session_id, role })
}
