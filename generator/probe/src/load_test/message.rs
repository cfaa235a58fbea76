//! Messages of a load, and the numbers by which their answers are recognized.

use std::fmt;

/// Text in a message that is replaced by a number.
pub const NUMBER: &str = "<number>";

/// First number. All numbers have 15 digits, so that no time, count or ID in an answer looks like one.
const FIRST: u64 = 100_000_000_000_000;

/// Messages of a connection before its numbers repeat.
const PER_CONNECTION: u64 = 1_000_000;

/// Number of digits.
const DIGITS: usize = 15;

/// Message of a load. The `Debug` output shows no text.
#[derive(Clone, PartialEq)]
pub struct LoadMessage {
    /// Name in reports, such as the route key.
    pub name: String,
    /// Share of the messages, relative to that of the others.
    pub weight: f64,
    /// Text, in which [`NUMBER`] is replaced by a different number in each message.
    pub text: String,
    /// True if the server answers to the connection.
    pub has_answer: bool,
}

/// Number of a message: its connection, and its position among the messages of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessageNumber {
    pub(crate) connection: u64,
    pub(crate) sequence: u64,
}

impl LoadMessage {
    /// Returns true if every message has a number.
    pub fn is_numbered(&self) -> bool {
        self.text.contains(NUMBER)
    }

    pub(crate) fn text_with(&self, number: MessageNumber) -> String {
        self.text.replace(NUMBER, &number.value().to_string())
    }
}

impl fmt::Debug for LoadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.text.len())
    }
}

impl MessageNumber {
    fn value(self) -> u64 {
        FIRST + self.connection * PER_CONNECTION + self.sequence % PER_CONNECTION
    }

    /// Returns true if it may be the number of a connection's message: numbers repeat.
    pub(super) fn is_of(self, sequence: u64) -> bool {
        self.sequence == sequence % PER_CONNECTION
    }

    /// Finds the first number in a text.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let rest = &bytes[at..];
            let end = rest.iter().position(|byte| !byte.is_ascii_digit());
            let length = end.unwrap_or(rest.len());
            if length == DIGITS {
                let value: u64 = text[at..at + length].parse().ok()?;
                let value = value.checked_sub(FIRST)?;
                return Some(MessageNumber {
                    connection: value / PER_CONNECTION,
                    sequence: value % PER_CONNECTION,
                });
            }
            at += length;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_an_answer_that_contains_it() {
        let message = LoadMessage {
            name: "ping".to_owned(),
            weight: 1.0,
            text: r#"{"action":"ping","at":1764527583123,"n":<number>}"#.to_owned(),
            has_answer: true,
        };
        assert!(message.is_numbered());
        let number = MessageNumber {
            connection: 9_999,
            sequence: 42,
        };
        let text = message.text_with(number);
        assert_eq!(MessageNumber::find(&text), Some(number), "{text}");
        assert_eq!(MessageNumber::find("at 1764527583123, é 7"), None);
        assert_eq!(MessageNumber::find(""), None);
    }
}
