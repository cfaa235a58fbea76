//! Results of a load measurement.

use std::time::Duration;

use serde::Serialize;

use crate::millis::{millis, some_millis};

/// Results of a load measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Number of connections that took part.
    pub connections: usize,
    /// Number of connections that could not be opened.
    pub refused: usize,
    /// Number of exchanges that were answered.
    pub answered: usize,
    /// Number of exchanges that ended with an error frame, a timeout or a closed connection.
    pub failed: usize,
    /// Time from the first message to the last answer.
    #[serde(serialize_with = "millis", rename = "tookMs")]
    pub took: Duration,
    /// Shortest exchange.
    #[serde(serialize_with = "some_millis", rename = "minMs")]
    pub min: Option<Duration>,
    /// 50th percentile.
    #[serde(serialize_with = "some_millis", rename = "p50Ms")]
    pub p50: Option<Duration>,
    /// 99th percentile.
    #[serde(serialize_with = "some_millis", rename = "p99Ms")]
    pub p99: Option<Duration>,
    /// Longest exchange.
    #[serde(serialize_with = "some_millis", rename = "maxMs")]
    pub max: Option<Duration>,
}

impl Latency {
    /// Returns the number of answered exchanges per second.
    pub fn per_second(&self) -> f64 {
        match self.took.is_zero() {
            true => 0.0,
            false => self.answered as f64 / self.took.as_secs_f64(),
        }
    }

    /// Returns the results of answered exchanges.
    pub(crate) fn from_samples(mut answered: Vec<Duration>) -> Self {
        answered.sort_unstable();
        // Nearest-rank method: the smallest sample that `percent` of all samples do not exceed.
        let percentile = |percent: usize| {
            let rank = (answered.len() * percent).div_ceil(100).max(1);
            answered.get(rank - 1).copied()
        };
        Latency {
            answered: answered.len(),
            min: answered.first().copied(),
            p50: percentile(50),
            p99: percentile(99),
            max: answered.last().copied(),
            ..Latency::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let of = |count: u64| {
            Latency::from_samples((1..=count).rev().map(Duration::from_millis).collect())
        };
        assert_eq!(of(100).p50, Some(Duration::from_millis(50)));
        assert_eq!(of(100).p99, Some(Duration::from_millis(99)));
        assert_eq!(of(101).p99, Some(Duration::from_millis(100)));
        assert_eq!(of(1).p99, Some(Duration::from_millis(1)));
        assert_eq!((of(0).p50, of(0).max), (None, None));
    }
}
