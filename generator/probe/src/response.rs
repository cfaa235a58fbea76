//! Answer to a handshake.

use std::net::SocketAddr;

use serde::Serialize;

use crate::connect_error::Timings;

/// Answer to a handshake. It contains no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HandshakeResponse {
    /// HTTP status; 101 if the server accepts.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Headers in the order of the answer, with names as the server spells them.
    pub headers: Vec<Header>,
    /// Beginning of the body; empty with 101.
    pub body: String,
    /// Subprotocol that the server chose.
    pub subprotocol: Option<String>,
    /// Violations of the protocol by an answer with 101. If there are any, no connection opens.
    pub violations: Vec<Violation>,
    /// Address of the server, or of the proxy.
    pub peer: SocketAddr,
    /// URL of the proxy, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// TLS version.
    pub tls: Option<String>,
    /// Durations of the steps.
    pub timings: Timings,
}

/// Header of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Name as the server spells it.
    pub name: String,
    /// Value with secrets and cookies hidden.
    pub value: String,
}

/// Violation of RFC 6455, section 4.1, by an answer with 101.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Violation {
    /// `Upgrade: websocket` is missing.
    Upgrade,
    /// `Connection: Upgrade` is missing.
    Connection,
    /// `Sec-WebSocket-Accept` is missing or does not match the key.
    Accept,
    /// The server chose a subprotocol that was not offered.
    Subprotocol,
    /// The server chose an extension, although none was offered.
    Extension,
}

impl Violation {
    /// Returns the violation in words.
    pub fn description(self) -> &'static str {
        match self {
            Violation::Upgrade => "it lacks `Upgrade: websocket`",
            Violation::Connection => "it lacks `Connection: Upgrade`",
            Violation::Accept => "its Sec-WebSocket-Accept does not match the key",
            Violation::Subprotocol => "it chooses a subprotocol that was not offered",
            Violation::Extension => "it chooses an extension, but none was offered",
        }
    }
}

impl HandshakeResponse {
    /// Returns the value of a header; the name's case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&found.value)
    }

    /// Returns true if the handshake opened a connection.
    pub fn is_accepted(&self) -> bool {
        self.status == 101 && self.violations.is_empty()
    }
}
