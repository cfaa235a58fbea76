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
        if !is_in_use {
            buckets.remove(bucket.as_str());
            return;
        }
        // Most buckets are of callers who are gone. Those that are in use come back.
        if buckets.len() >= MAX_REMEMBERED && !buckets.contains(bucket.as_str()) {
            buckets.clear();
        }
        buckets.insert(bucket.as_str().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_still_remembers_the_bucket_that_was_used_last() {
        let memory = BucketsInUse::default();
        for number in 0..3 * MAX_REMEMBERED {
            let bucket = Bucket::new("join", "ip", &number.to_string());
            memory.set(&bucket, true);
            assert!(memory.contains(&bucket));
            assert!(memory.0.lock().unwrap().len() <= MAX_REMEMBERED);
        }
        // Using one of them again forgets no other.
        let last = Bucket::new("join", "ip", "29999");
        memory.set(&last, true);
        assert_eq!(memory.0.lock().unwrap().len(), MAX_REMEMBERED);
        memory.set(&last, false);
        assert!(!memory.contains(&last));
    }
}
