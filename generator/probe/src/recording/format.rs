//! Recordings as text: a heading, and one line of JSON for each event.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::line::{
    CloseSide, RecordedAction, RecordedClose, RecordedLine, RecordedOpen, Recording, query_texts,
};
use super::placeholder::{PlaceholderKind, placeholders};
use crate::connection::ClientClose;

/// Maximum size of a binary message to send, in bytes. API Gateway accepts none of any size.
const MAX_BINARY: usize = 1024 * 1024;

/// Maximum time of an event, in seconds: a year.
const MAX_AT: f64 = 31_536_000.0;

/// Version of the format.
const VERSION: u32 = 1;

/// Problems of a recording's text, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RecordingError(pub Vec<RecordingProblem>);

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct RecordingProblem {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    recording: u32,
}

/// A line with its action as a key.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LineText {
    at: f64,
    connection: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<RecordedOpen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send_binary: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receive: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receive_binary: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    close: Option<RecordedClose>,
}

impl Recording {
    /// Returns the first line of every recording.
    pub fn heading() -> String {
        format!("{{\"recording\":{VERSION}}}\n")
    }

    /// Returns true if a text begins like a recording.
    pub fn is_recording(text: &str) -> bool {
        let first = text.lines().next().unwrap_or_default();
        serde_json::from_str::<Heading>(first).is_ok()
    }

    /// Parses a recording. Empty lines are skipped.
    ///
    /// # Errors
    ///
    /// All lines that are not valid.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut lines = text
            .lines()
            .zip(1..)
            .filter(|(line, _)| !line.trim().is_empty());
        check_heading(lines.next()).map_err(|problem| RecordingError(vec![problem]))?;
        let (mut read, mut problems) = (Vec::new(), Vec::new());
        let mut connections = OpenNumbers::default();
        for (text, line) in lines {
            let parsed = parse_line(text).and_then(|line| connections.check(&line).map(|()| line));
            match parsed {
                Ok(line) => read.push(line),
                Err(reason) => problems.push(RecordingProblem { line, reason }),
            }
        }
        match problems.is_empty() {
            true => Ok(Recording { lines: read }),
            false => Err(RecordingError(problems)),
        }
    }

    /// Returns the recording as text.
    pub fn to_text(&self) -> String {
        let mut text = Recording::heading();
        for line in &self.lines {
            let _ = writeln!(text, "{}", line.to_text());
        }
        text
    }
}

impl RecordedLine {
    /// Returns the event as a line of JSON, without the line break.
    pub fn to_text(&self) -> String {
        let mut text = LineText {
            at: self.at,
            connection: self.connection,
            ..LineText::default()
        };
        match self.action.clone() {
            RecordedAction::Open(open) => text.open = Some(open),
            RecordedAction::Send(value) => text.send = Some(value),
            RecordedAction::SendBinary(bytes) => text.send_binary = Some(bytes),
            RecordedAction::Receive(value) => text.receive = Some(value),
            RecordedAction::ReceiveBinary(bytes) => text.receive_binary = Some(bytes),
            RecordedAction::Close(close) => text.close = Some(close),
        }
        serde_json::to_string(&text).unwrap_or_default()
    }
}

fn check_heading(first: Option<(&str, usize)>) -> Result<(), RecordingProblem> {
    let (text, line) = first.unwrap_or(("", 1));
    let heading = serde_json::from_str::<Heading>(text);
    let reason = match heading {
        Ok(Heading { recording: VERSION }) => return Ok(()),
        Ok(Heading { recording }) => format!(
            "the recording has version {recording}, and this stackgen reads version {VERSION}"
        ),
        Err(_) => "this is not a recording: its first line must be {\"recording\":1}".to_owned(),
    };
    Err(RecordingProblem { line, reason })
}

fn parse_line(text: &str) -> Result<RecordedLine, String> {
    let line: LineText = serde_json::from_str(text).map_err(|error| {
        let reason = without_position(&error);
        match error.is_syntax() || error.is_eof() {
            true => format!("this is not JSON: {reason}"),
            false => reason,
        }
    })?;
    if !line.at.is_finite() || line.at < 0.0 {
        return Err("`at` must be 0 or more".to_owned());
    }
    if line.at > MAX_AT {
        return Err(format!("`at` must be at most {MAX_AT}, which is a year"));
    }
    let actions = [
        line.open.map(RecordedAction::Open),
        line.send.map(RecordedAction::Send),
        line.send_binary.map(RecordedAction::SendBinary),
        line.receive.map(RecordedAction::Receive),
        line.receive_binary.map(RecordedAction::ReceiveBinary),
        line.close.map(RecordedAction::Close),
    ];
    let mut actions = actions.into_iter().flatten();
    let (Some(action), None) = (actions.next(), actions.next()) else {
        return Err(
            "write exactly one of `open`, `send`, `sendBinary`, `receive`, `receiveBinary` and `close`"
                .to_owned(),
        );
    };
    check_action(&action)?;
    Ok(RecordedLine {
        at: line.at,
        connection: line.connection,
        action,
    })
}

