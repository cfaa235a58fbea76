//! Throttles of a stage and of its routes (rows M19, D18, L5).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::apis::{RouteSettings, Stage};
use crate::{RouteKey, StageName};

/// The account's own limits, which stand in for the one that a stage does not set (row L5).
const ACCOUNT: Limit = Limit {
    rate: 10_000.0,
    burst: 5_000.0,
};

/// Token buckets, one for each route of a stage that has a limit.
#[derive(Debug, Default)]
pub(crate) struct Throttles(Mutex<HashMap<(StageName, RouteKey), Bucket>>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    /// Requests a second.
    rate: f64,
    /// Requests at once.
    burst: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Throttles {
    /// Takes one request of a route; false when there have been too many.
    pub(crate) fn admit(&self, stage: &Stage, route: &RouteKey, now: Instant) -> bool {
        let own = stage.route_settings.get(route.as_str());
        let Some(limit) = limit(own, &stage.default_route_settings) else {
            return true;
        };
        if limit.rate <= 0.0 || limit.burst < 1.0 {
            return false;
        }
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (stage.stage_name.clone(), route.clone());
        let bucket = buckets.entry(key).or_insert(Bucket {
            tokens: limit.burst,
            at: now,
        });
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + since * limit.rate).min(limit.burst);
        bucket.at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

/// What a route's own settings leave out is the stage's default; with neither, nothing is throttled.
fn limit(own: Option<&RouteSettings>, default: &RouteSettings) -> Option<Limit> {
    let burst = own.and_then(|own| own.throttling_burst_limit);
    let rate = own.and_then(|own| own.throttling_rate_limit);
    let burst = burst.or(default.throttling_burst_limit).map(f64::from);
    let rate = rate.or(default.throttling_rate_limit);
    if burst.is_none() && rate.is_none() {
        return None;
    }
    Some(Limit {
        rate: rate.unwrap_or(ACCOUNT.rate),
        burst: burst.unwrap_or(ACCOUNT.burst),
    })
}
