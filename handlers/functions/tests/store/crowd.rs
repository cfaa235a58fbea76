//! Tests with many concurrent callers.

use std::time::Duration;

use futures_util::future::join_all;
use live_session::dynamo::{Retry, Settings};
use live_session_core::ports::{
    Admission, Bucket, ConnectionStore, Rate, RateLimiter, Refusal, Taken,
};

use crate::support::database::Database;
use crate::support::faults::Faults;
use crate::support::people::*;

/// Returns settings with a generous time budget, for busy machines.
fn patient() -> Settings {
    let retry = Retry {
        budget: Duration::from_secs(300),
        request: Duration::from_secs(60),
        ..Retry::default()
    };
    Settings {
        retry,
        rate_retry: retry,
        page: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_fill_a_hundred_places() {
    let database = Database::start().await;
    let store = database.faulty_store(patient(), &Faults::default());
    let session = created(&store, "merciful-truth-455").await;
    let arrivals = (0..1000).map(|number| {
        let (store, listener) = (store.clone(), listener(&format!("{number}="), &session));
        tokio::spawn(async move { store.admit_listener(&listener, 100, NOW).await })
    });
    let mut admitted = 0;
    for admission in join_all(arrivals).await {
        match admission.unwrap().unwrap() {
            Admission::Admitted => admitted += 1,
            other => assert_eq!(other, Admission::Refused(Refusal::Full)),
        }
    }
    assert_eq!(admitted, 100);
    assert_eq!(count(&store, &session).await, 100);
    assert_eq!(database.scan(&database.tables.connections).await.len(), 100);

    // All listeners leave, twice and at once.
    let ids = database.scan(&database.tables.connections).await;
    let leavings = ids.iter().chain(&ids).map(|item| {
        let (store, id) = (store.clone(), id(item["connectionId"].as_s().unwrap()));
        tokio::spawn(async move { store.remove(&id, NOW).await })
    });
    let left = join_all(leavings).await;
    let left = left.into_iter().filter_map(|left| left.unwrap().unwrap());
    assert_eq!(left.count(), 100);
    assert_eq!(count(&store, &session).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_gives_each_token_once() {
    let database = Database::start().await;
    let store = database.faulty_store(patient(), &Faults::default());
    let rate = Rate {
        tokens: 10,
        per: HOUR,
    };
    let takes = (0..50).map(|_| {
        let store = store.clone();
        let bucket = Bucket::new("join", "ip", "203.0.113.7");
        tokio::spawn(async move { store.take(&bucket, rate, NOW).await })
    });
    let takes = join_all(takes).await;
    let taken = takes
        .iter()
        .filter(|taken| matches!(taken, Ok(Ok(Taken::Yes))));
    assert_eq!(taken.count(), 10);
    assert!(takes.iter().all(|taken| matches!(taken, Ok(Ok(_)))));
}
