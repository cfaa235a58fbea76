//! Rate limits of the control plane (row D15).

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use stackgen_gateway_common::RateLimits;

use crate::apis::ApiError;

/// Rate limits with the calls made so far.
#[derive(Debug)]
pub(super) struct RateLimiter {
    rate_limits: RateLimits,
    count: Mutex<CallCount>,
}

#[derive(Debug)]
struct CallCount {
    /// Calls that were left at the time `at`.
    left: f64,
    at: Instant,
    deployed: Option<Instant>,
}

impl RateLimiter {
    pub(super) fn new(rate_limits: RateLimits) -> Self {
        let count = CallCount {
            left: f64::from(rate_limits.burst),
            at: Instant::now(),
            deployed: None,
        };
        RateLimiter {
            rate_limits,
            count: Mutex::new(count),
        }
    }

    /// Counts a call, or refuses it.
    pub(super) fn count(&self, deploys: bool) -> Result<(), ApiError> {
        let now = Instant::now();
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let refilled = (now - count.at).as_secs_f64() * self.rate_limits.rate;
        count.left = (count.left + refilled).min(f64::from(self.rate_limits.burst));
        count.at = now;
        let too_soon =
            (count.deployed).is_some_and(|last| now - last < self.rate_limits.deployments);
        if count.left < 1.0 || (deploys && too_soon) {
            return Err(ApiError::too_many_requests("Too Many Requests"));
        }
        count.left -= 1.0;
        if deploys {
            count.deployed = Some(now);
        }
        Ok(())
    }
}
