//! Counters that all connections of a load share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::histogram::LatencyHistogram;
use super::pending::ReceivedAnswer;
use crate::connect_error::{ConnectError, ConnectStep};
use crate::connection::{ClosedBy, ConnectionEnd};

/// Counters of a load.
#[derive(Debug)]
pub(super) struct LoadCounters {
    began: Instant,
    /// Handshakes that were accepted.
    pub(super) opened: AtomicU64,
    /// Handshakes that were answered with another status.
    pub(super) refused: AtomicU64,
    /// Handshakes without an answer.
    pub(super) failed: AtomicU64,
    /// Connections that are open.
    pub(super) open: AtomicU64,
    /// Connections that the server or the network ended.
    pub(super) ended: AtomicU64,
    /// Time of the last accepted handshake, in microseconds since the start.
    pub(super) last_opened: AtomicU64,
    /// Largest number of open connections.
    pub(super) peak: AtomicU64,
    /// Messages by their positions in the plan.
    pub(super) messages: Vec<MessageCounters>,
    /// Messages that answer none of the connection's own.
    pub(super) others: AtomicU64,
    /// Time from the connect to the answer of the handshake.
    pub(super) handshakes: LatencyHistogram,
    /// Time from a message to its answer.
    pub(super) latency: LatencyHistogram,
    /// What happens rarely.
    rare: Mutex<RareEvents>,
}

/// Counters of one message of the plan.
#[derive(Debug, Default)]
pub(super) struct MessageCounters {
    pub(super) sent: AtomicU64,
    pub(super) answered: AtomicU64,
    /// Not answered in time, or not at all because the connection ended.
    pub(super) lost: AtomicU64,
    /// Refused with an error frame.
    pub(super) refused: AtomicU64,
    pub(super) reordered: AtomicU64,
    pub(super) latency: LatencyHistogram,
}

/// Events that happen rarely, by their kinds.
#[derive(Clone, Debug, Default)]
pub(super) struct RareEvents {
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) closes: BTreeMap<CloseKind, u64>,
    pub(super) error_frames: BTreeMap<String, u64>,
}

/// Kind of an end that the client did not ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CloseKind {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) is_lost: bool,
}

/// Progress of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadProgress {
    /// Time since the start.
    pub elapsed: Duration,
    /// Connections that were started.
    pub started: usize,
    /// Connections that are open.
    pub open: u64,
    /// Handshakes that were refused or not answered.
    pub not_opened: u64,
    /// Connections that the server or the network ended.
    pub ended: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were answered.
    pub answered: u64,
    /// Messages that were lost or refused.
    pub not_answered: u64,
    /// Messages that answer none of the connection's own.
    pub others: u64,
    /// 50th percentile of the time to an answer.
    pub p50: Option<Duration>,
    /// 99th percentile.
    pub p99: Option<Duration>,
}

impl LoadCounters {
    pub(super) fn new(messages: usize) -> Self {
        LoadCounters {
            began: Instant::now(),
            last_opened: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            open: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            messages: (0..messages).map(|_| MessageCounters::default()).collect(),
            others: AtomicU64::new(0),
            handshakes: LatencyHistogram::default(),
            latency: LatencyHistogram::default(),
            rare: Mutex::default(),
        }
    }

    pub(super) fn rare(&self) -> MutexGuard<'_, RareEvents> {
        self.rare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opened(&self, after: Duration) {
        add(&self.opened);
        let age = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_opened.fetch_max(age, Ordering::Relaxed);
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(open, Ordering::Relaxed);
        self.handshakes.add(after);
    }

    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, status: u16) {
        add(&self.refused);
        *self.rare().statuses.entry(status).or_default() += 1;
    }

    pub(super) fn failed(&self, error: &ConnectError) {
        add(&self.failed);
        *self.rare().errors.entry(error_kind(error)).or_default() += 1;
    }

    pub(super) fn ended(&self, end: &ConnectionEnd) {
        add(&self.ended);
        let kind = CloseKind {
            code: end.code,
            reason: end.reason.clone(),
            is_lost: end.by == ClosedBy::Network,
        };
        *self.rare().closes.entry(kind).or_default() += 1;
    }

    pub(super) fn error_frame(&self, message: &str) {
        *self
            .rare()
            .error_frames
            .entry(message.to_owned())
            .or_default() += 1;
    }

    pub(super) fn answered(&self, answer: ReceivedAnswer) {
        self.latency.add(answer.latency);
        let Some(message) = self.messages.get(answer.message) else {
            return;
        };
        add(&message.answered);
        message.latency.add(answer.latency);
        if answer.is_reordered {
            add(&message.reordered);
        }
    }

    pub(super) fn lost(&self, messages: Vec<usize>) {
        for message in messages.into_iter().filter_map(|it| self.messages.get(it)) {
            add(&message.lost);
        }
    }

    pub(super) fn progress(&self, elapsed: Duration, started: usize) -> LoadProgress {
        let latency = self.latency.copy();
        let sum = |count: fn(&MessageCounters) -> &AtomicU64| {
            self.messages
                .iter()
                .map(|message| get(count(message)))
                .sum()
        };
        let lost: u64 = sum(|message| &message.lost);
        let refused: u64 = sum(|message| &message.refused);
        LoadProgress {
            elapsed,
            started,
            open: get(&self.open),
            not_opened: get(&self.refused) + get(&self.failed),
            ended: get(&self.ended),
            sent: sum(|message| &message.sent),
            answered: sum(|message| &message.answered),
            not_answered: lost + refused,
            others: get(&self.others),
            p50: latency.percentile(0.5),
            p99: latency.percentile(0.99),
        }
    }
}

pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Returns an error without addresses and byte counts, so that equal ones are counted together.
fn error_kind(error: &ConnectError) -> String {
    match error {
        ConnectError::Refused { .. } => "the server refuses connections".to_owned(),
        ConnectError::Unreachable { reason, .. } => {
            format!("the server is not reachable: {reason}")
        }
        ConnectError::TimedOut { step, .. } => match step {
            ConnectStep::Upgrade => "no answer to the handshake in time".to_owned(),
            step => format!("{} took too long", step.name()),
        },
        ConnectError::Dropped { reason, .. } => {
            format!("the connection ended before the handshake was answered: {reason}")
        }
        error => error.to_string(),
    }
}
