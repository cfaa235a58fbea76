//! Error frames, the answers to messages that fail.

use bytes::Bytes;
use stackgen_gateway_common::FailureEvidence;

use super::failure::IntegrationFailure;
use super::payloads::{EventType, RequestContext};

/// Content of an error frame.
pub(super) struct ErrorFrame {
    pub(super) status: u16,
    pub(super) message: &'static str,
    pub(super) reason: String,
    pub(super) row: &'static str,
    /// Function, if it was called.
    pub(super) function: Option<String>,
    /// Evidence, if a function was called.
    pub(super) evidence: Option<Box<FailureEvidence>>,
}

impl ErrorFrame {
    pub(super) fn new(
        status: u16,
        message: &'static str,
        reason: impl Into<String>,
        row: &'static str,
    ) -> Self {
        ErrorFrame {
            status,
            message,
            reason: reason.into(),
            row,
            function: None,
            evidence: None,
        }
    }

    /// Maps the failure of a message's integration.
    pub(super) fn from_failure(failure: IntegrationFailure) -> Self {
        let response = failure.kind.response(EventType::Message);
        ErrorFrame {
            evidence: failure.evidence,
            ..ErrorFrame::new(
                response.status,
                response.message,
                failure.reason,
                response.row,
            )
        }
    }

    /// Renders the frame, byte for byte as API Gateway does.
    pub(super) fn render(&self, context: &RequestContext<'_>) -> Bytes {
        let message = self.message;
        let (connection, request) = (context.connection_id, &context.request_id);
        format!(
            r#"{{"message": "{message}", "connectionId":"{connection}", "requestId":"{request}"}}"#
        )
        .into()
    }
}
