//! Access logs of handshakes, messages and disconnects (row L1).

use std::borrow::Cow;

use super::WebSocketApi;
use super::payloads::RequestContext;
use crate::access_log;
use crate::apis::StoredStage;

/// Outcome of a request for the access log.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoggedStatus<'a> {
    /// Value of `$context.status`.
    pub(super) code: u16,
    /// Value of `$context.error.message`, if API Gateway answered with an error.
    pub(super) error: Option<&'a str>,
}

/// Writes the log line of a request, if the stage has access logs.
pub(super) fn write(
    api: &WebSocketApi,
    stage: &StoredStage,
    context: &RequestContext<'_>,
    status: LoggedStatus<'_>,
) {
    let settings = stage.access_log_settings.as_ref();
    let source = (&api.api, &stage.stage_name);
    let at = context.request_time_epoch;
    access_log::write(settings, &*api.plane.logs, source, at, |name| match name {
        "status" => Some(status.code.to_string().into()),
        "error.message" => status.error.map(Cow::from),
        "error.messageString" => status.error.map(|error| format!("\"{error}\"").into()),
        "authorizer.integrationLatency" | "authorizer.latency" => {
            Some(context.authorizer?.integration_latency.to_string().into())
        }
        _ => context.variable(name),
    });
}
