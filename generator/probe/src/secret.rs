//! Secrets: tokens, keys and passwords that must not appear in any output.

use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};

use crate::encoding::query_encoded;

/// Replacement for a secret in any output.
pub const HIDDEN: &str = "[hidden]";

/// Minimum length of a secret that is searched for in other text. Shorter ones would match by chance.
pub(crate) const MIN_SECRET_LENGTH: usize = 4;

/// Text that is sent but never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// Returns the text, for sending it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// Secrets of a target, in every encoding in which a server may send them back.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Arc<[String]>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {HIDDEN}", self.0.len())
    }
}

impl Secrets {
    /// Creates a set of these texts and their URL, JSON and header encodings.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut encodings: Vec<String> = texts.into_iter().flat_map(encodings).collect();
        // Longest first: replacing a secret that is part of a longer one would leave the rest of the longer one.
        encodings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        encodings.dedup();
        Secrets(encodings.into())
    }

    /// Returns true if a text contains a secret.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// Replaces all secrets in a text, and a truncated secret at its end: close reasons and bodies are cut off.
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let truncated = self
            .0
            .iter()
            .filter_map(|secret| truncated_at_end(&text, secret))
            .max();
        if let Some(length) = truncated {
            text.truncate(text.len() - length);
            text.push_str(HIDDEN);
        }
        text
    }
}

/// Returns the length of the secret's prefix at the end of the text, if it is too long for chance.
fn truncated_at_end(text: &str, secret: &str) -> Option<usize> {
    let ends = secret.char_indices().map(|(end, _)| end).rev();
    let mut long = ends.take_while(|end| *end >= 2 * MIN_SECRET_LENGTH);
    long.find(|end| text.ends_with(&secret[..*end]))
}

/// Returns the text, percent-decoded and percent-encoded, and escaped as in JSON and `Debug` output.
fn encodings(text: &str) -> Vec<String> {
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut found = vec![text.to_owned(), decoded];
    for index in 0..found.len() {
        found.push(query_encoded(&found[index]));
        found.push(unquoted(&format!("{:?}", found[index])));
        found.push(unquoted(
            &serde_json::Value::from(found[index].as_str()).to_string(),
        ));
    }
    found.retain(|encoding| encoding.chars().count() >= MIN_SECRET_LENGTH);
    found
}

/// Removes the quotes around a text.
fn unquoted(text: &str) -> String {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text).to_owned()
}

/// Returns the secrets in a header's value: the value, the credentials after a scheme, and the values of cookies.
pub(crate) fn header_secrets<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
    let mut secrets = vec![value];
    if name.eq_ignore_ascii_case("cookie") {
        let cookies = value.split(';').filter_map(|cookie| cookie.split_once('='));
        secrets.extend(cookies.map(|(_, value)| value.trim()));
    } else if name.to_ascii_lowercase().contains("auth") {
        secrets.extend(
            value
                .split_once(' ')
                .map(|(_, credentials)| credentials.trim()),
        );
    }
    secrets
}

/// Returns true if the name or the form of the value suggests a secret.
pub(crate) fn looks_secret(name: &str, value: &str) -> bool {
    const NAMES: [&str; 16] = [
        "token", "auth", "key", "secret", "sig", "pass", "pwd", "jwt", "cred", "cookie", "bearer",
        "otp", "pin", "ticket", "code", "sid",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|word| name.contains(word)) || looks_like_token(value)
}

/// Returns true for a JSON Web Token and for long text with digits and without spaces.
pub(crate) fn looks_like_token(value: &str) -> bool {
    let dense = |value: &str| {
        let digits = value.bytes().any(|byte| byte.is_ascii_digit());
        value.len() >= 24 && digits && !value.contains(char::is_whitespace)
    };
    value.contains("eyJ") || dense(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_encoding() {
        let secrets = Secrets::new(["se\"cr+t/42", "p%20ssword"]);
        let seen =
            secrets.hide("se\"cr+t/42 | se%22cr%2Bt%2F42 | {\"t\":\"se\\\"cr+t/42\"} | p ssword");
        assert_eq!(
            seen,
            "[hidden] | [hidden] | {\"t\":\"[hidden]\"} | [hidden]"
        );
        assert_eq!(
            header_secrets("Authorization", "Bearer t"),
            ["Bearer t", "t"]
        );
        assert_eq!(header_secrets("cookie", "a=1; b=2"), ["a=1; b=2", "1", "2"]);
        assert!(!format!("{secrets:?}{:?}", Secret::new("se\"cr+t/42")).contains("cr+t"));
    }

    #[test]
    fn a_truncated_secret_at_the_end_of_a_text_is_hidden() {
        let secrets = Secrets::new(["a-secret-that-is-long"]);
        assert_eq!(secrets.hide("no: a-secret-that-is"), "no: [hidden]");
        assert_eq!(secrets.hide("no: a-secret"), "no: [hidden]");
        // A prefix this short may be there by chance.
        assert_eq!(secrets.hide("this is a-se"), "this is a-se");
    }

    #[test]
    fn secrets_are_recognized_by_name_and_form() {
        assert!(looks_secret("access_token", "x"));
        assert!(looks_secret("X-Amz-Signature", "x"));
        assert!(looks_secret("q", "eyJhbGciOiJSUzI1NiJ9.e30.x"));
        assert!(looks_secret("q", "a0b1c2d3e4f5a0b1c2d3e4f5"));
        assert!(!looks_secret("role", "listener"));
        assert!(!looks_secret("sessionId", "golden-eagle-427"));
    }
}
