//! Records of failures, which clients can look up.

use stackgen_gateway_common::{FailureRecord, FailureSubject, RouteKey};

use super::WebSocketApi;
use super::client::Client;
use super::close::Ending;
use super::handshake::HandshakeTrace;
use super::message::Refused;
use super::payloads::RequestContext;
use super::refusal::Refusal;
use crate::apis::Served;

/// Records a refused handshake.
pub(super) fn handshake(
    api: &WebSocketApi,
    served: Option<&Served>,
    client: &Client,
    trace: HandshakeTrace,
    refusal: &Refusal,
) {
    let route = trace.has_route.then(|| RouteKey::new(RouteKey::CONNECT));
    api.plane.failures.add(FailureRecord {
        route,
        authorizer: trace.authorizer,
        function: trace.function,
        error: refusal.error.as_deref().cloned(),
        status: refusal.status,
        message: refusal.message.clone(),
        reason: refusal.reason.clone(),
        row: refusal.row.to_owned(),
        ..of_client(client, served, FailureSubject::Handshake)
    });
}

/// Records a message that gets an error frame.
pub(super) fn message(
    api: &WebSocketApi,
    served: Option<&Served>,
    client: &Client,
    context: &RequestContext<'_>,
    refused: Refused,
) {
    let route = (!context.route_key.is_empty()).then(|| RouteKey::new(context.route_key));
    api.plane.failures.add(FailureRecord {
        request_id: context.request_id.clone(),
        route,
        function: refused.function,
        error: refused.error.map(|error| *error),
        status: refused.status,
        message: refused.message.to_owned(),
        reason: refused.reason,
        row: refused.row.to_owned(),
        ..of_client(client, served, FailureSubject::Message)
    });
}

/// Records a connection that the gateway closes.
pub(super) fn ending(api: &WebSocketApi, client: &Client, ending: &Ending) {
    if ending.frame().is_none() {
        return;
    }
    let told = ending.told();
    api.plane.failures.add(FailureRecord {
        status: told.code,
        message: told.reason,
        reason: told.meaning.to_owned(),
        row: told.row.to_owned(),
        ..of_client(client, None, FailureSubject::Connection)
    });
}

/// Returns a record with the client's data.
fn of_client(client: &Client, served: Option<&Served>, subject: FailureSubject) -> FailureRecord {
    let connection = &client.connection;
    FailureRecord {
        subject,
        handshake_id: client.handshake_id.clone(),
        request_id: client.handshake_id.clone(),
        connection_id: connection.id.clone(),
        api_id: connection.api.clone(),
        stage: connection.stage.clone(),
        deployment_id: served.and_then(|served| served.stage.deployment_id.clone()),
        route: None,
        authorizer: None,
        function: None,
        error: None,
        status: 0,
        message: String::new(),
        reason: String::new(),
        row: String::new(),
    }
}
