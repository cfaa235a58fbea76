//! Results of a replay.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::recording::{RecordedAction, RecordedLine, Recording};

/// Results of a replay. It contains no secret.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Connections in the order in which they were opened.
    pub connections: Vec<ReplayedConnection>,
    /// True if the user stopped the replay.
    pub interrupted: bool,
    /// The recording as it would be if it had been made now.
    #[serde(skip)]
    pub updated: Recording,
}

/// A connection of a replay.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedConnection {
    /// Number of the connection in the recording.
    pub connection: u32,
    /// Name of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Recorded events, and events that are not in the recording.
    pub events: Vec<ReplayedEvent>,
}

/// An event of a replayed connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedEvent {
    /// Result of the comparison.
    pub result: EventResult,
    /// The event, with placeholders.
    #[serde(flatten)]
    pub action: RecordedAction,
    /// What is different, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Result of the comparison of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EventResult {
    /// It happened as recorded.
    Same,
    /// It is recorded and did not happen.
    Missing,
    /// It happened and is not recorded.
    Extra,
    /// It happened in another order.
    Moved,
    /// It was not played, because the connection was not opened as recorded.
    NotPlayed,
}

impl ReplayReport {
    /// Returns true if everything happened as recorded.
    pub fn is_same(&self) -> bool {
        !self.interrupted && self.connections.iter().all(ReplayedConnection::is_same)
    }
}

impl ReplayedConnection {
    /// Returns true if everything happened as recorded.
    pub fn is_same(&self) -> bool {
        self.events
            .iter()
            .all(|event| event.result == EventResult::Same)
    }
}

/// Orders consecutive messages of a connection as they arrived.
pub(super) fn in_order_of_arrival(mut lines: Vec<(RecordedLine, u64)>) -> Recording {
    let mut connections: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, (line, _)) in lines.iter().enumerate() {
        connections.entry(line.connection).or_default().push(at);
    }
    for positions in connections.into_values() {
        let is_receive = |at: &usize| matches!(lines[*at].0.action, RecordedAction::Receive(_));
        let runs: Vec<Vec<usize>> = positions
            .chunk_by(|a, b| is_receive(a) && is_receive(b))
            .map(<[usize]>::to_vec)
            .collect();
        for run in runs {
            let mut arrived: Vec<_> = run.iter().map(|at| lines[*at].clone()).collect();
            arrived.sort_by_key(|(_, arrival)| *arrival);
            for (at, line) in run.into_iter().zip(arrived) {
                lines[at] = line;
            }
        }
    }
    Recording {
        lines: lines.into_iter().map(|(line, _)| line).collect(),
    }
}
