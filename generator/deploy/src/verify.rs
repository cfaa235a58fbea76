//! Whether a stage answers as it should after it was moved.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::{Handshake, Interrupt, Step, Steps, Verify};

/// What counts as an answer of the new deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Where the stage is reached.
    pub url: String,
    /// Whether `$connect` is guarded, so that refusing an anonymous caller is as good as letting one in.
    pub guarded: bool,
    /// Statuses that are fine although they would not be otherwise: what this API's own function answers.
    pub also: Vec<u16>,
}

/// How often and how long to try: moving a stage is seen everywhere only after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Good answers in a row that are enough.
    pub enough: usize,
    /// The time between two tries.
    pub pause: Duration,
    /// How long bad answers are borne.
    pub window: Duration,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Where.
    pub url: String,
    /// Every handshake, in order.
    pub handshakes: Vec<Handshake>,
    /// What the last one means.
    pub meaning: String,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tries = match self.handshakes.len() {
            1 => "1 handshake".to_owned(),
            many => format!("{many} handshakes"),
        };
        write!(f, "{} ({tries})", self.meaning)
    }
}

impl Expectation {
    /// Whether an answer proves that the snapshot answers, and what it means.
    pub fn judge(&self, handshake: &Handshake) -> (bool, String) {
        let status = match handshake {
            Handshake::Unanswered(reason) => return (false, format!("no answer: {reason}")),
            Handshake::Answered(status) => *status,
        };
        let (good, meaning) = match status {
            status if self.also.contains(&status) => (true, "as expected"),
            101 => (true, "a WebSocket was opened"),
            401 if self.guarded => (true, "the authorizer wants an identity (rows A2, A6)"),
            403 if self.guarded => (true, "the authorizer lets no anonymous caller in (row A5)"),
            403 => (
                false,
                "forbidden, and nothing guards $connect: no such stage or deployment (row C3)",
            ),
            500 => (
                false,
                "a function may not be invoked, or an authorizer failed (rows C7, A7, A16)",
            ),
            502 => (false, "the function of $connect failed (row C6)"),
            504 => (false, "the function of $connect took too long (row C8)"),
            429 => (false, "throttled (rows M19, D18)"),
            426 => (
                false,
                "no handshake arrived: is something in between? (row C4)",
            ),
            501..=599 => (false, "the service failed"),
            _ => (true, "the function of $connect refuses it (row C5)"),
        };
        (good, format!("{status}: {meaning}"))
    }
}

/// Tries until answers are good enough, or have been bad for too long. The outer failure is an interruption.
pub(crate) async fn verify(
    verifier: &impl Verify,
    expectation: &Expectation,
    tries: &Tries,
    steps: Steps<'_>,
    interrupt: &Interrupt,
) -> Result<Result<Evidence, Evidence>, crate::DeployError> {
    let started = tokio::time::Instant::now();
    let (mut handshakes, mut in_a_row) = (Vec::new(), 0);
    loop {
        let handshake = interrupt
            .unless(verifier.handshake(&expectation.url))
            .await?;
        let (good, meaning) = expectation.judge(&handshake);
        steps(Step::Tried {
            meaning: &meaning,
            good,
        });
        handshakes.push(handshake);
        in_a_row = if good { in_a_row + 1 } else { 0 };
        let enough = in_a_row >= tries.enough;
        if enough || (!good && started.elapsed() >= tries.window) {
            let url = expectation.url.clone();
            let evidence = Evidence {
                url,
                handshakes,
                meaning,
            };
            return Ok(if enough { Ok(evidence) } else { Err(evidence) });
        }
        interrupt.sleep(tries.pause).await?;
    }
}
