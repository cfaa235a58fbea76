//! Results of a load.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::LoadTestPlan;
use super::counters::{LoadCounters, MessageCounters, get};
use super::histogram::HistogramCopy;
use crate::explain::{
    Explanation, explain_close_code, explain_error_frame, explain_handshake_status,
};
use crate::millis::{millis, some_millis};

/// Interval of the samples.
const SAMPLE: Duration = Duration::from_secs(1);

/// Maximum number of samples: every second one is dropped when there are more.
const MAX_SAMPLES: usize = 600;

/// Results of a load. They contain no secret.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadTestReport {
    /// URL with its secrets hidden.
    pub url: String,
    /// Number of different callers.
    pub callers: usize,
    /// Time from the first connection to the last answer.
    #[serde(serialize_with = "millis", rename = "tookMs")]
    pub took: Duration,
    /// Connections that were started.
    pub started: usize,
    /// Connections that were planned.
    pub planned: usize,
    /// Handshakes that were accepted.
    pub opened: u64,
    /// Largest number of connections that were open at a time.
    pub peak: u64,
    /// Time from the start to the last accepted handshake.
    #[serde(serialize_with = "some_millis", rename = "openedWithinMs")]
    pub opened_within: Option<Duration>,
    /// Times of accepted handshakes.
    pub handshakes: LatencySummary,
    /// Handshakes that were refused.
    pub refusals: Vec<RefusalsByStatus>,
    /// Handshakes that were not answered.
    pub handshake_errors: Vec<HandshakeErrors>,
    /// Connections that the server or the network ended.
    pub closes: Vec<ClosesByCode>,
    /// Results of each message of the plan.
    pub messages: Vec<MessageResults>,
    /// Error frames of API Gateway.
    pub error_frames: Vec<ErrorFrames>,
    /// Messages that answer none of the connection's own, such as posts from other callers.
    pub other_messages: u64,
    /// Times from a message to its answer.
    pub latency: LatencySummary,
    /// Number of answers by their times; the bounds double.
    pub histogram: Vec<LatencyBucket>,
    /// Values of every second.
    pub timeline: Vec<LoadSample>,
    /// True if the user stopped the load.
    pub interrupted: bool,
}

/// Handshakes with the same status.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusalsByStatus {
    /// Status of the answer.
    pub status: u16,
    /// Number of handshakes.
    pub count: u64,
    /// Likeliest cause.
    pub explanation: Option<Explanation>,
}

/// Handshakes that failed for the same reason.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HandshakeErrors {
    /// The reason in words.
    pub reason: String,
    /// Number of handshakes.
    pub count: u64,
}

/// Connections that ended with the same code.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosesByCode {
    /// Close code.
    pub code: u16,
    /// Reason of the close frame, or the operating system's error.
    pub reason: String,
    /// Number of connections.
    pub count: u64,
    /// Likeliest cause.
    pub explanation: Option<Explanation>,
}

/// Error frames with the same text.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorFrames {
    /// `message` of the frame.
    pub message: String,
    /// Number of frames.
    pub count: u64,
    /// Cause.
    pub explanation: Option<Explanation>,
}

/// Results of a message of the plan.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageResults {
    /// Name of the message.
    pub name: String,
    /// Number of messages that were sent.
    pub sent: u64,
    /// Number of messages that were answered; `None` if no answer is expected.
    pub answered: Option<u64>,
    /// Number of messages that were not answered in time; `None` if no answer is expected.
    pub lost: Option<u64>,
    /// Number of messages that were refused with an error frame.
    pub refused: u64,
    /// Number of messages that were answered after a later one of their connection; `None` if messages have no numbers.
    pub reordered: Option<u64>,
    /// Times from a message to its answer.
    pub latency: LatencySummary,
}

