//! A probe from the handshake to the close.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::{Close, Closing, Connection, Incoming, Side, Text};
use crate::expect::{Check, Expectation};
use crate::handshake::{Attempt, connect};
use crate::load::{Latency, Load, measure};
use crate::report::{Caller, Observation, Outcome, Report, Seen, beginning, error_frame};
use crate::target::Target;

/// What to do on a connection, and what is wanted of it. Its `Debug` shows no message.
#[derive(Clone)]
pub struct Plan {
    /// Who connects; for the report alone.
    pub caller: Caller,
    /// The handshake's status that is wanted.
    pub status: u16,
    /// Sent in this order once connected.
    pub sends: Vec<String>,
    /// Messages that must come in, in any order; each is met by one of its own.
    pub expects: Vec<Expectation>,
    /// How long to wait for what must come in.
    pub timeout: Duration,
    /// How long to stay connected.
    pub hold: Option<Duration>,
    /// How often to ping meanwhile.
    pub ping_every: Option<Duration>,
    /// The close code that is wanted, of the server or of TCP.
    pub close_code: Option<u16>,
    /// What to measure.
    pub load: Option<Load>,
    /// How to end.
    pub closing: Closing,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("caller", &self.caller)
            .field("status", &self.status)
            .field("sends", &self.sends.len())
            .field("expects", &self.expects)
            .field("timeout", &self.timeout)
            .field("hold", &self.hold)
            .field("close_code", &self.close_code)
            .field("load", &self.load)
            .finish_non_exhaustive()
    }
}

