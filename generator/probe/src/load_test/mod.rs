//! Load of many connections: what they send, how long answers take, and what is lost or refused.

mod client;
mod counters;
mod histogram;
mod message;
mod pending;
mod report;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::target::ProbeTarget;

use client::LoadClient;
use counters::LoadCounters;
pub use counters::LoadProgress;
pub use message::{LoadMessage, NUMBER};
use report::Timeline;
pub use report::{
    ClosesByCode, ErrorFrames, HandshakeErrors, LatencyBucket, LatencySummary, LoadSample,
    LoadTestReport, MessageResults, RefusalsByStatus,
};

/// Interval between reports of progress.
const TICK: Duration = Duration::from_millis(250);

/// Time to send the last message.
const LAST_SEND: Duration = Duration::from_secs(5);

/// Load to run. Its `Debug` output contains no secret.
#[derive(Clone, Debug)]
pub struct LoadTestPlan {
    /// Targets with the callers' tokens, which the connections use in turn.
    pub targets: Vec<ProbeTarget>,
    /// Number of connections that send.
    pub senders: usize,
    /// Number of connections that only listen.
    pub listeners: usize,
    /// Connections to open per second.
    pub ramp: f64,
    /// Time from the last connection's turn to the last message.
    pub duration: Duration,
    /// Messages to choose from.
    pub messages: Vec<LoadMessage>,
    /// Pace of each sender.
    pub pacing: SendPacing,
    /// Maximum number of messages of a connection that wait for their answers.
    pub in_flight: usize,
    /// Longest wait for an answer; later ones count as lost.
    pub timeout: Duration,
}

/// Pace of a sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SendPacing {
    /// Pause after each answer.
    Think(Duration),
    /// Messages per second, however long answers take.
    Rate(f64),
}

/// State that all connections share.
struct SharedLoad {
    plan: LoadTestPlan,
    counters: LoadCounters,
    /// Time of the last message.
    end: Instant,
    /// True once the user stops the load.
    stopped: watch::Receiver<bool>,
}

impl SharedLoad {
    /// Returns the target of a connection.
    fn target(&self, index: usize) -> &ProbeTarget {
        &self.plan.targets[index % self.plan.targets.len()]
    }
}

impl LoadTestPlan {
    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.senders + self.listeners
    }

    /// Returns the time that the ramp takes.
    pub fn ramp_time(&self) -> Duration {
        let last = self.connections().saturating_sub(1);
        Duration::try_from_secs_f64(last as f64 / self.ramp).unwrap_or(Duration::MAX)
    }
}

/// Runs a load until its end, or until `stop` is ready. Calls `on_progress` four times a second.
pub async fn run_load(
    plan: LoadTestPlan,
    stop: impl Future<Output = ()>,
    on_progress: &mut dyn FnMut(&LoadProgress),
) -> LoadTestReport {
    let began = Instant::now();
    let end = began + plan.ramp_time() + plan.duration;
    let (sender, stopped) = watch::channel(false);
    let load = Arc::new(SharedLoad {
        counters: LoadCounters::new(plan.messages.len()),
        plan,
        end,
        stopped,
    });
    let mut clients = JoinSet::new();
    let mut timeline = Timeline::new(began);
    let mut stop = std::pin::pin!(stop);
    let mut next_tick = began + TICK;
    let mut started = 0;
    let total = load.plan.connections();
    let mut interrupted = false;
    loop {
        let due = Duration::try_from_secs_f64(started as f64 / load.plan.ramp);
        let next = began + due.unwrap_or(Duration::MAX / 4);
        let is_starting = started < total && !interrupted && next < load.end;
        tokio::select! {
            () = sleep_until(next), if is_starting => {
                clients.spawn(LoadClient::run(load.clone(), started));
                started += 1;
            }
            () = sleep_until(next_tick) => {
                next_tick += TICK;
                let progress = load.counters.progress(began.elapsed(), started);
                timeline.observe(&load.counters);
                on_progress(&progress);
            }
            _ = clients.join_next(), if !clients.is_empty() => {}
            () = &mut stop, if !interrupted => {
                interrupted = true;
                // The receivers are in `load`.
                let _ = sender.send(true);
            }
        }
        if clients.is_empty() && (started == total || interrupted || Instant::now() >= load.end) {
            break;
        }
    }
    timeline.finish(&load.counters);
    LoadTestReport::new(
        &load.plan,
        &load.counters,
        timeline,
        began.elapsed(),
        started,
        interrupted,
    )
}
