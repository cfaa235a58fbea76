//! Why: cause, evidence and next step, by the rows of `docs/reference/api-gateway-websocket.md`.

mod closed;
mod lookup;
mod opened;
mod recorded;
mod refused;
mod unanswered;

use std::borrow::Cow;

use serde::Serialize;

use crate::report::{Outcome, Report};
pub use lookup::{ERROR_FRAMES, explain_close_code, explain_error_frame, explain_handshake_status};
pub use recorded::{RecordSubject, ServerRecord};

/// One explanation of what was seen. Several of them are listed likeliest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What happened.
    pub cause: String,
    /// What it was seen by.
    pub evidence: Vec<String>,
    /// What to do.
    pub next_step: String,
    /// The rows that it rests on.
    pub rows: Vec<Cow<'static, str>>,
    /// How sure it is.
    pub certainty: Certainty,
    /// What is doubtful about those rows.
    pub doubts: Vec<String>,
}

/// How sure an explanation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Certainty {
    /// It cannot be otherwise.
    Certain,
    /// What was seen speaks for it.
    Likely,
    /// What was seen does not speak against it.
    Possible,
}

impl Certainty {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Likely => "likely",
            Certainty::Possible => "possible",
        }
    }
}

/// Rows that the reference tags, and what its tags mean.
const DOUBTS: [(&str, &str); 8] = [
    ("A8", WEAK),
    ("C4", WEAK),
    (
        "C6",
        "folklore, or a single weak report, for an invalid response",
    ),
    ("C7", WEAK),
    ("C8", "inferred, not stated anywhere"),
    ("D18", WEAK),
    ("M12", "sources disagree"),
    ("M14", "folklore, or a single weak report, for the code"),
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

    fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    fn next(mut self, step: impl Into<String>) -> Self {
        self.next_step = step.into();
        self
    }
}

/// Returns what is doubtful about a row, if anything is.
fn doubt(row: &str) -> Option<String> {
    let (row, doubt) = DOUBTS.iter().find(|(tagged, _)| *tagged == row)?;
    Some(format!("row {row}: {doubt}"))
}

/// Explains a report. There is nothing to explain when the connection opened, was answered and was closed by this side.
pub fn explain(report: &Report) -> Vec<Explanation> {
    explain_with(report, &[])
}

/// Explains a report of which the server keeps records: those take the place of guesses.
pub fn explain_with(report: &Report, records: &[ServerRecord]) -> Vec<Explanation> {
    let mut explanations = match &report.outcome {
        Outcome::Error(error) => unanswered::explain(error, &report.url),
        Outcome::Handshake(handshake) if handshake.status == 101 => {
            opened::explain(report, handshake, records)
        }
        Outcome::Handshake(handshake) => {
            recorded::handshake(refused::explain(report, handshake), records)
        }
    };
    let closed = closed::explain(report);
    explanations.extend(closed.map(|guess| recorded::close(guess, records)));
    explanations
}
