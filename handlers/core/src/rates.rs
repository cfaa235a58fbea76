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

/// The times that decide about a token bucket, in microseconds since 1970.
///
/// A table stores the time at which a bucket was empty: its tokens are what it has gained since. An unknown bucket is full.
#[derive(Clone, Copy, Debug)]
pub struct BucketTimes {
    now: u64,
    /// Time per token, rounded up, so that the rate is never exceeded.
    interval: u64,
    full_since: u64,
}

impl BucketTimes {
    /// Returns the times for a rate, or `None` if it allows nothing.
    pub fn new(rate: Rate, now: Timestamp) -> Option<Self> {
        let per = u64::try_from(rate.per.as_micros()).unwrap_or(u64::MAX);
        let tokens = u64::from(rate.tokens);
        let interval = per.checked_add(tokens.checked_sub(1)?)? / tokens;
        let now = now.as_millis().saturating_mul(1000);
        Some(BucketTimes {
            now,
            interval,
            full_since: now.saturating_sub(interval.saturating_mul(tokens)),
        })
    }

    /// Returns what taking a token from a bucket that was empty at this time results in.
    pub fn result(self, empty_at: Option<u64>) -> TakeResult {
        let Some(empty_at) = empty_at.filter(|empty_at| *empty_at > self.newest()) else {
            return TakeResult::Taken;
        };
        let next = empty_at.saturating_add(self.interval);
        TakeResult::Empty {
            // In whole milliseconds, as clocks are.
            retry_after: Duration::from_millis(next.saturating_sub(self.now).div_ceil(1000)),
        }
    }

    /// Returns the time to store after a token was taken.
    pub fn after_take(self, empty_at: Option<u64>) -> u64 {
        let empty_at = empty_at.unwrap_or_default().max(self.full_since);
        empty_at.saturating_add(self.interval)
    }

    /// Returns true if a bucket that was empty at this time is full.
    pub fn is_full(self, empty_at: Option<u64>) -> bool {
        empty_at.is_none_or(|empty_at| empty_at < self.full_since)
    }

    /// Returns the time per token.
    pub fn interval(self) -> u64 {
        self.interval
    }

    /// Returns the time before which a bucket must have been empty to be full.
    pub fn full_since(self) -> u64 {
        self.full_since
    }

    /// Returns the latest time at which a bucket may have been empty that has a token now.
    pub fn newest(self) -> u64 {
        self.now.saturating_sub(self.interval)
    }
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
