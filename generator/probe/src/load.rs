//! How long exchanges take: a message out, its answer back.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::Instant;

use crate::connection::{Close, Closing, Connection, Incoming};
use crate::expect::Expectation;
use crate::handshake::connect;
use crate::millis::{millis, some_millis};
use crate::report::error_frame;
use crate::target::Target;

/// What to measure. Its `Debug` shows no message.
#[derive(Clone)]
pub struct Load {
    /// What is sent.
    pub text: String,
    /// What its answer looks like; any message that is not an error frame when left out.
    pub answer: Option<Expectation>,
    /// How many exchanges in all.
    pub count: usize,
    /// How many connections share them; each has one exchange under way at a time.
    pub concurrency: usize,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} exchanges, {} at a time",
            self.count, self.concurrency
        )
    }
}

/// What exchanges took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// How many connections took part.
    pub connections: usize,
    /// How many connections were wanted and refused.
    pub refused: usize,
    /// How many exchanges were answered.
    pub answered: usize,
    /// How many got an error frame, no answer in time, or a closed connection.
    pub failed: usize,
    /// From the first to the last.
    #[serde(serialize_with = "millis", rename = "tookMs")]
    pub took: Duration,
    /// The quickest.
    #[serde(serialize_with = "some_millis", rename = "minMs")]
    pub min: Option<Duration>,
    /// Half took no longer.
    #[serde(serialize_with = "some_millis", rename = "p50Ms")]
    pub p50: Option<Duration>,
    /// 99 of 100 took no longer.
    #[serde(serialize_with = "some_millis", rename = "p99Ms")]
    pub p99: Option<Duration>,
    /// The slowest.
    #[serde(serialize_with = "some_millis", rename = "maxMs")]
    pub max: Option<Duration>,
}

impl Latency {
    /// Answered exchanges a second.
    pub fn per_second(&self) -> f64 {
        match self.took.is_zero() {
            true => 0.0,
            false => self.answered as f64 / self.took.as_secs_f64(),
        }
    }

    fn of(mut answered: Vec<Duration>) -> Self {
        answered.sort_unstable();
        // The nearest rank: the smallest that so many of a hundred do not exceed.
        let rank = |percent: usize| {
            let rank = (answered.len() * percent).div_ceil(100).max(1);
            answered.get(rank - 1).copied()
        };
        Latency {
            answered: answered.len(),
            min: answered.first().copied(),
            p50: rank(50),
            p99: rank(99),
            max: answered.last().copied(),
            ..Latency::default()
        }
    }
}

/// What one connection did.
#[derive(Default)]
struct Share {
    answered: Vec<Duration>,
    failed: usize,
}

/// Measures with this connection and as many more of the same target as the load asks for. Says how this connection
/// ended, if it did.
pub(crate) async fn measure(
    target: &Target,
    connection: &mut Connection,
    load: &Load,
) -> (Latency, Option<Close>) {
    let wanted = load.concurrency.max(1);
    let attempts = join_all((1..wanted).map(|_| connect(target))).await;
    let opened = attempts
        .into_iter()
        .filter_map(|attempt| attempt.ok()?.connection);
    let mut others: Vec<Connection> = opened.collect();
    let left = Cell::new(load.count);
    let began = Instant::now();
    let mut everybody = vec![exchanges(connection, load, &left)];
    everybody.extend(others.iter_mut().map(|other| exchanges(other, load, &left)));
    let connections = everybody.len();
    let shares = join_all(everybody).await;
    let took = began.elapsed();
    join_all(
        others
            .into_iter()
            .map(|other| other.close(&Closing::NORMAL)),
    )
    .await;
    let failed = shares.iter().map(|share| share.failed).sum();
    let answered = shares
        .into_iter()
        .flat_map(|share| share.answered)
        .collect();
    let latency = Latency {
        connections,
        refused: wanted - connections,
        failed,
        took,
        ..Latency::of(answered)
    };
    (latency, connection.closed().cloned())
}

async fn exchanges(connection: &mut Connection, load: &Load, left: &Cell<usize>) -> Share {
    let mut share = Share::default();
    while left.get() > 0 {
        left.set(left.get() - 1);
        let began = Instant::now();
        if connection.send(&load.text).await.is_err() {
            share.failed += 1;
            break;
        }
        match answer(connection, load, began + load.timeout).await {
            Some(true) => share.answered.push(began.elapsed()),
            Some(false) => share.failed += 1,
            None => {
                share.failed += 1;
                break;
            }
        }
    }
    share
}

/// Whether an answer came; `None` when none can come any more.
async fn answer(connection: &mut Connection, load: &Load, deadline: Instant) -> Option<bool> {
    loop {
        match connection.receive(deadline).await {
            Incoming::Text(text) => match &load.answer {
                _ if error_frame(text.as_str()).is_some() => return Some(false),
                Some(wanted) if !wanted.met_by(text.as_str()) => {}
                _ => return Some(true),
            },
            Incoming::Nothing => return Some(false),
            Incoming::Closed(_) => return None,
            Incoming::Binary(_) | Incoming::Ping | Incoming::Pong => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let of = |count: u64| Latency::of((1..=count).rev().map(Duration::from_millis).collect());
        assert_eq!(of(100).p50, Some(Duration::from_millis(50)));
        assert_eq!(of(100).p99, Some(Duration::from_millis(99)));
        assert_eq!(of(101).p99, Some(Duration::from_millis(100)));
        assert_eq!(of(1).p99, Some(Duration::from_millis(1)));
        assert_eq!((of(0).p50, of(0).max), (None, None));
    }
}
