//! Whether somebody may do something once more.

use std::time::Duration;

use thiserror::Error;
use tracing::warn;

use crate::RateLimitFailure;
use crate::Timestamp;
use crate::ports::{Bucket, Rate, RateLimiter, StoreError, Taken};

/// Not now.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Limited {
    /// Too often.
    #[error("too often")]
    TooOften {
        /// When it is allowed again.
        retry_after: Duration,
    },
    /// Nobody can tell, and then nobody may.
    #[error(transparent)]
    Unknown(#[from] StoreError),
}

/// Takes a token out of the bucket. If its table does not answer, `failure` decides.
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
            warn!(%error, "Rate not checked: let through");
            Ok(())
        }
        (Err(error), RateLimitFailure::Closed) => Err(Limited::Unknown(error)),
    }
}
