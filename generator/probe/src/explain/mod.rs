//! Explains reports: cause, evidence and next step, with rows of `docs/reference/api-gateway-websocket.md`.

mod closed;
mod codes;
mod lookup;
mod opened;
mod recorded;
mod refused;
mod unanswered;

use std::borrow::Cow;

use serde::Serialize;

use crate::report::{HandshakeOutcome, ProbeReport};
pub use codes::{
    AGE_LIMIT, AGE_LIMIT_SECONDS, CloseExplanation, DELETED, IDLE_SECONDS, IDLE_TIMEOUT, UNLISTED,
};
pub use lookup::{ERROR_FRAMES, explain_close_code, explain_error_frame, explain_handshake_status};
pub use recorded::{RecordSubject, ServerRecord};

/// Possible cause of what a probe observed. Lists of explanations start with the likeliest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Cause in full sentences.
    pub cause: String,
    /// Observations that support the cause.
    pub evidence: Vec<String>,
    /// Advice in full sentences.
    pub next_step: String,
    /// Rows of the reference that document the cause.
    pub rows: Vec<Cow<'static, str>>,
    /// Certainty of the cause.
    pub certainty: Certainty,
    /// Doubts about those rows.
    pub doubts: Vec<String>,
}

/// Certainty of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Certainty {
    /// No other cause is possible.
    Certain,
    /// The observations support it.
    Likely,
    /// The observations do not contradict it.
    Possible,
}

impl Certainty {
    /// Returns the certainty as a word.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Likely => "likely",
            Certainty::Possible => "possible",
        }
    }
}

/// Rows that the reference tags as doubtful, and the meaning of the tags.
const DOUBTS: [(&str, &str); 12] = [
    ("A15", "documented for REST APIs only"),
    ("A8", WEAK),
    ("C4", WEAK),
    (
        "C6",
        "folklore, or a single weak report, for an invalid response",
    ),
    ("C7", WEAK),
    ("C8", "inferred, not stated anywhere"),
    ("D18", WEAK),
    ("M8", "sources disagree"),
    (
        "M10",
        "inferred for ContentHandlingStrategy, not stated anywhere",
    ),
    ("M12", "sources disagree"),
    ("M7", "sources disagree for null"),
    ("M19", "inferred for the frame, not stated anywhere"),
];

const WEAK: &str = "folklore, or a single weak report";

impl Explanation {
    fn new(certainty: Certainty, rows: &[&'static str], cause: impl Into<String>) -> Self {
        Explanation {
            cause: cause.into(),
            evidence: Vec::new(),
            next_step: String::new(),
            rows: rows.iter().copied().map(Cow::Borrowed).collect(),
            certainty,
            doubts: rows.iter().filter_map(|row| doubt(row)).collect(),
        }
    }

    fn with_evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    fn with_next_step(mut self, step: impl Into<String>) -> Self {
        self.next_step = step.into();
        self
    }
}

/// Returns the doubt about a row, if the reference tags it.
fn doubt(row: &str) -> Option<String> {
    let (row, doubt) = DOUBTS.iter().find(|(tagged, _)| *tagged == row)?;
    Some(format!("row {row}: {doubt}"))
}

/// Explains a report. Returns nothing if the connection opened, messages were answered, and the client closed it.
pub fn explain(report: &ProbeReport) -> Vec<Explanation> {
    explain_with_records(report, &[])
}

/// Explains a report with the help of the server's records, which replace guesses.
pub fn explain_with_records(report: &ProbeReport, records: &[ServerRecord]) -> Vec<Explanation> {
    let mut explanations = match &report.outcome {
        HandshakeOutcome::Error(error) => unanswered::explain(error, &report.url),
        HandshakeOutcome::Handshake(handshake) if handshake.status == 101 => {
            opened::explain(report, handshake, records)
        }
        HandshakeOutcome::Handshake(handshake) => {
            recorded::handshake(refused::explain(report, handshake), records)
        }
    };
    let closed = closed::explain(report);
    explanations.extend(closed.map(|guess| recorded::close(guess, records)));
    explanations
}
