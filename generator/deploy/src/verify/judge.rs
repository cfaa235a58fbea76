//! Judging the answer to a caller.

use crate::{ApiProtocol, CallerProfile, HandshakeAnswer, Judgement};

/// The answers that a stage is expected to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageExpectation {
    /// The protocol of the API.
    pub protocol: ApiProtocol,
    /// True if `$connect` needs an authorizer, IAM or an API key.
    pub guarded: bool,
    /// Further statuses that count as the expected answer.
    pub accepted: Vec<u16>,
}

impl StageExpectation {
    /// Judges an answer to a caller, and explains it.
    pub fn judge(&self, caller: &CallerProfile, answer: &HandshakeAnswer) -> (Judgement, String) {
        use Judgement::{AuthorizerOnly, Failed, Verified};
        let status = match answer {
            HandshakeAnswer::Unanswered(reason) => return (Failed, format!("no answer: {reason}")),
            HandshakeAnswer::Unmet(reason) => return (Failed, reason.clone()),
            HandshakeAnswer::Answered(status) => *status,
        };
        let is_declared = caller.status == Some(status) || self.accepted.contains(&status);
        if self.guarded
            && matches!(status, 401 | 403)
            && (is_declared || !caller.has_credentials && caller.status.is_none())
        {
            let meaning =
                "authorizer only: the caller was refused, so the function of $connect did not run";
            return (
                AuthorizerOnly,
                format!("{status}: {meaning} (rows A2, A5, A6)"),
            );
        }
        let is_default = caller.status.is_none()
            && match self.protocol {
                ApiProtocol::WebSocket => status == 101,
                ApiProtocol::Http => status < 500 && !matches!(status, 401 | 403 | 404 | 429),
            };
        let meaning = match (is_declared || is_default, self.protocol) {
            (true, _) if status == 101 => "a WebSocket was opened",
            (true, _) if is_declared => "as expected",
            (true, _) => "the integration answered",
            (false, ApiProtocol::WebSocket) => self.handshake_meaning(status),
            (false, ApiProtocol::Http) => request_meaning(status),
        };
        let judgement = match is_declared || is_default {
            true => Verified,
            false => Failed,
        };
        (judgement, format!("{status}: {meaning}"))
    }

    /// Explains an unexpected status of a handshake.
    fn handshake_meaning(&self, status: u16) -> &'static str {
        match status {
            101 => "a WebSocket was opened, but the caller should have been refused",
            401 | 403 if self.guarded => "the authorizer refused the caller (rows A2, A5, A6)",
            403 => {
                "forbidden, although $connect has no authorizer: no such stage or deployment (row C3)"
            }
            500 => "a function may not be invoked, or an authorizer failed (rows C7, A7, A16)",
            502 => "the function of $connect failed (row C6)",
            504 => "the function of $connect took too long (row C8)",
            429 => "throttled (rows M19, D18)",
            426 => "the handshake did not arrive: is a proxy in between? (row C4)",
            501..=599 => "the service failed",
            _ => {
                "the function of $connect refused the caller (row C5); if it should, declare the status"
            }
        }
    }
}

/// Explains an unexpected status of a request to an HTTP API.
fn request_meaning(status: u16) -> &'static str {
    match status {
        401 | 403 => "an authorizer refused the caller",
        404 => "no such route or stage",
        429 => "throttled",
        500 => "the integration failed, or may not be invoked",
        503 => "the integration took too long, or is not available",
        501..=599 => "the service failed",
        _ => "another status was expected",
    }
}
