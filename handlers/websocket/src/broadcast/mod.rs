//! Posting to connections.

mod fan_out;

use std::future::Future;

use bytes::Bytes;
use thiserror::Error;

use crate::ConnectionId;

pub use fan_out::{FanOut, Report, fan_out};

/// Posts to connections: API Gateway's management API, or a double of it.
pub trait Broadcaster: Send + Sync {
    /// Posts one message to one connection, once; whether and when to try again is the caller's to decide.
    fn post(
        &self,
        to: &ConnectionId,
        message: Bytes,
    ) -> impl Future<Output = Result<(), PostError>> + Send;
}

/// Why a message did not get through.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PostError {
    /// The connection is closed, or not open yet: inside its own `$connect` too (410; rows K4, C11).
    #[error("the connection is gone")]
    Gone,
    /// The rate is exceeded, or the client does not read (429; row K7). Trying again later may help.
    #[error("too many posts, or the client does not read")]
    Busy,
    /// The message is over 128 KB (413; row K6).
    #[error("the message is over 128 KB")]
    TooLarge,
    /// No answer came in time.
    #[error("no answer in time")]
    TimedOut,
    /// Anything else; the text has neither message nor credentials.
    #[error("{0}")]
    Failed(String),
}
