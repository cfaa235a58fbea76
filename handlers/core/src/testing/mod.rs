//! Ports in memory for tests: tables, connections that record posts, and a clock that tests advance.
//!
//! [`MemoryStore`] passes the same tests as the DynamoDB adapter.

mod broadcaster;
mod store;

use std::sync::Mutex;
use std::time::Duration;

use stackgen_websocket::{Clock, Timestamp};
use tokio::time::Instant;

pub use broadcaster::{MemoryBroadcaster, PostBehavior};
pub use store::MemoryStore;

use crate::ports::Ports;

/// A clock that shows the time it was set to.
#[derive(Debug)]
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    /// A day in 2026.
    pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    /// Advances the clock.
    pub fn advance(&self, time: Duration) {
        let mut now = self.0.lock().expect("nobody panics while holding it");
        *now = now.after(time);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        TestClock(Mutex::new(TestClock::START))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("nobody panics while holding it")
    }
}

/// A clock that follows Tokio's time, which tests can pause and so simulate.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedClock(Instant);

impl Default for SimulatedClock {
    fn default() -> Self {
        SimulatedClock(Instant::now())
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        TestClock::START.after(self.0.elapsed())
    }
}

/// Returns empty ports in memory.
pub fn memory_ports() -> Ports<MemoryStore, MemoryBroadcaster, TestClock> {
    Ports {
        store: MemoryStore::default(),
        broadcaster: MemoryBroadcaster::default(),
        clock: TestClock::default(),
    }
}
