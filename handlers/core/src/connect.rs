//! `$connect`: admits a connection or refuses the handshake.

use stackgen_websocket::ConnectionId;
use thiserror::Error;

use crate::join::{JoinError, JoinRequest, JoinSettings, JoinedConnection, join};
use crate::ports::{Ports, Store};
use crate::rates::RateLimitError;
use crate::values::parse_connection_id;
use crate::{Clock, Grant, InvalidValue, Language, SessionId, Timestamp, UserId};

/// A handshake.
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// ID of the connection that opens.
    pub connection_id: ConnectionId,
    /// Time at which API Gateway accepted the handshake.
    pub connected_at: Timestamp,
    /// Source IP address.
    pub ip_address: String,
    /// User that the authorizer verified. Without one, the connection is a listener's.
    pub user_id: Option<UserId>,
    /// Limits of the ticket that the authorizer redeemed.
    pub grant: Option<Grant>,
    /// Query parameter `sessionId`.
    pub session_id: Option<String>,
    /// Query parameter `targetLanguage`.
    pub target_language: Option<String>,
    /// Query parameter `previousConnectionId`: the connection to replace if the session is full.
    pub previous_connection_id: Option<String>,
}

/// Reason to refuse a handshake.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ConnectError {
    /// The query has no `sessionId`.
    #[error("sessionId is missing")]
    NoSessionId,
    /// A query parameter is malformed.
    #[error(transparent)]
    InvalidParameter(#[from] InvalidValue),
    /// The session does not admit the connection.
    #[error(transparent)]
    Join(#[from] JoinError),
}

impl ConnectError {
    /// Returns the HTTP status of the handshake (row C5).
    pub fn status(&self) -> u16 {
        match self {
            ConnectError::NoSessionId | ConnectError::InvalidParameter(_) => 400,
            ConnectError::Join(error) => match error {
                JoinError::NoSession => 404,
                JoinError::NotActive(_)
                | JoinError::Full
                | JoinError::InOtherSession
                | JoinError::OtherTicket => 403,
                JoinError::AddressFull
                | JoinError::RateLimited(RateLimitError::Exceeded { .. }) => 429,
                JoinError::RateLimited(RateLimitError::Unavailable(_)) | JoinError::Store(_) => 500,
            },
        }
    }

    /// Returns a keyword for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            ConnectError::NoSessionId => "sessionIdMissing",
            ConnectError::InvalidParameter(_) => "malformed",
            ConnectError::Join(error) => match error {
                JoinError::NoSession => "noSession",
                JoinError::NotActive(_) => "notActive",
                JoinError::Full => "full",
                JoinError::AddressFull => "addressFull",
                JoinError::InOtherSession => "elsewhere",
                JoinError::OtherTicket => "otherTicket",
                JoinError::RateLimited(RateLimitError::Exceeded { .. }) => "tooOften",
                JoinError::RateLimited(RateLimitError::Unavailable(_)) | JoinError::Store(_) => {
                    "storeFailed"
                }
            },
        }
    }
}

/// Admits a connection: writes its record before the handshake is answered. Posts nothing to the connection, because it
/// is not open yet (row C11).
pub async fn connect<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    handshake: Handshake,
) -> Result<JoinedConnection, ConnectError> {
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let session_id = present(handshake.session_id).ok_or(ConnectError::NoSessionId)?;
    let newcomer = JoinRequest {
        connection_id: handshake.connection_id,
        connected_at: handshake.connected_at,
        ip_address: handshake.ip_address,
        user_id: handshake.user_id,
        grant: handshake.grant,
        session_id: SessionId::try_from(session_id)?,
        target_language: present(handshake.target_language)
            .map(Language::try_from)
            .transpose()?,
        previous: parse_connection_id(handshake.previous_connection_id)?,
    };
    Ok(join(ports, settings, newcomer).await?)
}
