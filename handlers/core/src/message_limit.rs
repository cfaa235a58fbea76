//! Limit on the messages of one connection.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stackgen_websocket::{ConnectionId, Timestamp};

use crate::limits::{MAX_REFUSED_MESSAGES, Rate};

/// Maximum number of connections to count.
const MAX_CONNECTIONS: usize = 10_000;

/// Limits the messages of each connection, with token buckets in the memory of one execution environment.
///
/// A message that is refused costs neither a read nor a post, so it takes well under a millisecond, and one environment
/// handles a thousand per second. Lambda starts a further environment only when all others are busy. So somebody who
/// floods the API meets few environments, and gets at most this rate from each of them. A limit that is exact for all
/// environments would cost a write per message, which is what floods are after.
#[derive(Debug)]
pub struct MessageLimiter {
    rate: Rate,
    buckets: Mutex<HashMap<ConnectionId, MessageBucket>>,
}

#[derive(Clone, Copy, Debug)]
struct MessageBucket {
    /// Milliseconds until the bucket is full.
    debt: u64,
    updated_at: Timestamp,
    /// Messages that were refused since the bucket was last full.
    refused: u32,
}

/// Decision on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageDecision {
    /// The message is handled.
    Handle,
    /// The message is refused, as the first one for a while. Its sender gets an error.
    Refuse {
        /// Time until a message is handled again.
        retry_after: Duration,
    },
    /// The message is dropped. An answer to each message of a flood would be another flood.
    Drop,
    /// The connection is closed: its client ignores errors. This is the decision on one message only.
    Close,
}

impl MessageLimiter {
    /// Returns a limiter for this rate.
    pub fn new(rate: Rate) -> Self {
        MessageLimiter {
            rate,
            buckets: Mutex::default(),
        }
    }

    /// Decides on the next message of a connection.
    pub fn decide(&self, id: &ConnectionId, now: Timestamp) -> MessageDecision {
        let full = self.rate.per.as_millis() as u64;
        let cost = full / u64::from(self.rate.tokens.max(1));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CONNECTIONS {
            buckets.retain(|_, bucket| bucket.debt_at(now) > 0);
        }
        if buckets.len() >= MAX_CONNECTIONS {
            // Not possible for callers who keep the limits: each connection sent several messages in the last seconds.
            buckets.clear();
        }
        let bucket = buckets.entry(id.clone()).or_insert(MessageBucket {
            debt: 0,
            updated_at: now,
            refused: 0,
        });
        bucket.debt = bucket.debt_at(now);
        bucket.updated_at = now.max(bucket.updated_at);
        if bucket.debt == 0 {
            bucket.refused = 0;
        }
        if bucket.debt + cost <= full {
            bucket.debt += cost;
            return MessageDecision::Handle;
        }
        bucket.refused = bucket.refused.saturating_add(1);
        match bucket.refused {
            1 => MessageDecision::Refuse {
                retry_after: Duration::from_millis(bucket.debt + cost - full),
            },
            MAX_REFUSED_MESSAGES => MessageDecision::Close,
            _ => MessageDecision::Drop,
        }
    }
}

impl MessageBucket {
    fn debt_at(self, now: Timestamp) -> u64 {
        let elapsed = now.since(self.updated_at).as_millis() as u64;
        self.debt.saturating_sub(elapsed)
    }
}
