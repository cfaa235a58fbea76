//! Memory of token buckets.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use live_session_core::ports::Bucket;

/// Maximum number of buckets to remember.
const MAX_REMEMBERED: usize = 10_000;

/// Buckets that were not full when a token was last taken. It only decides which of two conditions is tried first.
#[derive(Debug, Default)]
pub(super) struct BucketsInUse(Mutex<HashSet<String>>);

impl BucketsInUse {
    /// Returns true if the bucket was not full.
    pub(super) fn contains(&self, bucket: &Bucket) -> bool {
        let buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.contains(bucket.as_str())
    }

    /// Remembers whether the bucket was full.
    pub(super) fn set(&self, bucket: &Bucket, is_in_use: bool) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match is_in_use {
            false => drop(buckets.remove(bucket.as_str())),
            true if buckets.len() < MAX_REMEMBERED => {
                buckets.insert(bucket.as_str().to_owned());
            }
            true => {}
        }
    }
}
