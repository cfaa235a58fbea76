//! Tests with many concurrent callers.

use futures_util::future::join_all;
use live_session_core::limits::Rate;
use live_session_core::ports::{
    Admission, Bucket, ConnectionStore, RateLimiter, SessionRefusal, TakeResult,
};

use crate::support::database::{Database, patient_settings};
use crate::support::faults::Faults;
use crate::support::fixtures::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_concurrent_listeners_fill_a_session_of_a_hundred() {
    let database = Database::start().await;
    let store = database.faulty_store(patient_settings(), &Faults::default());
    let session = created(&store, "merciful-truth-455-k7dq2m9x4hw3t").await;
    let arrivals = (0..1000).map(|number| {
        let (store, listener) = (store.clone(), listener(&format!("{number}="), &session));
        tokio::spawn(async move { store.admit_listener(&listener, capacity(100), NOW).await })
    });
    let mut admitted = 0;
    for admission in join_all(arrivals).await {
        match admission.unwrap().unwrap() {
            Admission::Admitted => admitted += 1,
            other => assert_eq!(other, Admission::Refused(SessionRefusal::Full)),
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
    let store = database.faulty_store(patient_settings(), &Faults::default());
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
        .filter(|taken| matches!(taken, Ok(Ok(TakeResult::Taken))));
    assert_eq!(taken.count(), 10);
    assert!(takes.iter().all(|taken| matches!(taken, Ok(Ok(_)))));
}
