//! Failures of integrations, and the responses that clients get.

use stackgen_gateway_common::FailureEvidence;

use super::payloads::EventType;

/// Reason why an integration gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IntegrationFailure {
    pub(super) kind: IntegrationFailureKind,
    pub(super) reason: String,
    /// Evidence, if a function was called.
    pub(super) evidence: Option<Box<FailureEvidence>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntegrationFailureKind {
    /// The integration timed out (rows C8, M5).
    TimedOut,
    /// The function failed (rows C6, M4).
    Failed,
    /// The function returned no proxy response (rows C6, M7).
    Malformed,
    /// The integration could not be called: a permission or the function is missing, or its type is not supported
    /// (row C7).
    Unreachable,
}

/// Response to a client whose integration failed: to its handshake, or in an error frame.
pub(super) struct FailureResponse {
    pub(super) status: u16,
    pub(super) message: &'static str,
    /// Row of the reference.
    pub(super) row: &'static str,
}

impl IntegrationFailure {
    pub(super) fn unreachable(reason: impl Into<String>) -> Self {
        IntegrationFailure {
            kind: IntegrationFailureKind::Unreachable,
            reason: reason.into(),
            evidence: None,
        }
    }
}

impl IntegrationFailureKind {
    /// Returns the response to an event whose integration failed.
    pub(super) fn response(self, event_type: EventType) -> FailureResponse {
        let is_connect = event_type == EventType::Connect;
        let (status, message, row) = match self {
            Self::TimedOut => {
                let row = if is_connect { "C8" } else { "M5" };
                (504, "Endpoint request timed out", row)
            }
            Self::Failed | Self::Malformed if is_connect => (502, "Internal server error", "C6"),
            Self::Failed => (500, "Internal server error", "M4"),
            Self::Malformed => (500, "Internal server error", "M7"),
            Self::Unreachable => (500, "Internal server error", "C7"),
        };
        FailureResponse {
            status,
            message,
            row,
        }
    }
}
