//! Quotas that a load uses.

use serde::Serialize;

/// Regions whose default throttle quota is 2,500 requests per second with a burst of 1,250 (row L5), from
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const SMALL_REGIONS: [&str; 13] = [
    "af-south-1",     // Africa (Cape Town)
    "ap-south-2",     // Asia Pacific (Hyderabad)
    "ap-southeast-3", // Asia Pacific (Jakarta)
    "ap-southeast-4", // Asia Pacific (Melbourne)
    "ap-southeast-5", // Asia Pacific (Malaysia)
    "ap-southeast-7", // Asia Pacific (Thailand)
    "ca-west-1",      // Canada West (Calgary)
    "eu-central-2",   // Europe (Zurich)
    "eu-south-1",     // Europe (Milan)
    "eu-south-2",     // Europe (Spain)
    "il-central-1",   // Israel (Tel Aviv)
    "me-central-1",   // Middle East (UAE)
    "mx-central-1",   // Mexico (Central)
];

/// Default quotas of an account in a Region.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountQuotas {
    /// Requests per second of all APIs together, posts to connections included (row L5).
    pub requests_per_second: f64,
    /// Requests that are admitted at once (row L5).
    pub burst: f64,
    /// New connections per second of all WebSocket APIs together (row L6).
    pub connections_per_second: f64,
    /// Invocations of Lambda functions that run at the same time.
    pub concurrent_invocations: f64,
}

impl AccountQuotas {
    /// Returns the default quotas in a Region.
    pub fn of_region(region: &str) -> Self {
        let is_small = SMALL_REGIONS.contains(&region);
        AccountQuotas {
            requests_per_second: if is_small { 2500.0 } else { 10_000.0 },
            burst: if is_small { 1250.0 } else { 5000.0 },
            connections_per_second: 500.0,
            concurrent_invocations: 1000.0,
        }
    }

    /// Returns the default quotas of the Regions with the largest ones.
    pub fn largest() -> Self {
        AccountQuotas::of_region("us-east-1")
    }

    /// Returns the quotas of an account whose quota of requests was raised. The burst is set by AWS and stays unknown,
    /// so that the default remains as its lower bound.
    pub fn with_requests_per_second(self, requests_per_second: f64) -> Self {
        AccountQuotas {
            requests_per_second,
            ..self
        }
    }
}

/// A quota or a setting, and what the load uses of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaUse {
    /// Short name: `requests`, `route-throttle` and so on.
    pub id: &'static str,
    /// The quota in words.
    pub name: String,
    /// What the load uses.
    pub used: f64,
    /// The quota.
    pub quota: f64,
    /// Unit of both.
    pub unit: &'static str,
    /// Row of the reference, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<&'static str>,
    /// What to do if the load exceeds it.
    pub cure: &'static str,
}

impl QuotaUse {
    /// Returns the used share: 1 is all of it.
    pub fn share(&self) -> f64 {
        match self.quota > 0.0 {
            true => self.used / self.quota,
            false => f64::INFINITY,
        }
    }

    /// Returns true if the load exceeds the quota.
    pub fn is_exceeded(&self) -> bool {
        // A load of exactly the quota fits; the rest is rounding.
        self.share() > 1.0 + 1e-9
    }
}
