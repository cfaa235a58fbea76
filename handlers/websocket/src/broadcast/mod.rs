//! Posts to connections.

mod fan_out;

use std::future::Future;

use bytes::Bytes;
use thiserror::Error;

use crate::ConnectionId;

pub use fan_out::{FanOutOptions, FanOutReport, fan_out};

/// Posts messages to connections: API Gateway's management API, or a test double.
pub trait Broadcaster: Send + Sync {
    /// Posts a message to a connection once. Retries are the caller's task.
    fn post(
        &self,
        to: &ConnectionId,
        message: Bytes,
    ) -> impl Future<Output = Result<(), PostError>> + Send;
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
