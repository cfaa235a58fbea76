//! Validated values.

use std::fmt;

use serde::{Deserialize, Serialize};
use stackgen_websocket::ConnectionId;
use thiserror::Error;

/// A malformed value.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field} must be {expected}")]
pub struct InvalidValue {
    /// Name of the field in the protocol.
    pub field: &'static str,
    /// Description of a valid value.
    pub expected: &'static str,
}

/// Alphabet of the secret part of a session ID: Crockford's base32 in lower case, without `i`, `l`, `o` and `u`.
pub(crate) const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Number of [`BASE32`] characters in a session ID.
pub(crate) const SECRET_LENGTH: usize = 13;

macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $field:literal, $expected:literal, $valid:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                let valid: fn(&str) -> bool = $valid;
                match valid(&text) {
                    true => Ok($name(text)),
                    false => Err(InvalidValue { field: $field, expected: $expected }),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidValue;

            fn try_from(text: &str) -> Result<Self, InvalidValue> {
                $name::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

text!(
    /// Session ID, such as `merciful-truth-455-k7dq2m9x4hw3t`: adjective, noun, a number of three digits, and 13
    /// characters of [`BASE32`]. The words are for people, and the characters make the ID a secret: who knows the ID may
    /// listen.
    SessionId,
    "sessionId",
    "an id such as merciful-truth-455-k7dq2m9x4hw3t",
    |text| {
        let mut parts = text.split('-');
        let word = |part: Option<&str>| {
            part.is_some_and(|word| {
                (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
            })
        };
        let number = |part: Option<&str>| {
            part.is_some_and(|digits| {
                digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let secret = |part: Option<&str>| {
            part.is_some_and(|secret| {
                secret.len() == SECRET_LENGTH && secret.bytes().all(|byte| BASE32.contains(&byte))
            })
        };
        word(parts.next())
            && word(parts.next())
            && number(parts.next())
            && secret(parts.next())
            && parts.next().is_none()
    }
);

text!(
    /// User ID: the `sub` claim of a verified token. Never empty; anonymous callers have none.
    UserId,
    "userId",
    "1 to 256 characters",
    |text| (1..=256).contains(&text.len())
);

text!(
    /// Key that a client gives to a request to create a session, in the header `Idempotency-Key`. A repeated request with the
    /// same key returns the same session.
    CreationKey,
    "Idempotency-Key",
    "1 to 128 visible ASCII characters",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

text!(
    /// Language tag, such as `de`, `pt-BR` or `zh-Hans-CN`.
    Language,
    "targetLanguage",
    "a language tag such as de or pt-BR",
    |text| {
        let mut subtags = text.split('-');
        let primary = subtags.next().is_some_and(|primary| {
            (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        });
        primary
            && text.len() <= 35
            && subtags.all(|subtag| {
                (2..=8).contains(&subtag.len())
                    && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    }
);

/// Volume, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Volume(f64);

impl Volume {
    /// The recorded volume.
    pub const FULL: Volume = Volume(1.0);

    /// Returns the number, from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Volume {
    type Error = InvalidValue;

    fn try_from(level: f64) -> Result<Self, InvalidValue> {
        // No range contains NaN, so this refuses it.
        match (0.0..=1.0).contains(&level) {
            true => Ok(Volume(level)),
            false => Err(InvalidValue {
                field: "volumeLevel",
                expected: "a number from 0 to 1",
            }),
        }
    }
}

impl From<Volume> for f64 {
    fn from(volume: Volume) -> f64 {
        volume.0
    }
}

/// Parses the ID of a connection that a client names. API Gateway's IDs have about 16 bytes. Empty text is `None`.
pub(crate) fn parse_connection_id(
    text: Option<String>,
) -> Result<Option<ConnectionId>, InvalidValue> {
    match text {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if text.len() <= 128 => Ok(Some(ConnectionId::new(text))),
        Some(_) => Err(InvalidValue {
            field: "previousConnectionId",
            expected: "a connection's id",
        }),
    }
}
