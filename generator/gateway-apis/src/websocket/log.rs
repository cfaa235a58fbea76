//! Access logs of handshakes, messages and disconnections (row L1).

use std::borrow::Cow;

use super::WebSocketApi;
use super::payloads::RequestContext;
use crate::access_log;
use crate::apis::Stage;

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status<'a> {
    /// `$context.status`.
    pub(super) code: u16,
    /// `$context.error.message`, if API Gateway answered with one.
    pub(super) error: Option<&'a str>,
}

/// Writes a request's line, if the stage wants one.
pub(super) fn write(
    api: &WebSocketApi,
    stage: &Stage,
    context: &RequestContext<'_>,
    status: Status<'_>,
) {
    let settings = stage.access_log_settings.as_ref();
    let place = (&api.api, &stage.stage_name);
    let at = context.request_time_epoch;
    access_log::write(settings, &*api.plane.logs, place, at, |name| match name {
        "status" => Some(status.code.to_string().into()),
        "error.message" => status.error.map(Cow::from),
        "error.messageString" => status.error.map(|error| format!("\"{error}\"").into()),
        "authorizer.integrationLatency" | "authorizer.latency" => {
            Some(context.authorizer?.integration_latency.to_string().into())
        }
        _ => context.variable(name),
    });
}
