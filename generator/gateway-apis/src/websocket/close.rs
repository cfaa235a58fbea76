//! Close codes and reasons of connections.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, error::ProtocolError};

use super::frames::OVERLONG_LENGTH;

/// Reason why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CloseCause {
    /// The client sent a close frame, with or without a status.
    Client(Option<(u16, String)>),
    /// The TCP connection was lost.
    Lost,
    /// `DeleteConnection` was called (row M15).
    Deleted,
    /// No data was sent or received for too long (row M13).
    Idle,
    /// The connection reached its maximum age (row M14).
    TooOld,
    /// The client sent a binary frame (row M10).
    Binary,
    /// A frame or a message was too large (row M11).
    TooLarge,
    /// The client violated the WebSocket protocol.
    Protocol,
    /// A text message was not UTF-8.
    InvalidUtf8,
    /// The gateway stops.
    Stopped,
}

/// Details of an ending for events, functions and close frames.
pub(super) struct CloseDetails {
    /// Close code (`disconnectStatusCode`).
    pub(super) code: u16,
    /// Close reason (`disconnectReason`).
    pub(super) reason: String,
    /// Explanation in words.
    pub(super) meaning: &'static str,
    /// Row of the reference.
    pub(super) row: &'static str,
}

/// Explains a close frame of the client. Returns the explanation and the row.
fn client_close(code: u16, reason: &str) -> (&'static str, &'static str) {
    match (code, reason) {
        (1001, "") => ("the page was closed or left", "M17"),
        (1002, _) => ("the client closed with an invalid code", "X4"),
        _ => ("the client closed", "X4"),
    }
}

impl CloseCause {
    /// Maps an error of the socket.
    pub(super) fn from_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => CloseCause::TooLarge,
            Error::Utf8(_) => CloseCause::InvalidUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CloseCause::Lost,
            Error::Protocol(_) => CloseCause::Protocol,
            Error::Io(error) if error.kind() == OVERLONG_LENGTH => CloseCause::Protocol,
            _ => CloseCause::Lost,
        }
    }

    /// Returns the code and the reason.
    fn status(&self) -> (u16, &str) {
        match self {
            CloseCause::Client(Some((code, reason))) => (*code, reason),
            CloseCause::Client(None) => (1005, "Client-side close frame status not set"),
            CloseCause::Lost => (1006, ""),
            CloseCause::Deleted => (1000, "Connection Closed Normally"),
            CloseCause::Idle => (1001, "Going away"),
            CloseCause::TooOld => (1001, "Going away"),
            CloseCause::Binary => (1003, "Unsupported data"),
            CloseCause::TooLarge => (1009, "Message too long"),
            CloseCause::Protocol => (1002, "Protocol error"),
            CloseCause::InvalidUtf8 => (1007, "Invalid UTF-8"),
            // The reason is not documented.
            CloseCause::Stopped => (1012, "Service restart"),
        }
    }

    /// Returns an explanation and its row.
    fn meaning(&self) -> (&'static str, &'static str) {
        match self {
            CloseCause::Client(Some((code, reason))) => client_close(*code, reason),
            CloseCause::Client(None) => ("the client called close() without a code", "M16"),
            CloseCause::Lost => ("the TCP connection was lost without a close frame", "X3"),
            CloseCause::Deleted => ("deleted through @connections", "M15"),
            CloseCause::Idle => ("no data was sent or received for too long", "M13"),
            CloseCause::TooOld => ("the connection reached its maximum age", "M14"),
            CloseCause::Binary => ("binary frames are not supported", "M10"),
            CloseCause::TooLarge => ("a frame or message was too large", "M11"),
            CloseCause::Protocol => ("the client broke the WebSocket protocol", "X4"),
            CloseCause::InvalidUtf8 => ("a text frame was not UTF-8", "X4"),
            CloseCause::Stopped => ("the gateway stops", "X4"),
        }
    }

    /// Returns the code, the reason and an explanation.
    pub(super) fn details(&self) -> CloseDetails {
        let (code, reason) = self.status();
        let (meaning, row) = self.meaning();
        CloseDetails {
            code,
            reason: reason.to_owned(),
            meaning,
            row,
        }
    }

    /// Returns the close frame for the client; `None` if the client closed or is gone.
    pub(super) fn frame(&self) -> Option<CloseFrame> {
        if matches!(self, CloseCause::Client(_) | CloseCause::Lost) {
            return None;
        }
        let details = self.details();
        Some(CloseFrame {
            code: CloseCode::from(details.code),
            reason: details.reason.into(),
        })
    }
}
