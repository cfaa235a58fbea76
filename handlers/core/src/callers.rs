//! Callers, as limits count them.

use std::net::{IpAddr, Ipv6Addr};

use stackgen_websocket::metrics::{WRONG_IDS, count};
use stackgen_websocket::{Clock, Timestamp};
use tracing::warn;

use crate::limits::Rate;
use crate::ports::{Bucket, Ports, RateLimiter, Store, StoreResult};
use crate::rates::{self, RateLimitError};
use crate::{RateLimitFailure, Session, SessionId, UserId};

/// Limits on the requests of one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerLimits {
    /// Rate of requests, such as joins. It must be generous: a class of 40 people may share one address.
    pub requests: Rate,
    /// Rate of session IDs that do not exist. It may be low: people mistype an ID now and then, and only programs guess.
    pub wrong_ids: Rate,
    /// Behavior while the rate limit table is unavailable.
    pub failure: RateLimitFailure,
}

/// A caller, as limits count it: a verified user or, for anonymous callers, an address.
///
/// Verified users do not count by address, so that a speaker who reconnects from behind an address that many listeners
/// share does not wait for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    kind: &'static str,
    value: String,
}

impl Caller {
    pub(crate) fn new(user: Option<&UserId>, ip_address: &str) -> Self {
        match user {
            Some(user) => Caller {
                kind: "user",
                value: user.to_string(),
            },
            None => Caller {
                kind: "ip",
                value: address_key(ip_address),
            },
        }
    }

    pub(crate) fn bucket(&self, operation: &str) -> Bucket {
        Bucket::new(operation, self.kind, &self.value)
    }
}

/// Returns the key by which limits count an address: IPv4 addresses whole, and IPv6 addresses by their network of 64
/// bits, because one caller has all addresses of such a network.
pub fn address_key(ip_address: &str) -> String {
    match ip_address.parse() {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => {
                let network = u128::from(address) >> 64 << 64;
                format!("{}/64", Ipv6Addr::from(network))
            }
        },
        // API Gateway always sends an address.
        Err(_) => ip_address.chars().take(64).collect(),
    }
}

/// Checks the caller's limits. Call it before anything that tells whether a session exists: a caller without tokens
/// learns nothing, not even from a correct ID.
pub(crate) async fn check_limits(
    limiter: &impl RateLimiter,
    caller: &Caller,
    operation: &str,
    limits: CallerLimits,
    now: Timestamp,
) -> Result<(), RateLimitError> {
    let (taken, wrong_ids) = futures_util::future::join(
        limiter_take(limiter, caller.bucket(operation), limits, now),
        check_wrong_ids(limiter, caller, limits, now),
    )
    .await;
    taken.and(wrong_ids)
}

/// Checks that the caller may name another ID that does not exist. Takes nothing.
pub(crate) async fn check_wrong_ids(
    limiter: &impl RateLimiter,
    caller: &Caller,
    limits: CallerLimits,
    now: Timestamp,
) -> Result<(), RateLimitError> {
    let bucket = caller.bucket("wrongId");
    let left = limiter.peek(&bucket, limits.wrong_ids, now).await;
    rates::decide(left, limits.failure)
}

async fn limiter_take(
    limiter: &impl RateLimiter,
    bucket: Bucket,
    limits: CallerLimits,
    now: Timestamp,
) -> Result<(), RateLimitError> {
    rates::take(limiter, bucket, limits.requests, limits.failure, now).await
}

/// Counts an ID or a ticket that does not exist.
pub(crate) async fn count_wrong_id(
    limiter: &impl RateLimiter,
    caller: &Caller,
    limits: CallerLimits,
    now: Timestamp,
) {
    count(WRONG_IDS);
    let bucket = caller.bucket("wrongId");
    if let Err(error) = limiter.take(&bucket, limits.wrong_ids, now).await {
        warn!(%error, "Wrong ID not counted");
    }
}

/// Returns the session. If it does not exist, counts a wrong ID.
pub(crate) async fn find_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    caller: &Caller,
    limits: CallerLimits,
    id: &SessionId,
) -> StoreResult<Option<Session>> {
    let session = ports.store.session(id).await?;
    if session.is_none() {
        count_wrong_id(&ports.store, caller, limits, ports.clock.now()).await;
    }
    Ok(session)
}