fn check_action(action: &RecordedAction) -> Result<(), String> {
    match action {
        RecordedAction::Send(value) if has_unsendable(value) => Err(
            "a message to send needs a value in place of `<any>`, `<number>` and `<string>`"
                .to_owned(),
        ),
        RecordedAction::Send(value) | RecordedAction::Receive(value)
            if !matches!(value, Value::String(_) | Value::Object(_) | Value::Array(_)) =>
        {
            Err("a message is a JSON object, an array, or its text as a string".to_owned())
        }
        RecordedAction::SendBinary(bytes) if *bytes > MAX_BINARY => Err(format!(
            "a binary message to send can have at most {MAX_BINARY} bytes"
        )),
        RecordedAction::Close(close) if close.by == CloseSide::Client => {
            match matches!(close.code, 1005 | 1006) || ClientClose::is_valid_code(close.code) {
                true => Ok(()),
                false => Err(format!("a client cannot close with code {}", close.code)),
            }
        }
        RecordedAction::Open(open) => {
            let mut query = open.query.iter();
            let bad = query.find(|(_, value)| match value {
                Value::Array(values) => query_texts(value).len() != values.len(),
                value => !value.is_string(),
            });
            match bad {
                Some((name, _)) => Err(format!(
                    "the query parameter {name:?} must be a string, or an array of strings"
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Returns true if a message contains placeholders that stand for no value in particular.
fn has_unsendable(value: &Value) -> bool {
    match value {
        Value::String(text) => placeholders(text).any(|placeholder| {
            use PlaceholderKind::{Any, Number, Text};
            matches!(placeholder.kind, Any | Number | Text)
        }),
        Value::Array(values) => values.iter().any(has_unsendable),
        Value::Object(fields) => fields.values().any(has_unsendable),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Numbers of the connections that were opened and closed so far.
#[derive(Default)]
struct OpenNumbers {
    opened: BTreeSet<u32>,
    ended: BTreeSet<u32>,
}

impl OpenNumbers {
    fn check(&mut self, line: &RecordedLine) -> Result<(), String> {
        let number = line.connection;
        match &line.action {
            RecordedAction::Open(open) => {
                if !self.opened.insert(number) {
                    return Err(format!("connection {number} was opened before"));
                }
                if open.status != 101 {
                    self.ended.insert(number);
                }
            }
            _ if !self.opened.contains(&number) => {
                return Err(format!("connection {number} was not opened before"));
            }
            _ if self.ended.contains(&number) => {
                return Err(format!("connection {number} is not open any more"));
            }
            RecordedAction::Close(_) => {
                self.ended.insert(number);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Returns the text of an error without the position, which is always in line 1.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const TEXT: &str = r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"caller":"ada","query":{"token":"<token>"},"status":101}}
{"at":0.1,"connection":1,"send":{"action":"join"}}
{"at":0.1,"connection":1,"receive":"hello <id-1>"}
{"at":0.2,"connection":1,"sendBinary":3}
{"at":0.2,"connection":1,"close":{"by":"server","code":1003,"reason":"Unsupported data"}}
{"at":0.3,"connection":2,"open":{"status":401}}
"#;

    #[test]
    fn a_recording_is_written_as_it_was_read() {
        let recording = Recording::parse(TEXT).unwrap();
        assert_eq!(recording.lines.len(), 6);
        assert_eq!(recording.to_text(), TEXT);
        assert!(Recording::is_recording(TEXT) && !Recording::is_recording("{}"));
    }

    #[test]
    fn every_bad_line_is_reported_with_its_number() {
        let text = r#"{"recording":1}
{"at":0,"connection":1,"open":{"status":101}}
nonsense
{"at":0,"connection":1}
{"at":0,"connection":1,"send":"a","receive":"b"}
{"at":0,"connection":1,"send":5}
{"at":0,"connection":2,"send":"a"}
{"at":-1,"connection":1,"send":"a"}
{"at":0,"connection":1,"sent":"a"}
{"at":0,"connection":1,"open":{"status":101}}
{"at":0,"connection":3,"open":{"status":403}}
{"at":0,"connection":3,"send":"a"}
{"at":0,"connection":4,"open":{"status":101,"query":{"a":1}}}
{"at":0,"connection":1,"sendBinary":1048576}
{"at":0,"connection":1,"sendBinary":1048577}
{"at":1e19,"connection":1,"send":"a"}
"#;
        assert_snapshot!(Recording::parse(text).unwrap_err(), @r#"
        line 3: this is not JSON: expected ident
        line 4: write exactly one of `open`, `send`, `sendBinary`, `receive`, `receiveBinary` and `close`
        line 5: write exactly one of `open`, `send`, `sendBinary`, `receive`, `receiveBinary` and `close`
        line 6: a message is a JSON object, an array, or its text as a string
        line 7: connection 2 was not opened before
        line 8: `at` must be 0 or more
        line 9: unknown field `sent`, expected one of `at`, `connection`, `open`, `send`, `sendBinary`, `receive`, `receiveBinary`, `close`
        line 10: connection 1 was opened before
        line 12: connection 3 is not open any more
        line 13: the query parameter "a" must be a string, or an array of strings
        line 15: a binary message to send can have at most 1048576 bytes
        line 16: `at` must be at most 31536000, which is a year
        "#);
        let other = Recording::parse("{\"recording\":2}").unwrap_err();
        assert_snapshot!(other, @"line 1: the recording has version 2, and this stackgen reads version 1");
        assert_snapshot!(Recording::parse("").unwrap_err(), @r#"line 1: this is not a recording: its first line must be {"recording":1}"#);
    }
}
