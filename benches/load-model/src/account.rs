//! The simulated account: its request limit, and the network to its listeners.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use stackgen_websocket::{Broadcaster, ConnectionId, PostError};
use tokio::time::{Instant, sleep};

/// Requests per second that all APIs of the account share in the smaller Regions, and the burst (row L5).
const REQUESTS_PER_SECOND: f64 = 2_500.0;
const BURST: f64 = 1_250.0;

/// The account.
#[derive(Clone, Debug)]
pub struct Account(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    tokens: f64,
    updated_at: Instant,
    posts: u64,
    random: fastrand::Rng,
}

impl Account {
    /// Returns an account with a full bucket. Its random numbers are the same in every run.
    pub fn new() -> Self {
        Account(Arc::new(Mutex::new(State {
            tokens: BURST,
            updated_at: Instant::now(),
            posts: 0,
            random: fastrand::Rng::with_seed(7),
        })))
    }

    /// Takes a request from the account's limit. Returns false if the request is throttled.
    pub fn request(&self) -> bool {
        let mut state = self.0.lock().expect("nobody panics while holding it");
        let now = Instant::now();
        let gained = (now - state.updated_at).as_secs_f64() * REQUESTS_PER_SECOND;
        state.tokens = (state.tokens + gained).min(BURST);
        state.updated_at = now;
        let is_admitted = state.tokens >= 1.0;
        if is_admitted {
            state.tokens -= 1.0;
        }
        is_admitted
    }

    /// Returns the number of posts so far.
    pub fn posts(&self) -> u64 {
        self.0.lock().expect("nobody panics while holding it").posts
    }

    /// Returns the duration of the next post: 20 ms and an exponential tail with a mean of 10 ms, at most 200 ms.
    fn begin_post(&self) -> Duration {
        let mut state = self.0.lock().expect("nobody panics while holding it");
        state.posts += 1;
        let tail = -10.0 * (1.0 - state.random.f64()).ln();
        Duration::from_secs_f64((20.0 + tail.min(180.0)) / 1000.0)
    }
}

impl Broadcaster for Account {
    /// Posts to a connection. API Gateway decides when the request arrives, after half of the time.
    async fn post(&self, _: &ConnectionId, _: Bytes) -> Result<(), PostError> {
        let half = self.begin_post() / 2;
        sleep(half).await;
        let is_admitted = self.request();
        sleep(half).await;
        match is_admitted {
            true => Ok(()),
            false => Err(PostError::Busy),
        }
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}
