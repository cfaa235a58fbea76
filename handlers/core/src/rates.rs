//! Rate limits.

use std::time::Duration;

use thiserror::Error;
use tracing::warn;

use crate::RateLimitFailure;
use crate::Timestamp;
use crate::ports::{Bucket, Rate, RateLimiter, StoreError, Taken};

/// Reason why a rate limit refuses a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Limited {
    /// The limit is exceeded.
    #[error("too many requests")]
    TooOften {
        /// Time until a request is allowed again.
        retry_after: Duration,
    },
    /// The rate limit table failed, and the settings refuse requests then.
    #[error(transparent)]
    Unknown(#[from] StoreError),
}

/// Takes a token from the bucket. If the table fails, `failure` decides.
pub(crate) async fn take(
    limiter: &impl RateLimiter,
    bucket: Bucket,
    rate: Rate,
    failure: RateLimitFailure,
    now: Timestamp,
) -> Result<(), Limited> {
    match (limiter.take(&bucket, rate, now).await, failure) {
        (Ok(Taken::Yes), _) => Ok(()),
        (Ok(Taken::No { retry_after }), _) => Err(Limited::TooOften { retry_after }),
        (Err(error), RateLimitFailure::Open) => {
            warn!(%error, "Rate limit not checked: allowed");
            Ok(())
        }
        (Err(error), RateLimitFailure::Closed) => Err(Limited::Unknown(error)),
    }
}
