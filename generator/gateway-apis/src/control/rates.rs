//! Rate limits of the control plane (row D15).

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use stackgen_gateway_common::Rates;

use crate::apis::ApiError;

/// Rate limits with the calls made so far.
#[derive(Debug)]
pub(super) struct Meter {
    rates: Rates,
    spent: Mutex<Spent>,
}

#[derive(Debug)]
struct Spent {
    /// Calls that were left at the time `at`.
    left: f64,
    at: Instant,
    deployed: Option<Instant>,
}

impl Meter {
    pub(super) fn new(rates: Rates) -> Self {
        let spent = Spent {
            left: f64::from(rates.burst),
            at: Instant::now(),
            deployed: None,
        };
        Meter {
            rates,
            spent: Mutex::new(spent),
        }
    }

    /// Counts a call, or refuses it.
    pub(super) fn count(&self, deploys: bool) -> Result<(), ApiError> {
        let now = Instant::now();
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let won = (now - spent.at).as_secs_f64() * self.rates.rate;
        spent.left = (spent.left + won).min(f64::from(self.rates.burst));
        spent.at = now;
        let soon = (spent.deployed).is_some_and(|last| now - last < self.rates.deployments);
        if spent.left < 1.0 || (deploys && soon) {
            return Err(ApiError::too_many_requests("Too Many Requests"));
        }
        spent.left -= 1.0;
        if deploys {
            spent.deployed = Some(now);
        }
        Ok(())
    }
}
