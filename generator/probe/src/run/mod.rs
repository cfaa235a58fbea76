//! Runs a probe from the handshake to the close.

mod checks;
mod tape;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::connect_error::ConnectError;
use crate::connection::{ClientClose, ClientConnection, Incoming, MessageText};
use crate::expect::Expectation;
use crate::handshake::{HandshakeAttempt, connect};
use crate::latency::Latency;
use crate::load::{LoadPlan, measure};
use crate::recording::Recording;
use crate::report::{
    HandshakeOutcome, Observation, ObservationKind, ProbeCaller, ProbeReport, error_frame_message,
    truncated,
};
use crate::target::ProbeTarget;
use tape::ProbeTape;

/// Actions on a connection and expectations of it. The `Debug` output shows no message.
#[derive(Clone)]
pub struct ProbePlan {
    /// Caller that connects; only for the report.
    pub caller: ProbeCaller,
    /// Expected status of the handshake.
    pub expected_status: u16,
    /// Messages to send once connected, in order.
    pub sends: Vec<String>,
    /// Expected messages, in any order. One message meets one expectation at most.
    pub expects: Vec<Expectation>,
    /// Timeout for the expected messages.
    pub timeout: Duration,
    /// Time to stay connected.
    pub hold: Option<Duration>,
    /// Interval between pings.
    pub ping_every: Option<Duration>,
    /// Expected close code if the server or the network is to end the connection.
    pub expected_close: Option<u16>,
    /// Exchanges to measure.
    pub load: Option<LoadPlan>,
    /// Close frame to send at the end.
    pub close: ClientClose,
}

impl fmt::Debug for ProbePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbePlan")
            .field("caller", &self.caller)
            .field("expected_status", &self.expected_status)
            .field("sends", &self.sends.len())
            .field("expects", &self.expects)
            .field("timeout", &self.timeout)
            .field("hold", &self.hold)
            .field("expected_close", &self.expected_close)
            .field("load", &self.load)
            .finish_non_exhaustive()
    }
}

