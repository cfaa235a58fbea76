//! Rate limits: buckets of tokens.

use std::time::Duration;

use live_session_core::Timestamp;
use live_session_core::ports::{Bucket, Rate, RateLimiter, StoreError, Stored, Taken};
use serde::Deserialize;

use super::DynamoStore;
use super::call::{Call, Failed};
use super::item;
use super::schema::RATE_LIMITS;
use super::store::{Written, key};
use super::write::{Change, Write};

/// A bucket, as the table holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    /// How many whole tokens were in it …
    tokens: u32,
    /// … at this moment. What has dripped in since is not counted yet.
    updated_at: Timestamp,
}

impl RateLimiter for DynamoStore {
    /// Optimistic: writes what should come next on the condition that the bucket still is as it was thought to be. If it
    /// is not, the answer says how it is. The first guess is that nobody has taken anything yet: a bucket in use takes
    /// two requests, and more only where others take from it at this very moment.
    async fn take(&self, bucket: &Bucket, rate: Rate, now: Timestamp) -> Stored<Taken> {
        let mut call = Call::new("take", self.settings.rate_retry);
        let table = self.tables.rate_limits.as_deref();
        let table = table.ok_or_else(|| StoreError::Unavailable {
            operation: call.operation,
            reason: "this function was given no table of rate limits".to_owned(),
        })?;
        let mut found: Option<Level> = None;
        let mut collisions = 0;
        loop {
            let level = found.map_or_else(|| Level::full(rate, now), |level| level.at(rate, now));
            if level.tokens == 0 {
                let retry_after = level.next_token(rate, now);
                return Ok(Taken::No { retry_after });
            }
            let left = level.less_one();
            let update = update(table, bucket, found, left)
                // By then it is full again, which is what a bucket is that the table has forgotten.
                .with(
                    ":expires",
                    &(left.updated_at.max(now).after(rate.per).as_seconds() + 1),
                );
            let Written::Refused(item) = self.write(&mut call, update).await? else {
                return Ok(Taken::Yes);
            };
            found = item
                .map(|item| item::read(call.operation, item))
                .transpose()?;
            if call.unsure && found == Some(left) {
                // This call's own doing, whose answer was lost.
                return Ok(Taken::Yes);
            }
            collisions += 1;
            if collisions > 1 {
                // Others take from it, too: this pauses, and gives up in the end.
                call.again(Failed::Busy).await?;
            }
        }
    }
}

/// The write that makes a bucket, as it was found, what it is to be.
fn update(table: &str, bucket: &Bucket, found: Option<Level>, to: Level) -> Write {
    let expression = "SET #tokens = :tokens, #updatedAt = :updatedAt, #expiresAt = :expires";
    let update = Change::Update {
        key: key(RATE_LIMITS.key, bucket.as_str()),
        expression: expression.to_owned(),
    };
    let write = Write::new(table, update)
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

impl Level {
    fn full(rate: Rate, now: Timestamp) -> Self {
        Level {
            tokens: rate.tokens,
            updated_at: now,
        }
    }

    fn less_one(self) -> Self {
        Level {
            tokens: self.tokens - 1,
            ..self
        }
    }

    /// What it is by now. Only whole tokens are counted in, and the moment moves on by the time that they took: the rest
    /// goes on dripping. If `now` is earlier than the moment, because clocks differ, nothing has dripped in.
    fn at(self, rate: Rate, now: Timestamp) -> Self {
        let time = now.since(self.updated_at).as_millis();
        let per = rate.per.as_millis();
        let dripped = (time * u128::from(rate.tokens))
            .checked_div(per)
            .unwrap_or(u128::MAX);
        let room = rate.tokens.saturating_sub(self.tokens);
        if dripped >= u128::from(room) {
            let tokens = rate.tokens;
            return Level {
                tokens,
                updated_at: now.max(self.updated_at),
            };
        }
        let dripped = dripped as u32;
        Level {
            tokens: self.tokens + dripped,
            updated_at: self.updated_at.after(time_for(dripped, rate)),
        }
    }

    /// How long until there is one, from an empty bucket.
    fn next_token(self, rate: Rate, now: Timestamp) -> Duration {
        match rate.tokens {
            0 => rate.per,
            _ => self.updated_at.after(time_for(1, rate)).since(now),
        }
    }
}

/// In what time so many tokens drip in, in whole milliseconds, rounded up: never more than the rate.
fn time_for(tokens: u32, rate: Rate) -> Duration {
    let millis = rate.per.as_millis() * u128::from(tokens);
    Duration::from_millis(millis.div_ceil(u128::from(rate.tokens.max(1))) as u64)
}
