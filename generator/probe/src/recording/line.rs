//! Lines of a recording.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::placeholder::{PlaceholderKind, placeholders};

/// A recording: events of connections in the order in which the client saw them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The events.
    pub lines: Vec<RecordedLine>,
}

/// An event of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedLine {
    /// Seconds since the first event, rounded to a tenth.
    pub at: f64,
    /// Number of the connection, from 1.
    pub connection: u32,
    /// The event.
    pub action: RecordedAction,
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordedAction {
    /// A handshake and its answer.
    Open(RecordedOpen),
    /// The client sent a text message.
    Send(Value),
    /// The client sent a binary message of this many bytes.
    SendBinary(usize),
    /// The client received a text message.
    Receive(Value),
    /// The client received a binary message of this many bytes.
    ReceiveBinary(usize),
    /// The connection ended.
    Close(RecordedClose),
}

/// A handshake and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordedOpen {
    /// Name of the API, if the gateway has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Stage, if the API has several, or the client named one that does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Name of the caller whose token is sent: its `sub` claim, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, Value>,
    /// Headers that the client added.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Offered subprotocols.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subprotocols: Vec<String>,
    /// Status of the answer.
    pub status: u16,
    /// Subprotocol that the server chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
}

/// End of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordedClose {
    /// Side that ended the connection.
    pub by: CloseSide,
    /// Close code; 1005 for a close frame without a code, 1006 without a close frame.
    pub code: u16,
    /// Reason of the server's close frame.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Side that ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CloseSide {
    /// The client.
    Client,
    /// The server or the network.
    Server,
}

impl Recording {
    /// Returns the handshakes with the numbers of their connections.
    pub fn opens(&self) -> impl Iterator<Item = (u32, &RecordedOpen)> {
        self.lines.iter().filter_map(|line| match &line.action {
            RecordedAction::Open(open) => Some((line.connection, open)),
            _ => None,
        })
    }

    /// Returns the numbers of the secrets that messages need.
    pub fn sent_secrets(&self) -> impl Iterator<Item = u32> {
        let sent = self.lines.iter().filter_map(|line| match &line.action {
            RecordedAction::Send(message) => Some(message),
            _ => None,
        });
        let all = sent.flat_map(message_texts).flat_map(placeholders);
        let secrets = all.filter(|it| it.kind == PlaceholderKind::Secret);
        secrets.filter_map(|it| it.number)
    }
}

/// Returns the texts in a message.
fn message_texts(message: &Value) -> Vec<&str> {
    match message {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(message_texts).collect(),
        Value::Object(fields) => fields.values().flat_map(message_texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

impl RecordedOpen {
    /// Returns all texts that the client sends in the handshake.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let names = self.query.keys().map(String::as_str);
        let query = names.chain(self.query.values().flat_map(query_texts));
        let headers = self.headers.values().map(String::as_str);
        let subprotocols = self.subprotocols.iter().map(String::as_str);
        query.chain(headers).chain(subprotocols)
    }
}

/// Returns the values of a query parameter: one text, or several in an array.
pub(crate) fn query_texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}