/// What is told while it happens.
#[derive(Clone, Copy, Debug)]
pub enum Telling<'a> {
    /// The handshake's answer, or why there is none.
    Outcome(&'a Report),
    /// Something happened on the connection.
    Seen(&'a Observation),
    /// What exchanges took.
    Measured(&'a Latency),
}

/// Connects and does as planned, until it is done, the connection ends or `stop` does. Whatever happens is in the report.
pub async fn run(
    target: &Target,
    plan: &Plan,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(Telling<'_>),
) -> Report {
    let mut stop = std::pin::pin!(stop);
    let attempt = tokio::select! {
        attempt = connect(target) => Some(attempt),
        () = &mut stop => None,
    };
    let stopped = || crate::ConnectError::Interrupted;
    let (outcome, connection) = match attempt.unwrap_or_else(|| Err(stopped())) {
        Ok(Attempt {
            handshake,
            connection,
        }) => (Outcome::Handshake(handshake), connection),
        Err(error) => (Outcome::Error(error), None),
    };
    let mut report = Report::new(target, plan.caller.clone(), outcome);
    report.interrupted = matches!(
        &report.outcome,
        Outcome::Error(crate::ConnectError::Interrupted)
    );
    tell(Telling::Outcome(&report));
    let mut run = Run {
        target,
        plan,
        report,
        began: Instant::now(),
        met: vec![None; plan.expects.len()],
        heard: 0,
        pinged: None,
        stop,
        tell,
    };
    if let Some(mut connection) = connection {
        run.connected(&mut connection).await;
        run.end(connection).await;
    }
    run.judge();
    run.report
}

struct Run<'a, S> {
    target: &'a Target,
    plan: &'a Plan,
    report: Report,
    /// When the connection was accepted.
    began: Instant,
    /// What met each expectation, and when.
    met: Vec<Option<Duration>>,
    /// How many messages came in.
    heard: usize,
    /// When the last ping went out.
    pinged: Option<Instant>,
    stop: Pin<&'a mut S>,
    tell: &'a mut dyn FnMut(Telling<'_>),
}

impl<S: Future<Output = ()>> Run<'_, S> {
    async fn connected(&mut self, connection: &mut Connection) {
        for text in &self.plan.sends {
            let sent = tokio::select! {
                sent = connection.send(text) => sent,
                () = &mut self.stop => {
                    self.report.interrupted = true;
                    return;
                }
            };
            if let Err(close) = sent {
                return self.saw(Seen::Closed(close));
            }
            let shown = beginning(&self.target.secrets().hide(text));
            self.saw(Seen::Sent {
                text: shown,
                bytes: text.len(),
            });
        }
        self.answers(connection).await;
        if let Some(load) = self.plan.load.as_ref().filter(|_| self.open()) {
            self.measure(connection, load).await;
        }
        let waits = self
            .plan
            .close_code
            .map(|_| self.began.elapsed() + self.plan.timeout);
        if let Some(hold) = self.plan.hold.or(waits) {
            self.listen(connection, self.began + hold, |_| false).await;
        }
    }

    /// Waits for what must come in, or for any answer to what was sent.
    async fn answers(&mut self, connection: &mut Connection) {
        let sent = !self.plan.sends.is_empty();
        if !self.plan.expects.is_empty() || sent {
            let deadline = Instant::now() + self.plan.timeout;
            self.listen(connection, deadline, |run| match run.met.is_empty() {
                true => run.heard > 0,
                false => run.met.iter().all(Option::is_some),
            })
            .await;
            if self.heard == 0 && sent && self.open() {
                self.saw(Seen::Silence {
                    waited: self.plan.timeout,
                });
            }
        }
    }

    async fn measure(&mut self, connection: &mut Connection, load: &Load) {
        let measured = tokio::select! {
            measured = measure(self.target, connection, load) => Some(measured),
            () = &mut self.stop => None,
        };
        let Some((latency, closed)) = measured else {
            self.report.interrupted = true;
            return;
        };
        (self.tell)(Telling::Measured(&latency));
        self.report.latency = Some(latency);
        if let Some(close) = closed {
            self.saw(Seen::Closed(close));
        }
    }

    /// Takes in what comes, and pings, until the deadline or until it is enough.
    async fn listen(
        &mut self,
        connection: &mut Connection,
        deadline: Instant,
        enough: impl Fn(&Self) -> bool,
    ) {
        while self.open() && Instant::now() < deadline && !enough(self) {
            let next_ping = self
                .plan
                .ping_every
                .map(|every| self.pinged.unwrap_or(self.began) + every);
            let until = next_ping.map_or(deadline, |ping| ping.min(deadline));
            let incoming = tokio::select! {
                incoming = connection.receive(until) => incoming,
                () = &mut self.stop => {
                    self.report.interrupted = true;
                    return;
                }
            };
            match incoming {
                Incoming::Text(text) => self.heard_text(&text),
                Incoming::Binary(bytes) => self.saw(Seen::Binary { bytes }),
                Incoming::Ping => self.saw(Seen::Ping),
                Incoming::Pong => {
                    let after = self
                        .pinged
                        .map_or(Duration::ZERO, |pinged| pinged.elapsed());
                    self.saw(Seen::Pong { after });
                }
                Incoming::Closed(close) => self.saw(Seen::Closed(close)),
                Incoming::Nothing if next_ping.is_some_and(|ping| ping < deadline) => {
                    self.ping(connection).await;
                }
                Incoming::Nothing => {}
            }
        }
    }

    async fn ping(&mut self, connection: &mut Connection) {
        self.pinged = Some(Instant::now());
        tokio::select! {
            sent = connection.ping() => match sent {
                Ok(()) => self.saw(Seen::PingSent),
                Err(close) => self.saw(Seen::Closed(close)),
            },
            () = &mut self.stop => self.report.interrupted = true,
        }
    }

    fn heard_text(&mut self, text: &Text) {
        self.heard += 1;
        let (hidden, bytes) = (
            self.target.secrets().hide(text.as_str()),
            text.as_str().len(),
        );
        let open = self.plan.expects.iter().zip(&mut self.met);
        let mut wanted = open.filter(|(wanted, met)| met.is_none() && wanted.met_by(text.as_str()));
        if let Some((_, met)) = wanted.next() {
            *met = Some(self.began.elapsed());
        }
        let error = error_frame(&hidden);
        self.saw(Seen::Received {
            text: beginning(&hidden),
            bytes,
            error,
        });
    }

    async fn end(&mut self, connection: Connection) {
        if self.report.close.is_none() {
            let age = self.began.elapsed();
            let close = connection.close(&self.plan.closing).await;
            // The age is that of the decision, not of the other side's agreement.
            self.saw_at(age, Seen::Closed(close));
        }
    }

    fn open(&self) -> bool {
        self.report.close.is_none() && !self.report.interrupted
    }

    fn saw(&mut self, seen: Seen) {
        self.saw_at(self.began.elapsed(), seen);
    }

    fn saw_at(&mut self, at: Duration, seen: Seen) {
        let observation = Observation { at, seen };
        (self.tell)(Telling::Seen(&observation));
        self.report.add(observation);
    }

    /// Holds what was wanted against what happened.
    fn judge(&mut self) {
        let status = self.report.handshake().map(|handshake| handshake.status);
        let accepted = self
            .report
            .handshake()
            .is_some_and(|handshake| handshake.accepted());
        let mut checks = vec![Check {
            wanted: format!("the handshake is answered with {}", self.plan.status),
            met: status == Some(self.plan.status) && (accepted || self.plan.status != 101),
            seen: status.map_or("no answer".to_owned(), |status| status.to_string()),
        }];
        for (wanted, met) in self.plan.expects.iter().zip(&self.met) {
            checks.push(Check {
                wanted: format!(
                    "a message with {}",
                    self.target.secrets().hide(&wanted.says())
                ),
                met: met.is_some(),
                seen: match met {
                    Some(at) => format!("after {:.3} s", at.as_secs_f64()),
                    None => format!("{} other messages", self.heard),
                },
            });
        }
        checks.extend(self.judge_end().filter(|_| accepted));
        checks.extend(self.report.latency.as_ref().map(|latency| Check {
            wanted: "every exchange is answered".to_owned(),
            met: latency.failed == 0 && latency.refused == 0,
            seen: format!("{} answered, {} not", latency.answered, latency.failed),
        }));
        self.report.checks = checks;
    }

    fn judge_end(&self) -> Option<Check> {
        let close = self.report.close.as_ref();
        let theirs = close.filter(|close| close.by != Side::Client);
        let seen = |close: Option<&Close>| match (close, self.report.age) {
            (Some(close), Some(age)) => format!("{} after {:.3} s", close.code, age.as_secs_f64()),
            _ => "it stays open".to_owned(),
        };
        match self.plan.close_code {
            Some(code) => Some(Check {
                wanted: format!("the connection ends with {code}"),
                met: theirs.is_some_and(|close| close.code == code),
                seen: seen(theirs),
            }),
            None => Some(Check {
                wanted: "the connection stays open until this side closes it".to_owned(),
                met: theirs.is_none(),
                seen: seen(theirs),
            }),
        }
    }
}
