//! Throttling per stage and route (rows M19, D18, L5).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use stackgen_gateway_common::{RouteKey, StageName};

use crate::apis::{RouteSettings, StoredStage};

/// Limits of the account, which replace a limit that the stage does not set (row L5).
const ACCOUNT: BucketLimit = BucketLimit {
    rate: 10_000.0,
    burst: 5_000.0,
};

/// Token buckets, one per throttled route of a stage.
#[derive(Debug, Default)]
pub(crate) struct Throttles(Mutex<HashMap<(StageName, RouteKey), Bucket>>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct BucketLimit {
    /// Requests per second.
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
    /// Takes a token for a request. Returns false if the route is over its limit.
    pub(crate) fn admit(&self, stage: &StoredStage, route: &RouteKey, now: Instant) -> bool {
        let settings = stage.route_settings.get(route.as_str());
        let Some(limit) = limit(settings, &stage.default_route_settings) else {
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

/// Returns the limit of a route. The stage's defaults replace what the route does not set. Without any limit, requests
/// are not throttled.
fn limit(route: Option<&RouteSettings>, default: &RouteSettings) -> Option<BucketLimit> {
    let burst = route.and_then(|route| route.throttling_burst_limit);
    let rate = route.and_then(|route| route.throttling_rate_limit);
    let burst = burst.or(default.throttling_burst_limit).map(f64::from);
    let rate = rate.or(default.throttling_rate_limit);
    if burst.is_none() && rate.is_none() {
        return None;
    }
    Some(BucketLimit {
        rate: rate.unwrap_or(ACCOUNT.rate),
        burst: burst.unwrap_or(ACCOUNT.burst),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use indexmap::IndexMap;

    use super::*;
    use stackgen_gateway_common::EpochMillis;

    fn settings(burst: u32, rate: f64) -> RouteSettings {
        RouteSettings {
            throttling_burst_limit: Some(burst),
            throttling_rate_limit: Some(rate),
            ..RouteSettings::default()
        }
    }

    fn stage(default: RouteSettings) -> StoredStage {
        StoredStage {
            stage_name: StageName::new("prod"),
            deployment_id: None,
            auto_deploy: false,
            last_deployment_status_message: None,
            default_route_settings: default,
            route_settings: IndexMap::new(),
            stage_variables: IndexMap::new(),
            access_log_settings: None,
            client_certificate_id: None,
            description: None,
            created_date: EpochMillis::default(),
            last_updated_date: EpochMillis::default(),
            tags: IndexMap::new(),
        }
    }

    #[test]
    fn row_m19_a_burst_passes_and_the_rate_refills_it() {
        let (throttles, now) = (Throttles::default(), Instant::now());
        let (stage, route) = (stage(settings(2, 10.0)), RouteKey::new("send"));
        let admitted = |at| throttles.admit(&stage, &route, at);
        assert_eq!(
            [admitted(now), admitted(now), admitted(now)],
            [true, true, false]
        );
        let later = now + Duration::from_millis(100);
        assert_eq!([admitted(later), admitted(later)], [true, false]);
    }

    #[test]
    fn row_d18_a_limit_of_zero_refuses_all_and_route_settings_override_the_default() {
        let (throttles, now) = (Throttles::default(), Instant::now());
        let mut stage = stage(settings(0, 0.0));
        stage
            .route_settings
            .insert("send".to_owned(), settings(1, 1.0));
        assert!(!throttles.admit(&stage, &RouteKey::new(RouteKey::CONNECT), now));
        assert!(throttles.admit(&stage, &RouteKey::new("send"), now));
        assert!(!throttles.admit(&stage, &RouteKey::new("send"), now));
    }
}
