//! Messages between clients and server.

use std::fmt;

use serde::{Deserialize, Serialize};
use stackgen_websocket::Timestamp;
use thiserror::Error;

/// Maximum length of a message's text, in bytes.
pub const MAX_TEXT: usize = 4 * 1024;

/// Name of a room: 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RoomName(String);

impl RoomName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoomName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match (1..=64).contains(&name.len()) && name.chars().all(is_allowed) {
            true => Ok(RoomName(name)),
            false => Err("not a valid room name"),
        }
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Message from a client. API Gateway has chosen the route by its `action`, so the action is not parsed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// `{"action":"joinRoom","room":"lobby"}`
    Join(RoomName),
    /// `{"action":"leaveRoom","room":"lobby"}`
    Leave(RoomName),
    /// `{"action":"sendMessage","room":"lobby","text":"Hello"}`
    Send(RoomName, String),
}

impl ClientMessage {
    /// Parses a message from a route.
    ///
    /// # Errors
    ///
    /// Fails if the route is unknown, or if the message is not valid for the route.
    pub fn parse(route_key: &str, body: &str) -> Result<Self, MessageRefusal> {
        #[derive(Deserialize)]
        struct Body {
            room: RoomName,
            #[serde(default)]
            text: String,
        }
        let parse = || serde_json::from_str(body).map_err(|_| MessageRefusal::Malformed);
        match route_key {
            "joinRoom" => parse().map(|Body { room, .. }| ClientMessage::Join(room)),
            "leaveRoom" => parse().map(|Body { room, .. }| ClientMessage::Leave(room)),
            "sendMessage" => match parse()? {
                Body { text, .. } if text.is_empty() || text.len() > MAX_TEXT => {
                    Err(MessageRefusal::TextLength)
                }
                Body { room, text } => Ok(ClientMessage::Send(room, text)),
            },
            _ => Err(MessageRefusal::UnknownAction),
        }
    }
}

/// Reason to refuse a message. The text is for the client's developer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MessageRefusal {
    /// The route is unknown.
    #[error("`action` must be `joinRoom`, `leaveRoom` or `sendMessage`")]
    UnknownAction,
    /// The message is not JSON, or lacks a field.
    #[error("a message must have a `room` with 1 to 64 letters, digits, `-` and `_`")]
    Malformed,
    /// The text is missing or too long.
    #[error("`text` must have 1 to {MAX_TEXT} bytes")]
    TextLength,
    /// The caller is not in the room.
    #[error("join the room first")]
    NotAMember,
    /// The caller is unknown, because the API has no authorizer.
    #[error("the caller is not authenticated: add an authorizer to the API")]
    NotAuthenticated,
}

impl MessageRefusal {
    /// Returns the code, for programs.
    fn code(&self) -> &'static str {
        match self {
            MessageRefusal::UnknownAction => "UNKNOWN_ACTION",
            MessageRefusal::Malformed | MessageRefusal::TextLength => "INVALID_MESSAGE",
            MessageRefusal::NotAMember => "NOT_A_MEMBER",
            MessageRefusal::NotAuthenticated => "NOT_AUTHENTICATED",
        }
    }
}

/// Message to a client: the answer to its own message, or another member's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// The client joined a room.
    JoinedRoom {
        /// The room.
        room: RoomName,
    },
    /// The client left a room.
    LeftRoom {
        /// The room.
        room: RoomName,
    },
    /// The client's message was posted.
    MessageSent {
        /// The room.
        room: RoomName,
        /// Number of members that received it.
        delivered: usize,
    },
    /// A message from another member.
    Message {
        /// The room.
        room: RoomName,
        /// Sender: the `sub` claim of the token.
        from: String,
        /// Text of the message.
        text: String,
        /// Time of sending, in milliseconds since 1970.
        sent_at: Timestamp,
    },
    /// The client's message was refused.
    Error {
        /// Code, for programs.
        code: &'static str,
        /// Text, for people.
        message: String,
    },
}

impl ServerMessage {
    /// Returns the message as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers under string keys are JSON")
    }
}

impl From<MessageRefusal> for ServerMessage {
    fn from(refusal: MessageRefusal) -> Self {
        ServerMessage::Error {
            code: refusal.code(),
            message: refusal.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomName {
        name.to_owned().try_into().unwrap()
    }

    #[test]
    fn each_action_is_parsed_with_its_fields() {
        let lobby = r#"{"action":"joinRoom","room":"lobby","more":"ignored"}"#;
        assert_eq!(
            ClientMessage::parse("joinRoom", lobby),
            Ok(ClientMessage::Join(room("lobby")))
        );
        assert_eq!(
            ClientMessage::parse("leaveRoom", lobby),
            Ok(ClientMessage::Leave(room("lobby")))
        );
        let body = r#"{"action":"sendMessage","room":"lobby","text":"Hello"}"#;
        let message = ClientMessage::Send(room("lobby"), "Hello".to_owned());
        assert_eq!(ClientMessage::parse("sendMessage", body), Ok(message));
    }

    #[test]
    fn invalid_messages_are_refused_with_a_reason() {
        let refused = |route_key, body: &str| {
            let refusal = ClientMessage::parse(route_key, body).unwrap_err();
            ServerMessage::from(refusal).to_json()
        };
        assert_eq!(
            refused("$default", "{}"),
            r#"{"type":"error","code":"UNKNOWN_ACTION","message":"`action` must be `joinRoom`, `leaveRoom` or `sendMessage`"}"#
        );
        for room in ["", "two words", "é", &"x".repeat(65)] {
            let body = serde_json::json!({ "room": room }).to_string();
            assert_eq!(
                ClientMessage::parse("joinRoom", &body),
                Err(MessageRefusal::Malformed),
                "{room}"
            );
        }
        assert_eq!(
            ClientMessage::parse("leaveRoom", "not JSON"),
            Err(MessageRefusal::Malformed)
        );
        assert!(refused("joinRoom", "{}").contains("INVALID_MESSAGE"));
        for text in ["", &"x".repeat(MAX_TEXT + 1)] {
            let body = serde_json::json!({ "room": "lobby", "text": text }).to_string();
            assert_eq!(
                ClientMessage::parse("sendMessage", &body),
                Err(MessageRefusal::TextLength)
            );
        }
    }
}
