//! Rate limits: token buckets.

use live_session_core::limits::Rate;
use live_session_core::ports::{Bucket, RateLimiter, StoreError, StoreResult, TakeResult};
use live_session_core::{BucketTimes, Timestamp};
use serde::Deserialize;

use super::DynamoStore;
use super::call::{RequestFailure, StoreCall};
use super::item;
use super::schema::RATE_LIMITS;
use super::store::{WriteResult, key};
use super::write::{ConditionalWrite, ItemChange};

/// A bucket, as the table stores it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BucketState {
    /// Time at which the bucket was empty, in microseconds since 1970: the tokens are what it has gained since.
    empty_at: u64,
    /// The call that took the latest token.
    #[serde(default)]
    taken_by: String,
}

impl RateLimiter for DynamoStore {
    /// Takes a token with one write: a full bucket gets the time at which it would have been empty, and another one the
    /// time of one more token. Each has its own condition. If the wrong one is tried first, the response contains the
    /// state. Which one was right is remembered, because it seldom changes.
    async fn take(&self, bucket: &Bucket, rate: Rate, now: Timestamp) -> StoreResult<TakeResult> {
        let mut call = StoreCall::new("take", self.settings.rate_retry);
        let table = self.rate_limits_table(call.operation)?;
        let Some(times) = BucketTimes::new(rate, now) else {
            return Ok(TakeResult::Empty {
                retry_after: rate.per,
            });
        };
        // The bucket is full by then, so expiry does not change its meaning.
        let expires = now.after(rate.per).as_seconds() + 2;
        let call_id = format!("{:016x}", fastrand::u64(..));
        let mut is_in_use = self.buckets_in_use.contains(bucket);
        let mut collisions = 0;
        loop {
            let update = update(table, bucket, times, is_in_use)
                .with(":by", &call_id)
                .with(":expires", &expires);
            let WriteResult::ConditionFailed(item) = self.write(&mut call, update).await? else {
                self.buckets_in_use.set(bucket, is_in_use);
                return Ok(TakeResult::Taken);
            };
            let state: Option<BucketState> = item
                .map(|item| item::read(call.operation, item))
                .transpose()?;
            // An earlier attempt of this call took the token, and its response was lost.
            if state
                .as_ref()
                .is_some_and(|state| state.taken_by == call_id)
            {
                return Ok(TakeResult::Taken);
            }
            let empty_at = state.map(|state| state.empty_at);
            is_in_use = !times.is_full(empty_at);
            if let TakeResult::Empty { retry_after } = times.result(empty_at) {
                self.buckets_in_use.set(bucket, is_in_use);
                return Ok(TakeResult::Empty { retry_after });
            }
            collisions += 1;
            if collisions > 1 {
                // Others take from the bucket at the same time: pause, and give up in the end.
                call.pause_before_retry(RequestFailure::Rejected).await?;
            }
        }
    }

    async fn peek(&self, bucket: &Bucket, rate: Rate, now: Timestamp) -> StoreResult<TakeResult> {
        let mut call = StoreCall::new("peek", self.settings.rate_retry);
        let table = self.rate_limits_table(call.operation)?;
        let Some(times) = BucketTimes::new(rate, now) else {
            return Ok(TakeResult::Empty {
                retry_after: rate.per,
            });
        };
        let key = key(RATE_LIMITS.key, bucket.as_str());
        let item = self.get(&mut call, table, key).await?;
        let state: Option<BucketState> = item
            .map(|item| item::read(call.operation, item))
            .transpose()?;
        Ok(times.result(state.map(|state| state.empty_at)))
    }
}

impl DynamoStore {
    pub(super) fn rate_limits_table(&self, operation: &'static str) -> StoreResult<&str> {
        let table = self.tables.rate_limits.as_deref();
        table.ok_or_else(|| StoreError::Unavailable {
            operation,
            reason: "this function has no rate limit table: set RATE_LIMITS_TABLE".to_owned(),
        })
    }
}

/// Returns the write that takes a token from a bucket that is full, or that is in use and has a token.
fn update(table: &str, bucket: &Bucket, times: BucketTimes, is_in_use: bool) -> ConditionalWrite {
    let (value, condition) = match is_in_use {
        true => (
            "#emptyAt + :interval",
            "#emptyAt BETWEEN :fullSince AND :newest AND #takenBy <> :by",
        ),
        false => (
            ":first",
            "attribute_not_exists(#emptyAt) OR #emptyAt < :fullSince",
        ),
    };
    let update = ItemChange::Update {
        key: key(RATE_LIMITS.key, bucket.as_str()),
        expression: format!("SET #emptyAt = {value}, #takenBy = :by, #expiresAt = :expires"),
    };
    let write = ConditionalWrite::new(table, update)
        .when(condition)
        .with(":fullSince", &times.full_since());
    match is_in_use {
        true => write
            .with(":interval", &times.interval())
            .with(":newest", &times.newest()),
        false => write.with(":first", &times.after_take(None)),
    }
}
