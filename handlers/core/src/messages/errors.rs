//! Conversion of errors into messages for clients.

use crate::join::JoinError;
use crate::ports::{SessionRefusal, StoreError};
use crate::protocol::{Details, ErrorCode, ServerError};
use crate::rates::RateLimitError;
use crate::{InvalidValue, SessionStatus};

pub(crate) fn not_in_session() -> ServerError {
    let message = "the connection is in no session: it has ended, or joinSession is missing";
    ServerError::new(ErrorCode::NotInSession, message)
}

pub(crate) fn other_session() -> ServerError {
    let message = "the connection is in another session: open one connection per session";
    ServerError::new(ErrorCode::OtherSession, message)
}

pub(crate) fn other_role() -> ServerError {
    ServerError::new(
        ErrorCode::OtherRole,
        "the connection has another role in this session",
    )
}

fn not_active(status: SessionStatus) -> ServerError {
    let message = format!("the session is {}", status.public());
    ServerError::new(ErrorCode::SessionNotActive, message)
}

fn no_session() -> ServerError {
    ServerError::new(ErrorCode::NoSession, "the session does not exist")
}

fn full() -> ServerError {
    let message = "the session is full";
    ServerError::new(ErrorCode::SessionFull, message)
}

fn address_full() -> ServerError {
    let message = "too many listeners have your address";
    ServerError::new(ErrorCode::AddressFull, message)
}

/// Logs the reason and hides it from the client.
impl From<StoreError> for ServerError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "Table failed");
        ServerError::new(ErrorCode::Unavailable, "the server failed: try again")
    }
}

impl From<InvalidValue> for ServerError {
    fn from(invalid: InvalidValue) -> Self {
        ServerError::new(ErrorCode::InvalidMessage, invalid.to_string())
    }
}

impl From<SessionRefusal> for ServerError {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::NoSession => no_session(),
            SessionRefusal::WrongStatus(status) => not_active(status),
            SessionRefusal::Full => full(),
            SessionRefusal::AddressFull => address_full(),
            SessionRefusal::NotOwner => {
                ServerError::new(ErrorCode::NotSpeaker, "the session belongs to another user")
            }
        }
    }
}

impl From<RateLimitError> for ServerError {
    fn from(limited: RateLimitError) -> Self {
        match limited {
            RateLimitError::Exceeded { retry_after } => ServerError {
                code: ErrorCode::TooOften,
                message: "too many requests".to_owned(),
                details: Some(Details {
                    retry_after: retry_after.as_millis() as u64,
                }),
            },
            RateLimitError::Unavailable(error) => error.into(),
        }
    }
}

impl From<JoinError> for ServerError {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::NoSession => no_session(),
            JoinError::NotActive(status) => not_active(status),
            JoinError::RateLimited(limited) => limited.into(),
            JoinError::Full => full(),
            JoinError::AddressFull => address_full(),
            JoinError::InOtherSession | JoinError::OtherTicket => other_session(),
            JoinError::Store(error) => error.into(),
        }
    }
}
