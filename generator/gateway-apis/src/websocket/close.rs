//! How connections end: codes, reasons and what they mean.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, error::ProtocolError};

use super::frames::NOT_MINIMAL;

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client sent a close frame, with a status or without.
    Client(Option<(u16, String)>),
    /// TCP was lost.
    Lost,
    /// DELETE @connections (row M15).
    Deleted,
    /// Nothing went either way for too long (row M13).
    Idle,
    /// It is as old as a connection may be (row M14).
    Old,
    /// A binary frame (row M10).
    Binary,
    /// A frame or a message that is too large (row M11).
    TooLarge,
    /// Frames that are no WebSocket protocol.
    Protocol,
    /// Text that is no UTF-8.
    BadText,
    /// The gateway stops.
    Stopped,
}

/// What there is to say of an ending.
pub(super) struct Told {
    /// `disconnectStatusCode`.
    pub(super) code: u16,
    /// `disconnectReason`.
    pub(super) reason: String,
    /// In words.
    pub(super) meaning: &'static str,
    /// The row of the reference.
    pub(super) row: &'static str,
}

impl Ending {
    /// What an error of the socket comes to.
    pub(super) fn of_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Ending::TooLarge,
            Error::Utf8(_) => Ending::BadText,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Lost,
            Error::Protocol(_) => Ending::Protocol,
            Error::Io(error) if error.kind() == NOT_MINIMAL => Ending::Protocol,
            _ => Ending::Lost,
        }
    }

    /// What there is to say of it.
    pub(super) fn told(&self) -> Told {
        let (code, reason, meaning, row) = match self {
            Ending::Client(Some((code, reason))) => {
                let (meaning, row) = match (code, reason.as_str()) {
                    (1001, "") => ("the page was closed or left", "M17"),
                    (1002, _) => ("the client closed with a code that is none", "X4"),
                    _ => ("the client closed", "X4"),
                };
                (*code, reason.as_str(), meaning, row)
            }
            Ending::Client(None) => (
                1005,
                "Client-side close frame status not set",
                "the client called close() without a code",
                "M16",
            ),
            Ending::Lost => (1006, "", "TCP was lost without a close frame", "X3"),
            Ending::Deleted => (
                1000,
                "Connection Closed Normally",
                "deleted through @connections",
                "M15",
            ),
            Ending::Idle => (1001, "Going away", "no data either way for too long", "M13"),
            Ending::Old => (1001, "Going away", "connections do not get older", "M14"),
            Ending::Binary => (
                1003,
                "Unsupported data",
                "binary frames are not taken",
                "M10",
            ),
            Ending::TooLarge => (
                1009,
                "Message too long",
                "a frame or message was too large",
                "M11",
            ),
            Ending::Protocol => (
                1002,
                "Protocol error",
                "the client broke the WebSocket protocol",
                "X4",
            ),
            Ending::BadText => (1007, "Invalid UTF-8", "a text frame was no UTF-8", "X4"),
            Ending::Stopped => (1001, "Going away", "the gateway stops", "X4"),
        };
        Told {
            code,
            reason: reason.to_owned(),
            meaning,
            row,
        }
    }

    /// The close frame that the client gets; `None` when it sent one itself or is gone.
    pub(super) fn frame(&self) -> Option<CloseFrame> {
        if matches!(self, Ending::Client(_) | Ending::Lost) {
            return None;
        }
        let told = self.told();
        Some(CloseFrame {
            code: CloseCode::from(told.code),
            reason: told.reason.into(),
        })
    }
}
