//! Histogram of durations with a fixed number of buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets of each power of two: a duration differs from its bucket's by at most 1/32.
const SUB_BUCKETS: u64 = 32;

/// Number of powers of two: up to 2^36 microseconds, about 19 hours.
const OCTAVES: usize = 32;

/// Number of buckets.
const BUCKETS: usize = (OCTAVES + 1) * SUB_BUCKETS as usize;

/// Durations of exchanges, which many tasks add to.
#[derive(Debug)]
pub(crate) struct LatencyHistogram {
    counts: Box<[AtomicU64]>,
    max: AtomicU64,
    sum: AtomicU64,
}

/// Copy of a histogram at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HistogramCopy {
    counts: Vec<u64>,
    max: u64,
    sum: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        LatencyHistogram {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            max: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }
}

impl LatencyHistogram {
    pub(crate) fn add(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.max.fetch_max(micros, Ordering::Relaxed);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn copy(&self) -> HistogramCopy {
        HistogramCopy {
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            max: self.max.load(Ordering::Relaxed),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl HistogramCopy {
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.max))
    }

    pub(crate) fn mean(&self) -> Option<Duration> {
        self.sum
            .checked_div(self.count())
            .map(Duration::from_micros)
    }

    /// Returns the duration that this share of all durations does not exceed, by the nearest-rank method.
    pub(crate) fn percentile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        // Counts are far below 2^52, so f64 is exact.
        let rank = ((count as f64 * share).ceil() as u64).max(1);
        let mut passed = 0;
        let found = self.counts.iter().position(|count| {
            passed += count;
            passed >= rank
        });
        let micros = upper_bound(found?).min(self.max);
        (count > 0).then(|| Duration::from_micros(micros))
    }

    /// Returns what was added since an earlier copy. Its maximum is unknown.
    pub(crate) fn since(&self, earlier: &HistogramCopy) -> HistogramCopy {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        let counts = self
            .counts
            .iter()
            .zip(before)
            .map(|(now, before)| now - before);
        HistogramCopy {
            counts: counts.collect(),
            max: u64::MAX,
            sum: self.sum.saturating_sub(earlier.sum),
        }
    }

    /// Returns the counts up to each power of two, without empty ones at both ends.
    pub(crate) fn octaves(&self) -> Vec<(Duration, u64)> {
        let size = SUB_BUCKETS as usize;
        let octaves = self
            .counts
            .chunks(size)
            .enumerate()
            .map(|(octave, counts)| {
                let upper = upper_bound(octave * size + size - 1);
                (Duration::from_micros(upper), counts.iter().sum::<u64>())
            });
        let all: Vec<_> = octaves.collect();
        let is_used = |(_, count): &(Duration, u64)| *count > 0;
        let first = all.iter().position(is_used).unwrap_or(0);
        let end = all.iter().rposition(is_used).map_or(0, |last| last + 1);
        all.get(first..end).unwrap_or_default().to_vec()
    }
}

fn bucket(micros: u64) -> usize {
    if micros < SUB_BUCKETS {
        return usize::try_from(micros).unwrap_or(0);
    }
    let octave = u64::from(micros.ilog2() - SUB_BUCKETS.ilog2());
    let sub = (micros >> octave) - SUB_BUCKETS;
    let index = (octave + 1) * SUB_BUCKETS + sub;
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// Returns the longest duration of a bucket in microseconds.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let (octave, sub) = (bucket / SUB_BUCKETS, bucket % SUB_BUCKETS);
    match octave {
        0 => sub,
        octave => ((SUB_BUCKETS + sub + 1) << (octave - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_are_exact_within_a_bucket() {
        let histogram = LatencyHistogram::default();
        (1..=1000).for_each(|millis| histogram.add(Duration::from_millis(millis)));
        let copy = histogram.copy();
        assert_eq!(
            (copy.count(), copy.max()),
            (1000, Some(Duration::from_secs(1)))
        );
        for (share, exact) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = copy.percentile(share).unwrap().as_secs_f64() * 1000.0;
            assert!(found >= exact && found <= exact * 1.04, "{share}: {found}");
        }
        assert_eq!(HistogramCopy::default().percentile(0.5), None);
        let later = histogram.copy();
        assert_eq!(later.since(&copy).count(), 0);
        assert_eq!(
            copy.octaves().iter().map(|(_, count)| count).sum::<u64>(),
            1000
        );
    }

    proptest! {
        #[test]
        fn a_bucket_contains_its_durations(micros in 0_u64..1 << 36) {
            let found = bucket(micros);
            prop_assert!(micros <= upper_bound(found));
            prop_assert!(found == 0 || micros > upper_bound(found - 1));
            prop_assert!(upper_bound(found) as f64 <= micros as f64 * 1.04 + 1.0);
        }
    }
}
