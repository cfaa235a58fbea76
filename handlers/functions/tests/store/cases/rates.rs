use std::time::Duration;

use live_session_core::Timestamp;
use live_session_core::limits::Rate;
use live_session_core::ports::{Bucket, Store, TakeResult};

use crate::support::fixtures::*;

/// One token every six seconds.
const RATE: Rate = Rate {
    tokens: 10,
    per: MINUTE,
};

fn bucket() -> Bucket {
    Bucket::new("join", "ip", "203.0.113.7")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Takes tokens until there are none. Returns their number, and the time until the next.
async fn all(store: &impl Store, bucket: &Bucket, now: Timestamp) -> (u32, Duration) {
    let mut taken = 0;
    loop {
        match store.take(bucket, RATE, now).await.unwrap() {
            TakeResult::Taken => taken += 1,
            TakeResult::Empty { retry_after } => return (taken, retry_after),
        }
    }
}

pub(super) async fn a_bucket_is_full_at_first_and_then_empty(store: &impl Store) {
    assert_eq!(all(store, &bucket(), NOW).await, (10, seconds(6)));
    // A refused attempt costs nothing.
    assert_eq!(all(store, &bucket(), NOW).await, (0, seconds(6)));
}

pub(super) async fn a_bucket_fills_up_evenly(store: &impl Store) {
    all(store, &bucket(), NOW).await;
    let mut now = NOW;
    for _ in 0..3 {
        now = now.after(seconds(6));
        assert_eq!(all(store, &bucket(), now).await, (1, seconds(6)));
    }
    assert_eq!(
        all(store, &bucket(), now.after(seconds(30))).await,
        (5, seconds(6))
    );
}

pub(super) async fn part_of_a_token_is_not_lost(store: &impl Store) {
    all(store, &bucket(), NOW).await;
    assert_eq!(
        all(store, &bucket(), NOW.after(seconds(5))).await,
        (0, seconds(1))
    );
    assert_eq!(
        all(store, &bucket(), NOW.after(seconds(8))).await,
        (1, seconds(4))
    );
    assert_eq!(
        all(store, &bucket(), NOW.after(seconds(12))).await,
        (1, seconds(6))
    );
}

pub(super) async fn a_bucket_holds_no_more_than_its_tokens(store: &impl Store) {
    assert_eq!(
        store.take(&bucket(), RATE, NOW).await,
        Ok(TakeResult::Taken)
    );
    assert_eq!(
        all(store, &bucket(), NOW.after(HOUR)).await,
        (10, seconds(6))
    );
}

pub(super) async fn buckets_are_independent(store: &impl Store) {
    all(store, &bucket(), NOW).await;
    for other in [
        Bucket::new("join", "ip", "203.0.113.8"),
        Bucket::new("create", "user", "ada"),
    ] {
        assert_eq!(store.take(&other, RATE, NOW).await, Ok(TakeResult::Taken));
    }
}

pub(super) async fn a_clock_that_goes_back_adds_no_tokens(store: &impl Store) {
    all(store, &bucket(), NOW).await;
    assert_eq!(all(store, &bucket(), NOW.before(HOUR)).await.0, 0);
    // It takes nothing either.
    assert_eq!(
        all(store, &bucket(), NOW.after(seconds(6))).await,
        (1, seconds(6))
    );
}

pub(super) async fn peeking_takes_nothing(store: &impl Store) {
    for _ in 0..20 {
        assert_eq!(
            store.peek(&bucket(), RATE, NOW).await,
            Ok(TakeResult::Taken)
        );
    }
    assert_eq!(all(store, &bucket(), NOW).await, (10, seconds(6)));
    let empty = Ok(TakeResult::Empty {
        retry_after: seconds(6),
    });
    assert_eq!(store.peek(&bucket(), RATE, NOW).await, empty);
    let later = NOW.after(seconds(6));
    assert_eq!(
        store.peek(&bucket(), RATE, later).await,
        Ok(TakeResult::Taken)
    );
}
