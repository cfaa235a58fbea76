//! Rate limits.

use std::time::Duration;

use thiserror::Error;
use tracing::warn;

use crate::RateLimitFailure;
use crate::Timestamp;
use crate::limits::Rate;
use crate::ports::{Bucket, RateLimiter, StoreError, StoreResult, TakeResult};

/// Reason why a rate limit refuses a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RateLimitError {
    /// The limit is exceeded.
    #[error("too many requests")]
    Exceeded {
        /// Time until a request is allowed again.
        retry_after: Duration,
    },
    /// The rate limit table failed, and the settings refuse requests then.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Takes a token from the bucket. If the table fails, `failure` decides.
pub(crate) async fn take(
    limiter: &impl RateLimiter,
    bucket: Bucket,
    rate: Rate,
    failure: RateLimitFailure,
    now: Timestamp,
) -> Result<(), RateLimitError> {
    decide(limiter.take(&bucket, rate, now).await, failure)
}

/// Returns the decision on a request. If the table failed, `failure` decides.
pub(crate) fn decide(
    result: StoreResult<TakeResult>,
    failure: RateLimitFailure,
) -> Result<(), RateLimitError> {
    match (result, failure) {
        (Ok(TakeResult::Taken), _) => Ok(()),
        (Ok(TakeResult::Empty { retry_after }), _) => Err(RateLimitError::Exceeded { retry_after }),
        (Err(error), RateLimitFailure::Open) => {
            warn!(%error, "Rate limit not checked: allowed");
            Ok(())
        }
        (Err(error), RateLimitFailure::Closed) => Err(RateLimitError::Unavailable(error)),
    }
}
