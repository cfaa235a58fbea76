//! Circuit breaker for posts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Broadcaster, ConnectionProbe, PostError};
use crate::ConnectionId;

/// Options of a [`CircuitBreaker`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Number of latest posts that decide, at most 64. The circuit stays closed until there were so many.
    pub sample: u32,
    /// Number of throttled posts among them that opens the circuit.
    pub throttled: u32,
    /// Time for which the circuit is open. It doubles each time that the probes fail.
    pub open_for: Duration,
    /// Maximum of that time.
    pub open_at_most: Duration,
    /// Number of posts that probe the API afterwards.
    pub probes: u32,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        BreakerOptions {
            sample: 64,
            throttled: 32,
            open_for: Duration::from_millis(500),
            open_at_most: Duration::from_secs(8),
            probes: 8,
        }
    }
}

/// State of a [`CircuitBreaker`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Posts are sent.
    Closed,
    /// Posts fail with [`PostError::CircuitOpen`] without a request.
    Open,
    /// A few posts are sent as probes; the others fail like in [`CircuitState::Open`].
    HalfOpen,
}

/// Circuit breaker around a [`Broadcaster`]: stops posting while API Gateway throttles posts.
///
/// Posts count in the request limit that all APIs of an account share in a Region (row L5). A stack that exceeds it
/// throttles every other API of the account, and each further attempt makes it worse. The breaker opens when a share of
/// the latest posts was throttled. After a while it sends a few posts as probes, and closes if most of them get through.
///
/// A client that does not read causes 429, too (row K7), but a few such clients stay below the share.
///
/// The state belongs to one execution environment. Others find out by themselves.
#[derive(Debug)]
pub struct CircuitBreaker<B> {
    inner: B,
    options: BreakerOptions,
    /// Receives every new state.
    observer: fn(CircuitState),
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        /// The latest posts, one bit each: 1 if it was throttled.
        throttled: u64,
        posts: u32,
    },
    Open {
        until: Instant,
        open_for: Duration,
    },
    HalfOpen {
        /// Time from which further probes are sent, in case that the first ones get no answer.
        until: Instant,
        open_for: Duration,
        sent: u32,
        answered: u32,
        throttled: u32,
    },
}

const CLOSED: State = State::Closed {
    throttled: 0,
    posts: 0,
};

impl<B> CircuitBreaker<B> {
    /// Returns a breaker with a closed circuit. It calls `observer` with every new state, for
    /// [metrics](crate::metrics::count_circuit).
    pub fn new(inner: B, options: BreakerOptions, observer: fn(CircuitState)) -> Self {
        CircuitBreaker {
            inner,
            options,
            observer,
            state: Mutex::new(CLOSED),
        }
    }

    /// Returns the broadcaster that posts.
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// Returns the current state.
    pub fn state(&self) -> CircuitState {
        match *self.lock() {
            State::Closed { .. } => CircuitState::Closed,
            State::Open { until, .. } if Instant::now() < until => CircuitState::Open,
            State::Open { .. } | State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if a post may be sent now.
    fn admits(&self) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        match &mut *state {
            State::Closed { .. } => true,
            State::HalfOpen { sent, until, .. } if *sent < self.options.probes && now < *until => {
                *sent += 1;
                true
            }
            State::Open { until, open_for }
            | State::HalfOpen {
                until, open_for, ..
            } if now >= *until => {
                let open_for = *open_for;
                *state = State::HalfOpen {
                    until: now + open_for,
                    open_for,
                    sent: 1,
                    answered: 0,
                    throttled: 0,
                };
                (self.observer)(CircuitState::HalfOpen);
                true
            }
            State::Open { .. } | State::HalfOpen { .. } => false,
        }
    }

    /// Records the result of a post that was sent.
    fn record(&self, is_throttled: bool) {
        let options = self.options;
        let mut state = self.lock();
        match &mut *state {
            State::Closed { throttled, posts } => {
                *throttled = *throttled << 1 | u64::from(is_throttled);
                *posts = posts.saturating_add(1);
                let sample = options.sample.clamp(1, 64);
                let latest = *throttled & (u64::MAX >> (64 - sample));
                if *posts >= sample && latest.count_ones() >= options.throttled {
                    *state = self.open(options.open_for);
                }
            }
            State::HalfOpen {
                open_for,
                answered,
                throttled,
                ..
            } => {
                *answered += 1;
                *throttled += u32::from(is_throttled);
                if *throttled * 2 >= options.probes.max(1) {
                    *state = self.open(open_for.saturating_mul(2));
                } else if *answered >= options.probes {
                    *state = CLOSED;
                    (self.observer)(CircuitState::Closed);
                }
            }
            // A post that was sent before the circuit opened.
            State::Open { .. } => {}
        }
    }

    fn open(&self, open_for: Duration) -> State {
        let open_for = open_for.min(self.options.open_at_most);
        (self.observer)(CircuitState::Open);
        State::Open {
            until: Instant::now() + open_for,
            open_for,
        }
    }
}

impl<B: Broadcaster> Broadcaster for CircuitBreaker<B> {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        if !self.admits() {
            return Err(PostError::CircuitOpen);
        }
        let result = self.inner.post(to, message).await;
        self.record(result == Err(PostError::Busy));
        result
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PostError> {
        self.inner.close(id).await
    }
}

/// Probes of connections are few, and their caller stops when they are throttled. They do not count for the circuit.
impl<B: ConnectionProbe> ConnectionProbe for CircuitBreaker<B> {
    async fn probe(&self, id: &ConnectionId) -> Result<(), PostError> {
        self.inner.probe(id).await
    }
}

#[cfg(test)]
mod tests;
