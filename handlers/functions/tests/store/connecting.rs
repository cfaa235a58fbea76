//! Tests of `$connect` with concurrent callers.

use futures_util::future::join_all;
use live_session::dynamo::DynamoStore;
use live_session_core::limits::{JOIN_RATE, WRONG_ID_RATE};
use live_session_core::ports::{Capacity, Ports};
use live_session_core::testing::{MemoryBroadcaster, TestClock};
use live_session_core::{
    CallerLimits, Handshake, JoinSettings, RateLimitFailure, connect, disconnect,
};

use crate::support::database::{Database, patient_settings};
use crate::support::fixtures::*;

type World = Ports<DynamoStore, MemoryBroadcaster, TestClock>;

const SETTINGS: JoinSettings = JoinSettings {
    capacity: Capacity {
        listeners: 100,
        per_address: 50,
    },
    caller: CallerLimits {
        requests: JOIN_RATE,
        wrong_ids: WRONG_ID_RATE,
        failure: RateLimitFailure::Closed,
    },
};

/// Returns a handshake with an address of its own.
fn handshake(number: usize) -> Handshake {
    Handshake {
        connection_id: id(&format!("{number}=")),
        connected_at: NOW,
        ip_address: format!("10.0.{}.{}", number / 256, number % 256),
        user_id: None,
        grant: None,
        session_id: Some("merciful-truth-455-k7dq2m9x4hw3t".to_owned()),
        target_language: Some("de".to_owned()),
        previous_connection_id: None,
    }
}

/// Returns ports with a generous time budget, for busy machines.
fn world(database: &Database) -> World {
    Ports {
        store: database.store(patient_settings()),
        broadcaster: MemoryBroadcaster::default(),
        clock: TestClock::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_concurrent_handshakes_leave_exactly_a_hundred_records() {
    let database = Database::start().await;
    let world = world(&database);
    let session = created(&world.store, "merciful-truth-455-k7dq2m9x4hw3t").await;
    let handshakes = (0..1000).map(|number| connect(&world, SETTINGS, handshake(number)));
    let outcomes = join_all(handshakes).await;
    let statuses = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(statuses.clone().all(|refused| refused.status() == 403));
    assert_eq!(statuses.count(), 900);
    assert_eq!(count(&world.store, &session).await, 100);
    let records = database.scan(&database.tables.connections).await;
    assert_eq!(records.len(), 100);

    // Each `$disconnect` event comes twice, all at once.
    let ids: Vec<_> = records
        .iter()
        .map(|record| id(record["connectionId"].as_s().unwrap()))
        .collect();
    let gone = join_all(ids.iter().chain(&ids).map(|id| disconnect(&world, id))).await;
    assert!(gone.iter().all(Result::is_ok));
    assert_eq!(count(&world.store, &session).await, 0);
    assert!(database.scan(&database.tables.connections).await.is_empty());
}
