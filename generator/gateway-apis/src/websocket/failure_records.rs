//! Records of failures, which clients can look up.

use stackgen_gateway_common::{FailureEvidence, FailureRecord, FailureSubject, RouteKey};

use super::WebSocketApi;
use super::client::Client;
use super::close::CloseCause;
use super::error_frame::ErrorFrame;
use super::handshake::HandshakeTrace;
use super::payloads::RequestContext;
use super::refusal::WebSocketRefusal;
use crate::apis::ServedStage;

/// Records a refused handshake.
pub(super) fn handshake(
    api: &WebSocketApi,
    served: Option<&ServedStage>,
    client: &Client,
    trace: HandshakeTrace,
    refusal: &WebSocketRefusal,
) {
    let FailureEvidence { error, log } = refusal.evidence.as_deref().cloned().unwrap_or_default();
    let route = trace.has_route.then(|| RouteKey::new(RouteKey::CONNECT));
    api.plane.failures.add(FailureRecord {
        route,
        authorizer: trace.authorizer,
        function: trace.function,
        error,
        log,
        status: refusal.status,
        message: refusal.message.clone(),
        reason: refusal.reason.clone(),
        row: refusal.row.to_owned(),
        ..base_record(client, served, FailureSubject::Handshake)
    });
}

/// Records a message that gets an error frame.
pub(super) fn message(
    api: &WebSocketApi,
    served: Option<&ServedStage>,
    client: &Client,
    context: &RequestContext<'_>,
    error_frame: ErrorFrame,
) {
    let FailureEvidence { error, log } = error_frame.evidence.map(|it| *it).unwrap_or_default();
    let route = (!context.route_key.is_empty()).then(|| RouteKey::new(context.route_key));
    api.plane.failures.add(FailureRecord {
        request_id: context.request_id.clone(),
        route,
        function: error_frame.function,
        error,
        log,
        status: error_frame.status,
        message: error_frame.message.to_owned(),
        reason: error_frame.reason,
        row: error_frame.row.to_owned(),
        ..base_record(client, served, FailureSubject::Message)
    });
}

/// Records a connection that the gateway closes.
pub(super) fn close(api: &WebSocketApi, client: &Client, cause: &CloseCause) {
    if cause.frame().is_none() {
        return;
    }
    let details = cause.details();
    api.plane.failures.add(FailureRecord {
        status: details.code,
        message: details.reason,
        reason: details.meaning.to_owned(),
        row: details.row.to_owned(),
        ..base_record(client, None, FailureSubject::Connection)
    });
}

/// Returns a record with the client's data.
fn base_record(
    client: &Client,
    served: Option<&ServedStage>,
    subject: FailureSubject,
) -> FailureRecord {
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
        log: Vec::new(),
        status: 0,
        message: String::new(),
        reason: String::new(),
        row: String::new(),
    }
}
