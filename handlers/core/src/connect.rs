//! `$connect`: who is let in, and with which status everybody else is sent away.

use stackgen_websocket::ConnectionId;
use thiserror::Error;

use crate::join::{JoinError, JoinSettings, Joined, Newcomer, join};
use crate::ports::{Ports, Store};
use crate::rates::Limited;
use crate::values::said_connection_id;
use crate::{Clock, Invalid, Language, SessionId, Timestamp, UserId};

/// A handshake.
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// The connection that wants to open.
    pub connection_id: ConnectionId,
    /// When API Gateway accepted it.
    pub connected_at: Timestamp,
    /// From where.
    pub ip_address: String,
    /// Who it is, if the authorizer verified that. None is a listener, not a mistake.
    pub user_id: Option<UserId>,
    /// The query parameter `sessionId`.
    pub session_id: Option<String>,
    /// The query parameter `targetLanguage`.
    pub target_language: Option<String>,
    /// The query parameter `previousConnectionId`: the connection to replace if the session is full.
    pub previous_connection_id: Option<String>,
}

/// A handshake that is refused.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ConnectError {
    /// No session was named.
    #[error("sessionId is missing")]
    NoSessionId,
    /// Something has the wrong form.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The session does not let them in.
    #[error(transparent)]
    Join(#[from] JoinError),
}

impl ConnectError {
    /// The status of the handshake (row C5).
    pub fn status(&self) -> u16 {
        match self {
            ConnectError::NoSessionId | ConnectError::Invalid(_) => 400,
            ConnectError::Join(error) => match error {
                JoinError::NoSession => 404,
                JoinError::NotActive(_) | JoinError::Full | JoinError::Elsewhere => 403,
                JoinError::Limited(Limited::TooOften { .. }) => 429,
                JoinError::Limited(Limited::Unknown(_)) | JoinError::Store(_) => 500,
            },
        }
    }

    /// The reason in a word, for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            ConnectError::NoSessionId => "sessionIdMissing",
            ConnectError::Invalid(_) => "malformed",
            ConnectError::Join(error) => match error {
                JoinError::NoSession => "noSession",
                JoinError::NotActive(_) => "notActive",
                JoinError::Full => "full",
                JoinError::Elsewhere => "elsewhere",
                JoinError::Limited(Limited::TooOften { .. }) => "tooOften",
                JoinError::Limited(Limited::Unknown(_)) | JoinError::Store(_) => "storeFailed",
            },
        }
    }
}

/// Opens a connection: its record is written before the handshake is answered. Nothing is posted to it from here, since
/// it is not open yet (row C11).
pub async fn connect<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    handshake: Handshake,
) -> Result<Joined, ConnectError> {
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let session_id = present(handshake.session_id).ok_or(ConnectError::NoSessionId)?;
    let newcomer = Newcomer {
        connection_id: handshake.connection_id,
        connected_at: handshake.connected_at,
        ip_address: handshake.ip_address,
        user_id: handshake.user_id,
        session_id: SessionId::try_from(session_id)?,
        target_language: present(handshake.target_language)
            .map(Language::try_from)
            .transpose()?,
        previous: said_connection_id(handshake.previous_connection_id)?,
    };
    Ok(join(ports, settings, newcomer).await?)
}
