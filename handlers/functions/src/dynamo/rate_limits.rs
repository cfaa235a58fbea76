//! Rate limits: token buckets.

use std::time::Duration;

use live_session_core::Timestamp;
use live_session_core::limits::Rate;
use live_session_core::ports::{Bucket, RateLimiter, StoreError, StoreResult, TakeResult};
use serde::Deserialize;

use super::DynamoStore;
use super::call::{RequestFailure, StoreCall};
use super::item;
use super::schema::RATE_LIMITS;
use super::store::{WriteResult, key};
use super::write::{ConditionalWrite, ItemChange};

/// A bucket, as the table stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BucketState {
    /// Whole tokens in the bucket at `updated_at`.
    tokens: u32,
    /// Time at which the bucket held `tokens`. Tokens that were added since are not counted yet.
    updated_at: Timestamp,
}

impl RateLimiter for DynamoStore {
    /// Takes a token with optimistic locking: writes the next state on the condition that the bucket has the expected
    /// one. If the condition fails, the response contains the actual state. The first attempt expects a new bucket, so
    /// a bucket in use takes two requests, and more only if others take from it at the same time.
    async fn take(&self, bucket: &Bucket, rate: Rate, now: Timestamp) -> StoreResult<TakeResult> {
        let mut call = StoreCall::new("take", self.settings.rate_retry);
        let table = self.rate_limits_table(call.operation)?;
        let mut found: Option<BucketState> = None;
        let mut collisions = 0;
        loop {
            let level =
                found.map_or_else(|| BucketState::full(rate, now), |level| level.at(rate, now));
            if level.tokens == 0 {
                let retry_after = level.next_token(rate, now);
                return Ok(TakeResult::Empty { retry_after });
            }
            let left = level.without_one();
            let update = update(table, bucket, found, left)
                // The bucket is full by then, so expiry does not change its meaning.
                .with(
                    ":expires",
                    &(left.updated_at.max(now).after(rate.per).as_seconds() + 1),
                );
            let WriteResult::ConditionFailed(item) = self.write(&mut call, update).await? else {
                return Ok(TakeResult::Taken);
            };
            found = item
                .map(|item| item::read(call.operation, item))
                .transpose()?;
            if call.maybe_written && found == Some(left) {
                // An earlier attempt of this call wrote it, and its response was lost.
                return Ok(TakeResult::Taken);
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
        let key = key(RATE_LIMITS.key, bucket.as_str());
        let level: Option<BucketState> = match self.get(&mut call, table, key).await? {
            Some(item) => Some(item::read(call.operation, item)?),
            None => None,
        };
        let level = level.map_or_else(|| BucketState::full(rate, now), |level| level.at(rate, now));
        Ok(match level.tokens {
            0 => TakeResult::Empty {
                retry_after: level.next_token(rate, now),
            },
            _ => TakeResult::Taken,
        })
    }
}

impl DynamoStore {
    fn rate_limits_table(&self, operation: &'static str) -> StoreResult<&str> {
        let table = self.tables.rate_limits.as_deref();
        table.ok_or_else(|| StoreError::Unavailable {
            operation,
            reason: "this function has no rate limit table: set RATE_LIMITS_TABLE".to_owned(),
        })
    }
}

/// Returns the write that changes a bucket from the state `found` to the state `to`.
fn update(
    table: &str,
    bucket: &Bucket,
    found: Option<BucketState>,
    to: BucketState,
) -> ConditionalWrite {
    let expression = "SET #tokens = :tokens, #updatedAt = :updatedAt, #expiresAt = :expires";
    let update = ItemChange::Update {
        key: key(RATE_LIMITS.key, bucket.as_str()),
        expression: expression.to_owned(),
    };
    let write = ConditionalWrite::new(table, update)
        .with(":tokens", &to.tokens)
        .with(":updatedAt", &to.updated_at);
    match found {
        None => write.when("attribute_not_exists(#identifier)"),
        Some(found) => write
            .when("#tokens = :foundTokens AND #updatedAt = :foundUpdatedAt")
            .with(":foundTokens", &found.tokens)
            .with(":foundUpdatedAt", &found.updated_at),
    }
}

impl BucketState {
    fn full(rate: Rate, now: Timestamp) -> Self {
        BucketState {
            tokens: rate.tokens,
            updated_at: now,
        }
    }

    fn without_one(self) -> Self {
        BucketState {
            tokens: self.tokens - 1,
            ..self
        }
    }

    /// Returns the bucket at `now`. Adds whole tokens only, and advances the time by their duration, so that the rest
    /// counts later. If `now` is earlier than the bucket's time, because clocks differ, adds nothing.
    fn at(self, rate: Rate, now: Timestamp) -> Self {
        let time = now.since(self.updated_at).as_millis();
        let per = rate.per.as_millis();
        let gained = (time * u128::from(rate.tokens))
            .checked_div(per)
            .unwrap_or(u128::MAX);
        let room = rate.tokens.saturating_sub(self.tokens);
        if gained >= u128::from(room) {
            let tokens = rate.tokens;
            return BucketState {
                tokens,
                updated_at: now.max(self.updated_at),
            };
        }
        let gained = gained as u32;
        BucketState {
            tokens: self.tokens + gained,
            updated_at: self.updated_at.after(time_for(gained, rate)),
        }
    }

    /// Returns the time until an empty bucket has a token.
    fn next_token(self, rate: Rate, now: Timestamp) -> Duration {
        match rate.tokens {
            0 => rate.per,
            _ => self.updated_at.after(time_for(1, rate)).since(now),
        }
    }
}

/// Returns the time in which a bucket gains `tokens`, in whole milliseconds, rounded up so that the rate is never
/// exceeded.
fn time_for(tokens: u32, rate: Rate) -> Duration {
    let millis = rate.per.as_millis() * u128::from(tokens);
    Duration::from_millis(millis.div_ceil(u128::from(rate.tokens.max(1))) as u64)
}
