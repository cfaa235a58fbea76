//! Replaces guesses by the causes that the server recorded.

use super::Certainty::Certain;
use super::{Explanation, doubt};

/// Maximum number of details per explanation.
const MAX_DETAILS: usize = 8;

/// Failure that the local gateway recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRecord {
    /// Request that failed.
    pub subject: RecordSubject,
    /// `message` of the answer or of the error frame, or the close reason.
    pub message: String,
    /// Reason in words, without a full stop.
    pub reason: String,
    /// Row of the reference that documents the failure.
    pub row: String,
    /// Deployment, route, functions and errors of the request.
    pub details: Vec<String>,
}

/// Subject of a [`ServerRecord`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordSubject {
    /// A handshake that was refused.
    Handshake,
    /// A message that was answered with an error frame.
    Message,
    /// A connection that the server closed.
    Connection,
}

/// Returns the recorded reason of a handshake's refusal, or the guesses if there is none.
pub(super) fn handshake(guesses: Vec<Explanation>, records: &[ServerRecord]) -> Vec<Explanation> {
    let mut records = records.iter();
    match records.find(|record| record.subject == RecordSubject::Handshake) {
        None => guesses,
        Some(record) => {
            // The first evidence of every guess is the answer's status line.
            let answer = guesses.first().and_then(|guess| guess.evidence.first());
            let evidence = answer.into_iter().cloned().collect();
            vec![explained(&[record], &guesses, evidence)]
        }
    }
}

/// Returns the recorded reason of a close, or the guess if there is none.
pub(super) fn close(guess: Explanation, records: &[ServerRecord]) -> Explanation {
    let mut records = records.iter();
    match records.find(|record| record.subject == RecordSubject::Connection) {
        None => guess,
        Some(record) => {
            let evidence = guess.evidence.clone();
            explained(&[record], &[guess], evidence)
        }
    }
}

/// Returns the recorded failure of a message to which no answer came, or the guess if there is none.
pub(super) fn silence(guess: Explanation, records: &[ServerRecord]) -> Explanation {
    let mut records = records.iter();
    let has_no_frame = |record: &&ServerRecord| {
        record.subject == RecordSubject::Message && record.message.is_empty()
    };
    match records.find(has_no_frame) {
        None => guess,
        Some(record) => {
            let evidence = guess.evidence.clone();
            explained(&[record], &[guess], evidence)
        }
    }
}

/// Returns the recorded reasons of error frames with this message, or the guess if there are none.
pub(super) fn frames(
    guess: Explanation,
    message: &str,
    count: usize,
    records: &[ServerRecord],
) -> Vec<Explanation> {
    let observed = |count| format!("{count} × {message:?}; the connection stayed open");
    let mut groups: Vec<Vec<&ServerRecord>> = Vec::new();
    for record in records {
        if record.subject != RecordSubject::Message || record.message != message {
            continue;
        }
        let same_cause = |group: &&mut Vec<&ServerRecord>| {
            group[0].reason == record.reason && group[0].row == record.row
        };
        match groups.iter_mut().find(same_cause) {
            Some(group) => group.push(record),
            None => groups.push(vec![record]),
        }
    }
    match groups.as_slice() {
        [] => vec![guess.with_evidence(observed(count))],
        // The server stores only its latest records, so the client's count is more reliable.
        [group] => vec![explained(group, &[guess], vec![observed(count)])],
        groups => {
            let guesses = [guess];
            let explain = |group: &Vec<&ServerRecord>| {
                explained(group, &guesses, vec![observed(group.len())])
            };
            groups.iter().map(explain).collect()
        }
    }
}

/// Explains records with the same reason and row.
fn explained(
    records: &[&ServerRecord],
    guesses: &[Explanation],
    mut evidence: Vec<String>,
) -> Explanation {
    let mut details: Vec<&String> = Vec::new();
    for detail in records.iter().flat_map(|record| &record.details) {
        if details.len() < MAX_DETAILS && !details.contains(&detail) {
            details.push(detail);
        }
    }
    evidence.extend(
        details
            .iter()
            .map(|detail| format!("local gateway: {detail}")),
    );
    let record = records[0];
    Explanation {
        cause: format!("The local gateway reports: {}.", record.reason),
        evidence,
        next_step: next_step(&record.row, guesses),
        rows: vec![record.row.clone().into()],
        certainty: Certain,
        doubts: doubt(&record.row).into_iter().collect(),
    }
}

/// Returns the next step for a known cause: advice for its row, or that of a guess with the same row.
fn next_step(row: &str, guesses: &[Explanation]) -> String {
    let known = match row {
        "A2" | "A3" => Some(
            "Send every identity source of the authorizer. If some callers have no token, the list must be empty \
             (`callers: mixed`).",
        ),
        "A7" | "A8" | "A9" => Some("Read the authorizer's log in the terminal of `stackgen dev`."),
        "C3" => Some(
            "Give the stage a deployment: `stackgen deploy --redeploy-stage --local`. The URL ends with the stage's name.",
        ),
        "M4" | "M7" => Some("Read the function's log in the terminal of `stackgen dev`."),
        "M13" => Some(
            "Send a small message every few minutes, for example to a `heartbeat` route. `stackgen dev --idle-timeout` \
             changes the timeout of the local gateway.",
        ),
        "M14" => Some("Reconnect before two hours have passed. The limit cannot be raised."),
        _ => None,
    };
    let from_guess = || {
        let mut guesses = guesses.iter();
        let guess = guesses.find(|guess| guess.rows.iter().any(|known| known == row))?;
        Some(guess.next_step.as_str())
    };
    known
        .or_else(from_guess)
        .unwrap_or("Read the output of `stackgen dev` for this moment.")
        .to_owned()
}