/// Percentiles of durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencySummary {
    /// Number of durations.
    pub count: u64,
    /// Mean.
    #[serde(serialize_with = "some_millis", rename = "meanMs")]
    pub mean: Option<Duration>,
    /// 50th percentile.
    #[serde(serialize_with = "some_millis", rename = "p50Ms")]
    pub p50: Option<Duration>,
    /// 90th percentile.
    #[serde(serialize_with = "some_millis", rename = "p90Ms")]
    pub p90: Option<Duration>,
    /// 99th percentile.
    #[serde(serialize_with = "some_millis", rename = "p99Ms")]
    pub p99: Option<Duration>,
    /// Longest.
    #[serde(serialize_with = "some_millis", rename = "maxMs")]
    pub max: Option<Duration>,
}

/// Durations up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyBucket {
    /// Longest duration of the bucket.
    #[serde(serialize_with = "millis", rename = "upToMs")]
    pub up_to: Duration,
    /// Number of durations.
    pub count: u64,
}

/// Values of a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadSample {
    /// Time since the start.
    #[serde(serialize_with = "millis", rename = "atMs")]
    pub at: Duration,
    /// Connections that are open.
    pub open: u64,
    /// Handshakes per second that were accepted.
    pub opened_per_second: f64,
    /// Handshakes per second that were refused or not answered.
    pub not_opened_per_second: f64,
    /// Messages sent per second.
    pub sent_per_second: f64,
    /// Answers per second.
    pub answered_per_second: f64,
    /// 50th percentile of the answers in this second.
    #[serde(serialize_with = "some_millis", rename = "p50Ms")]
    pub p50: Option<Duration>,
    /// 99th percentile of the answers in this second.
    #[serde(serialize_with = "some_millis", rename = "p99Ms")]
    pub p99: Option<Duration>,
}

/// Returns the time until the last handshake was accepted.
fn opened_within(counters: &LoadCounters) -> Option<Duration> {
    let any = get(&counters.opened) > 0;
    any.then(|| Duration::from_micros(get(&counters.last_opened)))
}

impl LoadTestReport {
    pub(super) fn new(
        plan: &LoadTestPlan,
        counters: &LoadCounters,
        timeline: Timeline,
        took: Duration,
        started: usize,
        interrupted: bool,
    ) -> Self {
        let rare = counters.rare().clone();
        let latency = counters.latency.copy();
        let first = |explanations: Vec<Explanation>| explanations.into_iter().next();
        let refusals = rare
            .statuses
            .into_iter()
            .map(|(status, count)| RefusalsByStatus {
                status,
                count,
                explanation: first(explain_handshake_status(status)),
            });
        let errors = rare.errors.into_iter();
        let closes = rare.closes.into_iter().map(|(kind, count)| ClosesByCode {
            explanation: first(explain_close_code(kind.code)),
            code: kind.code,
            reason: kind.reason,
            count,
        });
        let frames = rare
            .error_frames
            .into_iter()
            .map(|(message, count)| ErrorFrames {
                explanation: explain_error_frame(&message),
                message,
                count,
            });
        let messages = plan.messages.iter().zip(&counters.messages);
        LoadTestReport {
            url: plan
                .targets
                .first()
                .map(|target| target.url())
                .unwrap_or_default(),
            callers: plan.targets.len(),
            took,
            started,
            planned: plan.connections(),
            opened: get(&counters.opened),
            peak: get(&counters.peak),
            opened_within: opened_within(counters),
            handshakes: LatencySummary::new(&counters.handshakes.copy()),
            refusals: refusals.collect(),
            handshake_errors: errors
                .map(|(reason, count)| HandshakeErrors { reason, count })
                .collect(),
            closes: closes.collect(),
            messages: messages
                .map(|(message, counters)| MessageResults::new(message, counters))
                .collect(),
            error_frames: frames.collect(),
            other_messages: get(&counters.others),
            latency: LatencySummary::new(&latency),
            histogram: latency
                .octaves()
                .into_iter()
                .map(|(up_to, count)| LatencyBucket { up_to, count })
                .collect(),
            timeline: timeline.samples,
            interrupted,
        }
    }

