//! What clients send, and what they get.

use std::fmt;

use serde::{Deserialize, Serialize};
use stackgen_websocket::Timestamp;
use thiserror::Error;

/// The longest text of a message, in bytes.
pub const MAX_TEXT: usize = 4 * 1024;

/// A room's name: 1 to 64 of `A-Z`, `a-z`, `0-9`, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RoomName(String);

impl RoomName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoomName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match (1..=64).contains(&name.len()) && name.chars().all(fits) {
            true => Ok(RoomName(name)),
            false => Err("not a room's name"),
        }
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a client wants. Its `action` is the route that API Gateway chose, so that it is not read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `{"action":"joinRoom","room":"lobby"}`
    Join(RoomName),
    /// `{"action":"leaveRoom","room":"lobby"}`
    Leave(RoomName),
    /// `{"action":"sendMessage","room":"lobby","text":"Hello"}`
    Send(RoomName, String),
}

impl Call {
    /// Reads a message that came in on a route.
    ///
    /// # Errors
    ///
    /// The route is none of ours, or the message is not what the route takes.
    pub fn read(route_key: &str, body: &str) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Body {
            room: RoomName,
            #[serde(default)]
            text: String,
        }
        let read = || serde_json::from_str(body).map_err(|_| Refusal::Malformed);
        match route_key {
            "joinRoom" => read().map(|Body { room, .. }| Call::Join(room)),
            "leaveRoom" => read().map(|Body { room, .. }| Call::Leave(room)),
            "sendMessage" => match read()? {
                Body { text, .. } if text.is_empty() || text.len() > MAX_TEXT => Err(Refusal::Text),
                Body { room, text } => Ok(Call::Send(room, text)),
            },
            _ => Err(Refusal::UnknownAction),
        }
    }
}

/// Why a client does not get what it wants. The text is for the client's developer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// No route of ours.
    #[error("`action` is `joinRoom`, `leaveRoom` or `sendMessage`")]
    UnknownAction,
    /// Not JSON, or without what the action needs.
    #[error("a message has a `room`, whose name is 1 to 64 letters, digits, `-` and `_`")]
    Malformed,
    /// No text, or too much of it.
    #[error("`text` has 1 to {MAX_TEXT} bytes")]
    Text,
    /// The room is not the caller's to speak in.
    #[error("join the room first")]
    NotAMember,
    /// Nobody said who is calling: the API has lost its authorizer.
    #[error("nobody knows who you are")]
    NotAuthenticated,
}

impl Refusal {
    /// A word for programs.
    fn code(&self) -> &'static str {
        match self {
            Refusal::UnknownAction => "UNKNOWN_ACTION",
            Refusal::Malformed | Refusal::Text => "INVALID_MESSAGE",
            Refusal::NotAMember => "NOT_A_MEMBER",
            Refusal::NotAuthenticated => "NOT_AUTHENTICATED",
        }
    }
}

/// What a client gets: the answer to its own message, or what somebody else said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// You are in.
    JoinedRoom {
        /// Where.
        room: RoomName,
    },
    /// You are out.
    LeftRoom {
        /// Of where.
        room: RoomName,
    },
    /// Your message went out.
    MessageSent {
        /// Where.
        room: RoomName,
        /// To how many others.
        delivered: usize,
    },
    /// Somebody in a room said something.
    Message {
        /// Where.
        room: RoomName,
        /// Who: the `sub` of the token.
        from: String,
        /// What.
        text: String,
        /// When, in milliseconds since 1970.
        sent_at: Timestamp,
    },
    /// Your message came to nothing.
    Error {
        /// Why, for programs.
        code: &'static str,
        /// Why, for people.
        message: String,
    },
}

impl ServerMessage {
    /// As it goes out.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers under string keys are JSON")
    }
}

impl From<Refusal> for ServerMessage {
    fn from(refusal: Refusal) -> Self {
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
    fn each_action_is_read_with_what_it_needs() {
        let lobby = r#"{"action":"joinRoom","room":"lobby","more":"ignored"}"#;
        assert_eq!(Call::read("joinRoom", lobby), Ok(Call::Join(room("lobby"))));
        assert_eq!(
            Call::read("leaveRoom", lobby),
            Ok(Call::Leave(room("lobby")))
        );
        let said = r#"{"action":"sendMessage","room":"lobby","text":"Hello"}"#;
        let call = Call::Send(room("lobby"), "Hello".to_owned());
        assert_eq!(Call::read("sendMessage", said), Ok(call));
    }

    #[test]
    fn what_no_action_takes_is_refused_with_a_reason() {
        let refused = |route_key, body: &str| {
            let refusal = Call::read(route_key, body).unwrap_err();
            ServerMessage::from(refusal).to_json()
        };
        assert_eq!(
            refused("$default", "{}"),
            r#"{"type":"error","code":"UNKNOWN_ACTION","message":"`action` is `joinRoom`, `leaveRoom` or `sendMessage`"}"#
        );
        for room in ["", "two words", "é", &"x".repeat(65)] {
            let body = serde_json::json!({ "room": room }).to_string();
            assert_eq!(
                Call::read("joinRoom", &body),
                Err(Refusal::Malformed),
                "{room}"
            );
        }
        assert_eq!(Call::read("leaveRoom", "not JSON"), Err(Refusal::Malformed));
        assert!(refused("joinRoom", "{}").contains("INVALID_MESSAGE"));
        for text in ["", &"x".repeat(MAX_TEXT + 1)] {
            let body = serde_json::json!({ "room": "lobby", "text": text }).to_string();
            assert_eq!(Call::read("sendMessage", &body), Err(Refusal::Text));
        }
    }
}
