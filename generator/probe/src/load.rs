//! Load: measures exchanges, each a message and its answer.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::connection::{ClientClose, ClientConnection, ConnectionEnd, Incoming};
use crate::expect::Expectation;
use crate::handshake::connect;
use crate::latency::Latency;
use crate::report::error_frame_message;
use crate::target::ProbeTarget;

/// Exchanges to measure. The `Debug` output shows no message.
#[derive(Clone)]
pub struct LoadPlan {
    /// Message to send.
    pub text: String,
    /// Pattern for the answer (default: any message but an error frame).
    pub answer: Option<Expectation>,
    /// Total number of exchanges.
    pub count: usize,
    /// Number of connections that share the exchanges. Each connection runs one exchange at a time.
    pub concurrency: usize,
    /// Timeout for an answer.
    pub timeout: Duration,
}

impl fmt::Debug for LoadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} exchanges, {} at a time",
            self.count, self.concurrency
        )
    }
}

/// Exchanges of one connection.
#[derive(Default)]
struct ConnectionResults {
    answered: Vec<Duration>,
    failed: usize,
}

/// Measures exchanges over this connection and as many others to the same target as the plan asks for. Returns how this
/// connection ended, if it did.
pub(crate) async fn measure(
    target: &ProbeTarget,
    connection: &mut ClientConnection,
    load: &LoadPlan,
) -> (Latency, Option<ConnectionEnd>) {
    let requested = load.concurrency.max(1);
    let attempts = join_all((1..requested).map(|_| connect(target))).await;
    let opened = attempts
        .into_iter()
        .filter_map(|attempt| attempt.ok()?.connection);
    let mut others: Vec<ClientConnection> = opened.collect();
    let left = Cell::new(load.count);
    let began = Instant::now();
    let mut workers = vec![run_exchanges(connection, load, &left)];
    workers.extend(
        others
            .iter_mut()
            .map(|other| run_exchanges(other, load, &left)),
    );
    let connections = workers.len();
    let results = join_all(workers).await;
    let took = began.elapsed();
    join_all(
        others
            .into_iter()
            .map(|other| other.close(&ClientClose::NORMAL)),
    )
    .await;
    let failed = results.iter().map(|result| result.failed).sum();
    let answered = results
        .into_iter()
        .flat_map(|result| result.answered)
        .collect();
    let latency = Latency {
        connections,
        refused: requested - connections,
        failed,
        took,
        ..Latency::from_samples(answered)
    };
    (latency, connection.end().cloned())
}

/// Runs exchanges until none is left or the connection ends.
async fn run_exchanges(
    connection: &mut ClientConnection,
    load: &LoadPlan,
    left: &Cell<usize>,
) -> ConnectionResults {
    let mut results = ConnectionResults::default();
    while left.get() > 0 {
        left.set(left.get() - 1);
        let began = Instant::now();
        if connection.send(&load.text).await.is_err() {
            results.failed += 1;
            break;
        }
        match receive_answer(connection, load, began + load.timeout).await {
            Some(true) => results.answered.push(began.elapsed()),
            Some(false) => results.failed += 1,
            None => {
                results.failed += 1;
                break;
            }
        }
    }
    results
}

/// Waits for the answer. Returns false for an error frame or a timeout, and `None` if the connection ended.
async fn receive_answer(
    connection: &mut ClientConnection,
    load: &LoadPlan,
    deadline: Instant,
) -> Option<bool> {
    loop {
        match connection.receive(deadline).await {
            Incoming::Text(text) => match &load.answer {
                _ if error_frame_message(text.as_str()).is_some() => return Some(false),
                Some(expected) if !expected.matches(text.as_str()) => {}
                _ => return Some(true),
            },
            Incoming::Nothing => return Some(false),
            Incoming::Closed(_) => return None,
            Incoming::Binary(_) | Incoming::Ping | Incoming::Pong => {}
        }
    }
}
