//! What nobody may read: tokens, keys and passwords, wherever they turn up.

use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};

/// What stands in a secret's place.
pub const HIDDEN: &str = "[hidden]";

/// Shorter ones are not looked for inside of other text: that would hide half of it, and keep nothing secret.
const SHORTEST: usize = 4;

/// Text that is sent and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, to be sent.
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

/// The secrets of one target, in every spelling in which a server may send them back.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Arc<[String]>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {HIDDEN}", self.0.len())
    }
}

impl Secrets {
    /// Those texts, and what they are as URLs, JSON and headers spell them.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut spellings: Vec<String> = texts.into_iter().flat_map(spellings).collect();
        // The longest first, so that no part of one stays beside a shorter one.
        spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        spellings.dedup();
        Secrets(spellings.into())
    }

    /// The text without any secret, and without the beginning of one at its end: close reasons and bodies are cut off.
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let cut = self
            .0
            .iter()
            .filter_map(|secret| cut_off(&text, secret))
            .max();
        if let Some(length) = cut {
            text.truncate(text.len() - length);
            text.push_str(HIDDEN);
        }
        text
    }
}

/// How many bytes of the secret's beginning stand at the text's end, if that is more than chance.
fn cut_off(text: &str, secret: &str) -> Option<usize> {
    let ends = secret.char_indices().map(|(end, _)| end).rev();
    let mut long = ends.take_while(|end| *end >= 2 * SHORTEST);
    long.find(|end| text.ends_with(&secret[..*end]))
}

fn spellings(text: &str) -> Vec<String> {
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut found = vec![text.to_owned(), decoded];
    for index in 0..found.len() {
        found.push(crate::target::encoded(&found[index]));
        found.push(unquoted(&format!("{:?}", found[index])));
        found.push(unquoted(
            &serde_json::Value::from(found[index].as_str()).to_string(),
        ));
    }
    found.retain(|spelling| spelling.chars().count() >= SHORTEST);
    found
}

/// What stands between the quotes that a text begins and ends with.
fn unquoted(text: &str) -> String {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text).to_owned()
}

/// The secrets in a header's value: the whole of it, and what stands behind a scheme or in a cookie.
pub(crate) fn parts<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
    let mut parts = vec![value];
    if name.eq_ignore_ascii_case("cookie") {
        let cookies = value.split(';').filter_map(|cookie| cookie.split_once('='));
        parts.extend(cookies.map(|(_, value)| value.trim()));
    } else if name.to_ascii_lowercase().contains("auth") {
        parts.extend(
            value
                .split_once(' ')
                .map(|(_, credentials)| credentials.trim()),
        );
    }
    parts
}

/// True for what a name or the look of a value gives away as a secret.
pub(crate) fn looks_secret(name: &str, value: &str) -> bool {
    const NAMES: [&str; 16] = [
        "token", "auth", "key", "secret", "sig", "pass", "pwd", "jwt", "cred", "cookie", "bearer",
        "otp", "pin", "ticket", "code", "sid",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|word| name.contains(word)) || looks_like_a_token(value)
}

/// True for a JSON Web Token, and for whatever is too long and too dense to be a word.
pub(crate) fn looks_like_a_token(value: &str) -> bool {
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
    fn a_secret_is_hidden_in_every_spelling() {
        let secrets = Secrets::new(["se\"cr+t/42", "p%20ssword"]);
        let seen =
            secrets.hide("se\"cr+t/42 | se%22cr%2Bt%2F42 | {\"t\":\"se\\\"cr+t/42\"} | p ssword");
        assert_eq!(
            seen,
            "[hidden] | [hidden] | {\"t\":\"[hidden]\"} | [hidden]"
        );
        assert_eq!(parts("Authorization", "Bearer t"), ["Bearer t", "t"]);
        assert_eq!(parts("cookie", "a=1; b=2"), ["a=1; b=2", "1", "2"]);
        assert!(!format!("{secrets:?}{:?}", Secret::new("se\"cr+t/42")).contains("cr+t"));
    }

    #[test]
    fn the_beginning_of_a_secret_is_hidden_where_a_text_was_cut_off() {
        let secrets = Secrets::new(["a-secret-that-is-long"]);
        assert_eq!(secrets.hide("no: a-secret-that-is"), "no: [hidden]");
        assert_eq!(secrets.hide("no: a-secret"), "no: [hidden]");
        // So little is chance.
        assert_eq!(secrets.hide("this is a-se"), "this is a-se");
    }

    #[test]
    fn names_and_looks_give_secrets_away() {
        assert!(looks_secret("access_token", "x"));
        assert!(looks_secret("X-Amz-Signature", "x"));
        assert!(looks_secret("q", "eyJhbGciOiJSUzI1NiJ9.e30.x"));
        assert!(looks_secret("q", "a0b1c2d3e4f5a0b1c2d3e4f5"));
        assert!(!looks_secret("role", "listener"));
        assert!(!looks_secret("sessionId", "golden-eagle-427"));
    }
}