/// Event that a running probe reports at once.
#[derive(Clone, Copy, Debug)]
pub enum ProbeEvent<'a> {
    /// The handshake was answered, or failed.
    Handshake(&'a ProbeReport),
    /// Something happened on the connection.
    Observed(&'a Observation),
    /// The load measurement has finished.
    Measured(&'a Latency),
}

/// Connects and executes the plan, until it is done, the connection ends, or `stop` completes. The report contains
/// everything that happened.
pub async fn run(
    target: &ProbeTarget,
    plan: &ProbePlan,
    stop: impl Future<Output = ()>,
    on_event: &mut dyn FnMut(ProbeEvent<'_>),
) -> ProbeReport {
    run_with_tape(target, plan, stop, on_event, None).await.0
}

/// Runs a probe as [`run`] does, and records it. The recording is empty if the handshake was not answered.
pub async fn run_and_record(
    target: &ProbeTarget,
    plan: &ProbePlan,
    stop: impl Future<Output = ()>,
    on_event: &mut dyn FnMut(ProbeEvent<'_>),
) -> (ProbeReport, Recording) {
    let tape = Some(ProbeTape::new());
    let (report, tape) = run_with_tape(target, plan, stop, on_event, tape).await;
    (
        report,
        tape.map(ProbeTape::into_recording).unwrap_or_default(),
    )
}

async fn run_with_tape(
    target: &ProbeTarget,
    plan: &ProbePlan,
    stop: impl Future<Output = ()>,
    on_event: &mut dyn FnMut(ProbeEvent<'_>),
    mut tape: Option<ProbeTape>,
) -> (ProbeReport, Option<ProbeTape>) {
    let mut stop = std::pin::pin!(stop);
    let attempt = tokio::select! {
        attempt = connect(target) => Some(attempt),
        () = &mut stop => None,
    };
    let attempt = attempt.unwrap_or(Err(ConnectError::Interrupted));
    let (outcome, connection) = match attempt {
        Ok(HandshakeAttempt {
            handshake,
            connection,
        }) => (HandshakeOutcome::Handshake(Box::new(handshake)), connection),
        Err(error) => (HandshakeOutcome::Error(error), None),
    };
    let mut report = ProbeReport::new(target, plan.caller.clone(), outcome);
    report.interrupted = matches!(
        &report.outcome,
        HandshakeOutcome::Error(ConnectError::Interrupted)
    );
    on_event(ProbeEvent::Handshake(&report));
    if let Some(tape) = &mut tape {
        tape.open(target, &report);
    }
    let mut run = ProbeRun {
        target,
        plan,
        report,
        began: Instant::now(),
        met: vec![None; plan.expects.len()],
        messages: 0,
        last_ping: None,
        tape,
        stop,
        on_event,
    };
    if let Some(mut connection) = connection {
        run.use_connection(&mut connection).await;
        run.close(connection).await;
    }
    run.evaluate_expectations();
    (run.report, run.tape)
}

/// State of a probe whose handshake was answered.
struct ProbeRun<'a, S> {
    target: &'a ProbeTarget,
    plan: &'a ProbePlan,
    report: ProbeReport,
    /// Start of the connection.
    began: Instant,
    /// Age of the connection when each expectation was met.
    met: Vec<Option<Duration>>,
    /// Number of text messages that arrived.
    messages: usize,
    /// Time of the last ping.
    last_ping: Option<Instant>,
    /// Recording, if there is one.
    tape: Option<ProbeTape>,
    stop: Pin<&'a mut S>,
    on_event: &'a mut dyn FnMut(ProbeEvent<'_>),
}

impl<S: Future<Output = ()>> ProbeRun<'_, S> {
    /// Sends, waits for answers, measures and holds, as planned.
    async fn use_connection(&mut self, connection: &mut ClientConnection) {
        for text in &self.plan.sends {
            let sent = tokio::select! {
                sent = connection.send(text) => sent,
                () = &mut self.stop => {
                    self.report.interrupted = true;
                    return;
                }
            };
            if let Err(close) = sent {
                return self.observe(ObservationKind::Closed(close));
            }
            let at = self.began.elapsed();
            self.record(|tape| tape.sent(at, text));
            let shown = truncated(&self.target.secrets().hide(text));
            self.observe(ObservationKind::Sent {
                text: shown,
                bytes: text.len(),
            });
        }
        self.await_answers(connection).await;
        if let Some(load) = self.plan.load.as_ref().filter(|_| self.is_open()) {
            self.measure(connection, load).await;
        }
        let close_deadline = self
            .plan
            .expected_close
            .map(|_| self.began.elapsed() + self.plan.timeout);
        if let Some(hold) = self.plan.hold.or(close_deadline) {
            self.listen(connection, self.began + hold, |_| false).await;
        }
    }

    /// Waits for the expected messages, or for any answer if messages were sent and none are expected.
    async fn await_answers(&mut self, connection: &mut ClientConnection) {
        let sent = !self.plan.sends.is_empty();
        if !self.plan.expects.is_empty() || sent {
            let deadline = Instant::now() + self.plan.timeout;
            self.listen(connection, deadline, |run| match run.met.is_empty() {
                true => run.messages > 0,
                false => run.met.iter().all(Option::is_some),
            })
            .await;
            if self.messages == 0 && sent && self.is_open() {
                self.observe(ObservationKind::Silence {
                    waited: self.plan.timeout,
                });
            }
        }
    }

    async fn measure(&mut self, connection: &mut ClientConnection, load: &LoadPlan) {
        let result = tokio::select! {
            result = measure(self.target, connection, load) => Some(result),
            () = &mut self.stop => None,
        };
        let Some((latency, end)) = result else {
            self.report.interrupted = true;
            return;
        };
        (self.on_event)(ProbeEvent::Measured(&latency));
        self.report.latency = Some(latency);
        if let Some(close) = end {
            self.observe(ObservationKind::Closed(close));
        }
    }

    /// Receives messages and sends pings until the deadline or until `is_done` returns true.
    async fn listen(
        &mut self,
        connection: &mut ClientConnection,
        deadline: Instant,
        is_done: impl Fn(&Self) -> bool,
    ) {
        while self.is_open() && Instant::now() < deadline && !is_done(self) {
            let next_ping = self
                .plan
                .ping_every
                .map(|every| self.last_ping.unwrap_or(self.began) + every);
            let until = next_ping.map_or(deadline, |ping| ping.min(deadline));
            let incoming = tokio::select! {
                incoming = connection.receive(until) => incoming,
                () = &mut self.stop => {
                    self.report.interrupted = true;
                    return;
                }
            };
            match incoming {
                Incoming::Text(text) => self.receive_text(&text),
                Incoming::Binary(bytes) => {
                    let at = self.began.elapsed();
                    self.record(|tape| tape.received_binary(at, bytes));
                    self.observe(ObservationKind::Binary { bytes });
                }
                Incoming::Ping => self.observe(ObservationKind::Ping),
                Incoming::Pong => {
                    let after = self.last_ping.map_or(Duration::ZERO, |ping| ping.elapsed());
                    self.observe(ObservationKind::Pong { after });
                }
                Incoming::Closed(close) => self.observe(ObservationKind::Closed(close)),
                Incoming::Nothing if next_ping.is_some_and(|ping| ping < deadline) => {
                    self.ping(connection).await;
                }
                Incoming::Nothing => {}
            }
        }
    }

    async fn ping(&mut self, connection: &mut ClientConnection) {
        self.last_ping = Some(Instant::now());
        tokio::select! {
            sent = connection.ping() => match sent {
                Ok(()) => self.observe(ObservationKind::PingSent),
                Err(close) => self.observe(ObservationKind::Closed(close)),
            },
            () = &mut self.stop => self.report.interrupted = true,
        }
    }

    fn receive_text(&mut self, text: &MessageText) {
        self.messages += 1;
        let at = self.began.elapsed();
        self.record(|tape| tape.received(at, text.as_str()));
        let hidden = self.target.secrets().hide(text.as_str());
        let bytes = text.as_str().len();
        let expectations = self.plan.expects.iter().zip(&mut self.met);
        let mut matching =
            expectations.filter(|(expected, met)| met.is_none() && expected.matches(text.as_str()));
        if let Some((_, met)) = matching.next() {
            *met = Some(self.began.elapsed());
        }
        let error = error_frame_message(&hidden);
        self.observe(ObservationKind::Received {
            text: truncated(&hidden),
            bytes,
            error,
        });
    }

    async fn close(&mut self, connection: ClientConnection) {
        if self.report.close.is_none() {
            let age = self.began.elapsed();
            let close = connection.close(&self.plan.close).await;
            // The age is that of the client's close frame, not of the server's answer.
            self.observe_at(age, ObservationKind::Closed(close));
        }
    }

    fn record(&mut self, event: impl FnOnce(&mut ProbeTape)) {
        if let Some(tape) = &mut self.tape {
            event(tape);
        }
    }

    fn is_open(&self) -> bool {
        self.report.close.is_none() && !self.report.interrupted
    }

    fn observe(&mut self, kind: ObservationKind) {
        self.observe_at(self.began.elapsed(), kind);
    }

    fn observe_at(&mut self, at: Duration, kind: ObservationKind) {
        if let ObservationKind::Closed(end) = &kind {
            self.record(|tape| tape.closed(at, end));
        }
        let observation = Observation { at, kind };
        (self.on_event)(ProbeEvent::Observed(&observation));
        self.report.add(observation);
    }
}
