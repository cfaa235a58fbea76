//! Facts that the server keeps, in place of guesses.

use super::Certainty::Certain;
use super::{Explanation, doubt};

/// Most details of one explanation.
const DETAILS: usize = 8;

/// What the local gateway recorded of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRecord {
    /// What failed.
    pub subject: RecordSubject,
    /// `message` of the answer or of the error frame, or close reason.
    pub message: String,
    /// Reason in words, without a full stop.
    pub reason: String,
    /// Row of the reference that it rests on.
    pub row: String,
    /// What the request met: deployment, route, functions, errors.
    pub details: Vec<String>,
}

/// What a [`ServerRecord`] is about.
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
    let mut of_handshake = records.iter();
    match of_handshake.find(|record| record.subject == RecordSubject::Handshake) {
        None => guesses,
        Some(record) => {
            // Every guess begins with what was answered.
            let answered = guesses.first().and_then(|guess| guess.evidence.first());
            let evidence = answered.into_iter().cloned().collect();
            vec![explained(&[record], &guesses, evidence)]
        }
    }
}

/// Returns the recorded reason of a close, or the guess if there is none.
pub(super) fn close(guess: Explanation, records: &[ServerRecord]) -> Explanation {
    let mut of_connection = records.iter();
    match of_connection.find(|record| record.subject == RecordSubject::Connection) {
        None => guess,
        Some(record) => {
            let evidence = guess.evidence.clone();
            explained(&[record], &[guess], evidence)
        }
    }
}

/// Returns the recorded reasons of error frames with one message, each once, or the guess if there are none.
pub(super) fn frames(
    guess: Explanation,
    message: &str,
    count: usize,
    records: &[ServerRecord],
) -> Vec<Explanation> {
    let stayed = |count| format!("{count} × {message:?}, and the socket stayed open");
    let mut groups: Vec<Vec<&ServerRecord>> = Vec::new();
    for record in records {
        if record.subject != RecordSubject::Message || record.message != message {
            continue;
        }
        let same = |group: &&mut Vec<&ServerRecord>| {
            group[0].reason == record.reason && group[0].row == record.row
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(record),
            None => groups.push(vec![record]),
        }
    }
    match groups.as_slice() {
        [] => vec![guess.seen(stayed(count))],
        // The server keeps the latest records only, so that the count is better known here.
        [group] => vec![explained(group, &[guess], vec![stayed(count)])],
        groups => {
            let guesses = [guess];
            let explain =
                |group: &Vec<&ServerRecord>| explained(group, &guesses, vec![stayed(group.len())]);
            groups.iter().map(explain).collect()
        }
    }
}

/// Explains records of one reason.
fn explained(
    records: &[&ServerRecord],
    guesses: &[Explanation],
    mut evidence: Vec<String>,
) -> Explanation {
    let mut details: Vec<&String> = Vec::new();
    for detail in records.iter().flat_map(|record| &record.details) {
        if details.len() < DETAILS && !details.contains(&detail) {
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

/// Returns what to do about a cause that is known: of the guesses, whatever has the same row knows best.
fn next_step(row: &str, guesses: &[Explanation]) -> String {
    let known = match row {
        "A2" | "A3" => Some(
            "Send every identity source of the authorizer. If some callers bring no token, the list must be empty \
             (`callers: mixed`).",
        ),
        "A7" | "A8" | "A9" => Some("Read the authorizer's log in the terminal of `stackgen dev`."),
        "C3" => Some(
            "Give the stage a deployment: `stackgen deploy --redeploy-stage --local`. The URL ends in the stage's name.",
        ),
        "M4" => Some("Read the function's log in the terminal of `stackgen dev`."),
        "M13" => Some(
            "Send a small message now and then, such as to a `heartbeat` route. `stackgen dev --idle-timeout` changes the \
             limit of the local gateway.",
        ),
        "M14" => Some("Connect anew before that: nothing lengthens it."),
        _ => None,
    };
    let guessed = || {
        let mut fitting = guesses.iter();
        let guess = fitting.find(|guess| guess.rows.iter().any(|known| known == row))?;
        Some(guess.next_step.as_str())
    };
    known
        .or_else(guessed)
        .unwrap_or("Read the lines of `stackgen dev` for this moment.")
        .to_owned()
}
