//! A crowd that fills a session, in a model of the table on simulated time. The choice of shards and the pauses are those of
//! production.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::join_all;
use live_session_core::{Role, SessionId};
use tokio::time::sleep;

use super::*;
use crate::dynamo::call::RetryPolicy;

const CROWD: u32 = 500;

/// Capacity of a session that the crowd fills exactly.
const CAPACITY: Capacity = Capacity {
    listeners: CROWD,
    per_address: CROWD,
};

/// Model of a table whose requests all take the same time.
struct SlowShards {
    request_time: Duration,
    shards: RefCell<Vec<Shard>>,
    /// Shards that a transaction in progress writes.
    written: RefCell<Vec<ShardIndex>>,
}

/// Result of a transaction that takes a place.
enum PlaceResult {
    Taken,
    NoRoom,
    Conflict,
}

impl SlowShards {
    fn new(request_time: Duration) -> Self {
        SlowShards {
            request_time,
            shards: RefCell::new(vec![Shard::default(); SHARDS as usize]),
            written: RefCell::default(),
        }
    }

    /// Takes a place as DynamoDB does: it refuses a transaction on an item that another one in progress writes.
    async fn take(&self, index: ShardIndex) -> PlaceResult {
        if self.written.borrow().contains(&index) {
            sleep(self.request_time).await;
            return PlaceResult::Conflict;
        }
        self.written.borrow_mut().push(index);
        sleep(self.request_time).await;
        self.written.borrow_mut().retain(|other| *other != index);
        let shard = &mut self.shards.borrow_mut()[index as usize];
        if free_places(shard, index, "", CAPACITY) == 0 {
            return PlaceResult::NoRoom;
        }
        shard.listeners += 1;
        PlaceResult::Taken
    }

    async fn read(&self) -> Vec<Shard> {
        sleep(self.request_time).await;
        self.shards.borrow().clone()
    }

    /// Takes a place as [`DynamoStore::admit_counted`] does.
    async fn admit(&self, listener: &Connection) -> StoreResult<()> {
        let mut call = StoreCall::new("admit_listener", RetryPolicy::default());
        // The session is read first.
        let _ = self.read().await;
        let mut search = ShardSearch::new(listener, CAPACITY);
        loop {
            match self.take(search.shard()).await {
                PlaceResult::Taken => return Ok(()),
                PlaceResult::Conflict => call.pause_before_write(RequestFailure::Rejected).await?,
                PlaceResult::NoRoom => {
                    let found = search.retry(&mut call, self.read().await).await?;
                    assert_eq!(found, Ok(()));
                }
            }
        }
    }

    /// Admits the crowd, evenly within a second.
    async fn admit_crowd(&self) -> Vec<StoreResult<()>> {
        let listener = listener();
        join_all((0..CROWD).map(async |number| {
            sleep(Duration::from_secs(1) * number / CROWD).await;
            self.admit(&listener).await
        }))
        .await
    }

    fn listeners(&self) -> u32 {
        let shards = self.shards.borrow();
        shards.iter().map(|shard| shard.listeners).sum()
    }
}

fn listener() -> Connection {
    Connection {
        connection_id: ConnectionId::new("L0SM9cOFvHcCIhb="),
        session_id: SessionId::try_from("merciful-truth-455-k7dq2m9x4hw3t").unwrap(),
        role: Role::Listener,
        target_language: None,
        user_id: None,
        connected_at: Timestamp::default(),
        ip_address: "192.0.2.1".to_owned(),
        last_seen_at: Timestamp::default(),
        refresh_requested_at: None,
        ttl: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn crowds_that_fill_a_session_are_admitted_at_20_ms_per_request() {
    for seed in 0..200 {
        fastrand::seed(seed);
        let table = SlowShards::new(Duration::from_millis(20));
        for admitted in table.admit_crowd().await {
            admitted.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        assert_eq!(table.listeners(), CROWD);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_needs_more_than_three_seconds_at_200_ms_per_request() {
    fastrand::seed(0);
    let table = SlowShards::new(Duration::from_millis(200));
    let admitted = table.admit_crowd().await;
    let failed = admitted.iter().filter(|admitted| admitted.is_err()).count();
    assert!(failed > 0);
    assert_eq!(table.listeners() as usize, CROWD as usize - failed);
}
