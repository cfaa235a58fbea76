//! Tests of a crowd that joins and leaves at once, with the time budgets of production and a network with latency.

use std::time::Duration;

use futures_util::future::join_all;
use live_session::dynamo::{DynamoStore, StoreSettings};
use live_session_core::limits::{JOIN_RATE, WRONG_ID_RATE};
use live_session_core::ports::{Capacity, Ports};
use live_session_core::testing::{MemoryBroadcaster, TestClock};
use live_session_core::{
    CallerLimits, Handshake, JoinSettings, RateLimitFailure, connect, disconnect,
};
use tokio::time::sleep;

use crate::support::database::Database;
use crate::support::fixtures::*;
use crate::support::latency::Latency;

type World = Ports<DynamoStore, MemoryBroadcaster, TestClock>;

const CROWD: u32 = 500;
const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

/// The settings of a deployed stack.
const SETTINGS: JoinSettings = JoinSettings {
    capacity: Capacity {
        listeners: CROWD,
        per_address: 50,
    },
    caller: CallerLimits {
        requests: JOIN_RATE,
        wrong_ids: WRONG_ID_RATE,
        failure: RateLimitFailure::Open,
    },
};

/// Returns the handshake of a listener with an address of its own.
fn handshake(number: u32) -> Handshake {
    Handshake {
        connection_id: id(&format!("{number}=")),
        connected_at: NOW,
        ip_address: format!("10.0.{}.{}", number / 256, number % 256),
        user_id: None,
        grant: None,
        session_id: Some(ID.to_owned()),
        target_language: Some(["de", "fr", "es"][number as usize % 3].to_owned()),
        previous_connection_id: None,
    }
}

/// Runs an operation for everybody in the crowd, evenly within a second.
async fn within_a_second<F: Future>(operation: impl Fn(u32) -> F) -> Vec<F::Output> {
    join_all((0..CROWD).map(|number| {
        let operation = operation(number);
        async move {
            sleep(Duration::from_secs(1) * number / CROWD).await;
            operation.await
        }
    }))
    .await
}

async fn joins_and_leaves(database: &Database, millis: u64) {
    let latency = Latency::new(Duration::from_millis(millis));
    let world: World = Ports {
        store: database.slow_store(StoreSettings::default(), &latency),
        broadcaster: MemoryBroadcaster::default(),
        clock: TestClock::default(),
    };
    let session = created(&world.store, ID).await;
    let joined = within_a_second(|number| connect(&world, SETTINGS, handshake(number))).await;
    let refused = joined.iter().filter_map(|joined| joined.as_ref().err());
    let refused: Vec<_> = refused
        .map(|error| (error.status(), error.reason()))
        .collect();
    assert_eq!(
        refused,
        [],
        "{millis} ms, {} conflicts",
        latency.conflicts()
    );
    assert_eq!(count(&world.store, &session).await, CROWD);
    let records = database.scan(&database.tables.connections).await;
    assert_eq!(records.len(), CROWD as usize);
    // The session is full: one more is refused, and not with an error.
    let full = connect(&world, SETTINGS, handshake(CROWD))
        .await
        .unwrap_err();
    assert_eq!((full.status(), full.reason()), (403, "full"));

    let ids: Vec<_> = (0..CROWD).map(|number| id(&format!("{number}="))).collect();
    let left = within_a_second(|number| disconnect(&world, &ids[number as usize])).await;
    let failed = left.iter().filter(|left| !matches!(left, Ok(Some(_))));
    assert_eq!(
        failed.count(),
        0,
        "{millis} ms, {} conflicts",
        latency.conflicts()
    );
    assert_eq!(count(&world.store, &session).await, 0);
    assert!(database.scan(&database.tables.connections).await.is_empty());
}

/// Runs the test on a paused clock, with the database on a runtime whose clock is real.
fn run(millis: u64) {
    let network = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let database = network.block_on(Database::start());
    let simulated = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let database = database.over(&Latency::new(Duration::ZERO));
    simulated.block_on(joins_and_leaves(&database, millis));
}

#[test]
fn five_hundred_join_and_leave_within_a_second_each_at_8_ms() {
    run(8);
}

#[test]
fn five_hundred_join_and_leave_within_a_second_each_at_12_ms() {
    run(12);
}

#[test]
fn five_hundred_join_and_leave_within_a_second_each_at_20_ms() {
    run(20);
}
