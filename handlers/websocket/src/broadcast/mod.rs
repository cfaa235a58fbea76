//! Posts to connections.

mod breaker;
mod fan_out;

use std::future::Future;

use bytes::Bytes;
use thiserror::Error;

use crate::ConnectionId;

pub use breaker::{BreakerOptions, CircuitBreaker, CircuitState};
pub use fan_out::{FanOutOptions, FanOutReport, fan_out};

/// Posts messages to connections and closes them: API Gateway's management API, or a test double.
pub trait Broadcaster: Send + Sync {
    /// Posts a message to a connection once. Retries are the caller's task.
    fn post(
        &self,
        to: &ConnectionId,
        message: Bytes,
    ) -> impl Future<Output = Result<(), PostError>> + Send;

    /// Closes a connection.
    fn close(&self, id: &ConnectionId) -> impl Future<Output = Result<(), PostError>> + Send;
}

/// Finds out whether connections are open: API Gateway's management API, or a test double.
pub trait ConnectionProbe: Send + Sync {
    /// Fails with [`PostError::Gone`] if the connection is closed, or not open yet (row C11). Makes one attempt. It counts in
    /// the account's request limit like a post (row L5).
    fn probe(&self, id: &ConnectionId) -> impl Future<Output = Result<(), PostError>> + Send;
}

/// Reason why a message was not delivered.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PostError {
    /// The connection is closed or not open yet, as during its `$connect` (410; rows K4, C11).
    #[error("the connection is gone")]
    Gone,
    /// The rate limit is exceeded, or the client does not read (429; row K7). A later retry may succeed.
    #[error("too many posts, or the client does not read")]
    Busy,
    /// Nothing was sent, because API Gateway throttles posts: see [`CircuitBreaker`]. A later retry may succeed.
    #[error("not sent: API Gateway throttles posts")]
    CircuitOpen,
    /// The message is larger than 128 KB (413; row K6).
    #[error("the message is larger than 128 KB")]
    TooLarge,
    /// The response took too long.
    #[error("no response in time")]
    TimedOut,
    /// Any other error. The text contains neither message nor credentials.
    #[error("{0}")]
    Failed(String),
}

impl PostError {
    /// Returns a keyword for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            PostError::Gone => "gone",
            PostError::Busy => "throttled",
            PostError::CircuitOpen => "circuitOpen",
            PostError::TooLarge => "tooLarge",
            PostError::TimedOut => "timedOut",
            PostError::Failed(_) => "failed",
        }
    }
}
