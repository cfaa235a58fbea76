//! Reports of replays as text.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use stackgen_cfn::terminal::escape;
use stackgen_probe::{
    CloseSide, EventResult, RecordedAction, RecordedClose, RecordedOpen, ReplayReport,
    ReplayedConnection, ReplayedEvent,
};

use crate::style::{BOLD, CYAN, DIM, GREEN, RED};
use crate::text::counted;

/// Maximum length of a shown message; `--json` has more.
const MAX_SHOWN: usize = 200;

/// Formats the connections that differ, and a summary.
pub(super) fn report(recording: &Path, report: &ReplayReport, is_updated: bool) -> String {
    let mut text = String::new();
    for connection in report
        .connections
        .iter()
        .filter(|connection| !connection.is_same())
    {
        text.push_str(&connection_text(connection));
    }
    let count = report.connections.len();
    let name = recording.display();
    let different = report
        .connections
        .iter()
        .filter(|connection| !connection.is_same())
        .count();
    let events: usize = report
        .connections
        .iter()
        .map(|connection| connection.events.len())
        .sum();
    let connections = counted(count, "connection");
    let _ = match (report.interrupted, different, is_updated) {
        (true, ..) => writeln!(text, "{RED}{name}: stopped before the end{RED:#}"),
        (false, 0, _) => writeln!(
            text,
            "{GREEN}{name}: as recorded{GREEN:#}, {connections}, {}",
            counted(events, "event")
        ),
        (false, _, true) => writeln!(
            text,
            "{name}: updated, {different} of {connections} differed"
        ),
        (false, _, false) => writeln!(
            text,
            "{RED}{name}: {different} of {connections} {} not as recorded{RED:#}",
            if different == 1 { "is" } else { "are" }
        ),
    };
    text
}

fn connection_text(connection: &ReplayedConnection) -> String {
    let caller = match &connection.caller {
        Some(name) => format!(" as {}", escape(name)),
        None => String::new(),
    };
    let mut text = format!(
        "{BOLD}connection {}{caller}{BOLD:#}\n",
        connection.connection
    );
    let is_played = |event: &&ReplayedEvent| event.result != EventResult::NotPlayed;
    for event in connection.events.iter().filter(is_played) {
        text.push_str(&marked(event));
        text.push('\n');
    }
    let played = connection.events.iter().filter(is_played).count();
    match connection.events.len() - played {
        0 => {}
        others => {
            let others = counted(others, "event");
            let _ = writeln!(text, "    {DIM}{others} not played{DIM:#}");
        }
    }
    text.push('\n');
    text
}

/// Formats an event of a connection in one line.
pub(super) fn event_line(connection: u32, event: &ReplayedEvent) -> String {
    format!("{connection:>3}{}", marked(event))
}

fn marked(event: &ReplayedEvent) -> String {
    let line = action_text(&event.action);
    let line = match &event.note {
        Some(note) => format!("{line}  {DIM}({}){DIM:#}", shown(note)),
        None => line,
    };
    match event.result {
        EventResult::Same => format!("    {line}"),
        EventResult::NotPlayed => format!("    {DIM}{line}{DIM:#}"),
        EventResult::Missing => format!("  {RED}- {line}{RED:#}"),
        EventResult::Extra => format!("  {GREEN}+ {line}{GREEN:#}"),
        EventResult::Moved => format!("  {CYAN}~ {line}{CYAN:#}"),
    }
}

fn action_text(action: &RecordedAction) -> String {
    match action {
        RecordedAction::Open(RecordedOpen {
            status,
            subprotocol,
            ..
        }) => match subprotocol {
            Some(name) => format!("open      {status}, subprotocol {}", shown(name)),
            None => format!("open      {status}"),
        },
        RecordedAction::Send(value) => format!("send      {}", message(value)),
        RecordedAction::SendBinary(bytes) => format!("send      {bytes} bytes, binary"),
        RecordedAction::Receive(value) => format!("receive   {}", message(value)),
        RecordedAction::ReceiveBinary(bytes) => format!("receive   {bytes} bytes, binary"),
        RecordedAction::Close(RecordedClose { by, code, reason }) => {
            let by = match by {
                CloseSide::Client => "client",
                CloseSide::Server => "server",
            };
            let reason = match reason.as_str() {
                "" => String::new(),
                reason => format!(" {}", shown(reason)),
            };
            format!("close     by the {by} with {code}{reason}")
        }
    }
}

fn message(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        value => shown(&value.to_string()),
    }
}

/// Returns the beginning of a text in one line.
fn shown(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    let short = match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    };
    escape(&short).into_owned()
}

/// Names connections by their numbers.
pub(super) fn numbers(connections: &[u32]) -> String {
    let plural = if connections.len() == 1 { "" } else { "s" };
    let numbers: Vec<_> = connections.iter().map(u32::to_string).collect();
    format!("connection{plural} {}", numbers.join(", "))
}