    /// Returns the sum of a count of all messages.
    pub fn total(&self, count: impl Fn(&MessageResults) -> u64) -> u64 {
        self.messages.iter().map(count).sum()
    }

    /// Returns true if every connection was opened and stayed open, and every message was answered as expected.
    pub fn is_clean(&self) -> bool {
        let messages = self.messages.iter();
        let failed =
            messages.map(|it| it.lost.unwrap_or(0) + it.refused + it.reordered.unwrap_or(0));
        self.refusals.is_empty()
            && self.handshake_errors.is_empty()
            && self.closes.is_empty()
            && self.error_frames.is_empty()
            && failed.sum::<u64>() == 0
    }
}

impl MessageResults {
    fn new(message: &super::LoadMessage, counters: &MessageCounters) -> Self {
        let has_answer = message.has_answer;
        MessageResults {
            name: message.name.clone(),
            sent: get(&counters.sent),
            answered: has_answer.then(|| get(&counters.answered)),
            lost: has_answer.then(|| get(&counters.lost)),
            refused: get(&counters.refused),
            reordered: (has_answer && message.is_numbered()).then(|| get(&counters.reordered)),
            latency: LatencySummary::new(&counters.latency.copy()),
        }
    }
}

impl LatencySummary {
    fn new(histogram: &HistogramCopy) -> Self {
        LatencySummary {
            count: histogram.count(),
            mean: histogram.mean(),
            p50: histogram.percentile(0.5),
            p90: histogram.percentile(0.9),
            p99: histogram.percentile(0.99),
            max: histogram.max(),
        }
    }
}

/// Samples of a load while it runs.
pub(super) struct Timeline {
    began: Instant,
    interval: Duration,
    last: Instant,
    before: SampleBase,
    samples: Vec<LoadSample>,
}

/// Counters at the last sample.
#[derive(Default)]
struct SampleBase {
    opened: u64,
    not_opened: u64,
    sent: u64,
    answered: u64,
    latency: HistogramCopy,
}

impl Timeline {
    pub(super) fn new(began: Instant) -> Self {
        Timeline {
            began,
            interval: SAMPLE,
            last: began,
            before: SampleBase::default(),
            samples: Vec::new(),
        }
    }

    /// Takes a sample if it is due.
    pub(super) fn observe(&mut self, counters: &LoadCounters) {
        // A tick may come slightly early.
        if self.last.elapsed() + Duration::from_millis(20) >= self.interval {
            self.sample(counters);
        }
    }

    /// Takes the last sample.
    pub(super) fn finish(&mut self, counters: &LoadCounters) {
        if self.last.elapsed() > self.interval / 4 || self.samples.is_empty() {
            self.sample(counters);
        }
    }

    fn sample(&mut self, counters: &LoadCounters) {
        let sum = |count: fn(&MessageCounters) -> u64| counters.messages.iter().map(count).sum();
        let now = SampleBase {
            opened: get(&counters.opened),
            not_opened: get(&counters.refused) + get(&counters.failed),
            sent: sum(|message| get(&message.sent)),
            answered: sum(|message| get(&message.answered)),
            latency: counters.latency.copy(),
        };
        let seconds = self.last.elapsed().as_secs_f64().max(0.001);
        let per_second =
            |now: u64, before: u64| ((now - before) as f64 / seconds * 10.0).round() / 10.0;
        let answers = now.latency.since(&self.before.latency);
        self.samples.push(LoadSample {
            at: self.began.elapsed(),
            open: get(&counters.open),
            opened_per_second: per_second(now.opened, self.before.opened),
            not_opened_per_second: per_second(now.not_opened, self.before.not_opened),
            sent_per_second: per_second(now.sent, self.before.sent),
            answered_per_second: per_second(now.answered, self.before.answered),
            p50: answers.percentile(0.5),
            p99: answers.percentile(0.99),
        });
        self.before = now;
        self.last = Instant::now();
        if self.samples.len() > MAX_SAMPLES {
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.interval *= 2;
        }
    }
}
