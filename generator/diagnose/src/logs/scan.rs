//! Sizes and prices of searches with Logs Insights, which AWS bills by the bytes that it scans.

use super::entry::LogSource;
use super::fetch::TimeRange;

/// Price of a scanned GB in us-east-1, in dollars.
const USD_PER_GB: f64 = 0.005;

/// Size of what one query scans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanEstimate {
    /// The bytes.
    pub bytes: u64,
    /// True if the size of a group is unknown.
    pub is_incomplete: bool,
}

/// Returns the size of what one query of a range scans: the share of each group's stored bytes that its range has. It is a
/// guess, because lines are not spread evenly.
pub fn estimate(sources: &[LogSource], range: TimeRange, now: i64) -> ScanEstimate {
    const DAY: i64 = 86_400_000;
    let mut estimate = ScanEstimate {
        bytes: 0,
        is_incomplete: false,
    };
    for source in sources {
        let Some(stored) = source.stored_bytes else {
            estimate.is_incomplete = true;
            continue;
        };
        let age = source.created.map_or(i64::MAX, |created| now - created);
        let kept = source
            .retention_days
            .map_or(i64::MAX, |days| i64::from(days) * DAY);
        let stored_for = age.min(kept).max(1);
        let length = (range.end.unwrap_or(now) - range.start).clamp(0, stored_for);
        let share = i128::from(stored) * i128::from(length) / i128::from(stored_for);
        estimate.bytes = estimate
            .bytes
            .saturating_add(u64::try_from(share).unwrap_or(u64::MAX));
    }
    estimate
}

/// Returns the price of scanned bytes in us-east-1.
#[allow(
    clippy::cast_precision_loss,
    reason = "a price is shown with few digits"
)]
pub fn scan_price(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000_000.0 * USD_PER_GB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_the_share_of_the_stored_time() {
        let source = LogSource {
            stored_bytes: Some(10_000_000_000),
            created: Some(0),
            retention_days: Some(10),
            ..LogSource::named("g")
        };
        let day = 86_400_000;
        let now = 100 * day;
        let range = |days: i64| TimeRange {
            start: now - days * day,
            end: None,
        };
        assert_eq!(
            estimate(std::slice::from_ref(&source), range(1), now).bytes,
            1_000_000_000
        );
        assert_eq!(
            estimate(std::slice::from_ref(&source), range(50), now).bytes,
            10_000_000_000
        );
        let unknown = estimate(&[LogSource::named("g")], range(1), now);
        assert!(unknown.is_incomplete && unknown.bytes == 0);
        assert!((scan_price(1_000_000_000) - 0.005).abs() < 1e-9);
    }
}
