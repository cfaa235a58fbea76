//! Replaces what differs from run to run by placeholders.

use std::collections::{HashMap, HashSet};

use serde_json::{Number, Value};

use super::matching::{Bindings, frame_value};
use super::placeholder::{Placeholder, PlaceholderKind, escape_literal, is_word, looks_like_time};
use super::secrets::{RecordedSecrets, is_token};

/// Milliseconds of a day: numbers this close to the time of the recording are times.
const DAY: f64 = 86_400_000.0;

/// Longest value that is remembered as sent by a client. No ID is longer.
const MAX_VALUE: usize = 256;

/// Keys whose values are IDs, whatever they look like.
const ID_KEYS: [&str; 4] = [
    "connectionId",
    "requestId",
    "messageId",
    "extendedRequestId",
];

/// Replaces IDs, times and secrets in frames.
#[derive(Clone, Debug)]
pub(crate) struct Normalizer {
    /// Time of the recording in milliseconds since 1970.
    now: f64,
    known: HashMap<String, Placeholder>,
    /// IDs of the server that may occur in frames.
    declared: HashSet<String>,
    /// Words that a client sent first, which therefore stay as they are.
    sent: HashSet<String>,
    last_id: u32,
    last_token: u32,
    secrets: RecordedSecrets,
}

impl Normalizer {
    /// Creates a normalizer for frames of this time, in milliseconds since 1970.
    pub(crate) fn new(now_millis: u64) -> Self {
        Normalizer {
            // f64 represents the milliseconds of any possible year exactly.
            now: now_millis as f64,
            known: HashMap::new(),
            declared: HashSet::new(),
            sent: HashSet::new(),
            last_id: 0,
            last_token: 0,
            secrets: RecordedSecrets::default(),
        }
    }

    /// Adopts placeholders with their values.
    pub(crate) fn adopt(&mut self, bindings: &Bindings) {
        for (placeholder, value) in bindings.iter() {
            let last = match placeholder.kind {
                PlaceholderKind::Id => &mut self.last_id,
                PlaceholderKind::Token => &mut self.last_token,
                _ => continue,
            };
            *last = (*last).max(placeholder.number.unwrap_or(0));
            if let Value::String(text) = value {
                self.known.insert(text.clone(), placeholder);
            }
        }
    }

    pub(crate) fn secrets(&mut self) -> &mut RecordedSecrets {
        &mut self.secrets
    }

    /// Remembers a text that a client sends outside of frames.
    pub(crate) fn remember(&mut self, text: &str) {
        for word in words(text).filter(|word| word.len() <= MAX_VALUE) {
            self.sent.insert(word.to_owned());
        }
    }

    /// Declares an ID of the server that is not in a frame.
    pub(crate) fn declare_id(&mut self, id: &str) {
        self.declared.insert(id.to_owned());
    }

    /// Normalizes a message of a client. Only IDs that came from the server, and secrets, are replaced.
    pub(crate) fn sent(&mut self, text: &str) -> Value {
        let mut value = frame_value(text);
        let spelling = value.to_string();
        if spelling == text && !self.has_secret_key(&value) {
            self.remember_value(&value);
            self.replace(&mut value, None, false);
            return value;
        }
        // Another spelling of the same JSON is sent as it was: as text. In a text, secrets in keys are replaced, too.
        let mut spelled = Value::from(text);
        self.remember_value(&spelled);
        // The fields first: in the text, a secret is found only if it is known.
        self.replace(&mut value, None, false);
        self.replace(&mut spelled, None, false);
        // A secret with escapes, or in a field that occurs twice, may be left in the text. Then the fields are kept.
        let is_complete = quotes(text) == quotes(&spelling)
            && spelled
                .as_str()
                .is_some_and(|text| self.holds(text, &value));
        if is_complete || value.is_string() {
            return spelled;
        }
        self.hide_keys(&mut value, false);
        value
    }

    /// Normalizes a message of the server.
    pub(crate) fn received(&mut self, text: &str) -> Value {
        let mut value = frame_value(text);
        if self.has_secret_key(&value) {
            // An escape could hide a part of a secret in the text.
            let replaced = self.text(text, None, true);
            if !text.contains('\\') && !self.has_secret_key(&frame_value(&replaced)) {
                return Value::from(replaced);
            }
            self.hide_keys(&mut value, true);
        }
        self.replace(&mut value, None, true);
        value
    }

    /// Returns true if a text holds the same values, and no secret in its keys.
    fn holds(&self, text: &str, value: &Value) -> bool {
        let spelled = frame_value(text);
        leaves(&spelled) == leaves(value) && !self.has_secret_key(&spelled)
    }

    /// Returns true if a key contains a token or a known secret.
    fn has_secret_key(&self, value: &Value) -> bool {
        match value {
            Value::Array(values) => values.iter().any(|value| self.has_secret_key(value)),
            Value::Object(fields) => fields
                .iter()
                .any(|(key, value)| self.is_secret_key(key) || self.has_secret_key(value)),
            _ => false,
        }
    }

    fn is_secret_key(&self, key: &str) -> bool {
        words(key).any(is_token) || self.secrets.are_in_key(key)
    }

    /// Replaces secrets in keys.
    fn hide_keys(&mut self, value: &mut Value, is_received: bool) {
        match value {
            Value::Array(values) => {
                for value in values {
                    self.hide_keys(value, is_received);
                }
            }
            Value::Object(fields) => {
                for (key, mut value) in std::mem::take(fields) {
                    self.hide_keys(&mut value, is_received);
                    let key = match self.is_secret_key(&key) {
                        true => self.text(&key, None, is_received),
                        false => key,
                    };
                    fields.insert(key, value);
                }
            }
            _ => {}
        }
    }

    fn next_id(&mut self) -> Placeholder {
        self.last_id += 1;
        Placeholder::numbered(PlaceholderKind::Id, self.last_id)
    }

    fn remember_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let all: Vec<_> = words(text).filter(|word| word.len() <= MAX_VALUE).collect();
                for word in all {
                    // An ID that the server sent before is still the server's.
                    if !self.known.contains_key(word) {
                        self.sent.insert(word.to_owned());
                    }
                }
            }
            Value::Number(number) => {
                self.sent.insert(number.to_string());
            }
            Value::Array(values) => values.iter().for_each(|value| self.remember_value(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.remember_value(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn replace(&mut self, value: &mut Value, key: Option<&str>, is_received: bool) {
        match value {
            Value::String(text) => *text = self.text(text, key, is_received),
            Value::Number(number) => {
                if let Some(hidden) = self.secrets.of_number(key, number, is_received) {
                    *value = Value::from(hidden);
                } else if is_received && self.is_time(number) {
                    *value = Value::from("<time>");
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.replace(value, key, is_received);
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.replace(value, Some(key.as_str()), is_received);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&mut self, text: &str, key: Option<&str>, is_received: bool) -> String {
        if let Some(hidden) = self.secrets.of_field(key, text, is_received) {
            return hidden;
        }
        let is_id_key = key.is_some_and(|key| ID_KEYS.contains(&key));
        if is_received && is_id_key && !text.is_empty() && text.chars().all(is_word) {
            return self.word(text, true, true);
        }
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        // In JSON, a number may follow a colon.
        while let Some(start) = rest.find(|c| c != ':' && is_word(c)) {
            let after = &rest[start..];
            let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
            // A sentence may end after an ID.
            let word = after[..end].trim_end_matches(['.', ':']);
            replaced.push_str(&rest[..start]);
            replaced.push_str(&self.word(word, is_received, false));
            replaced.push_str(&after[word.len()..end]);
            rest = &after[end..];
        }
        replaced.push_str(rest);
        self.escaped(text, replaced)
    }

    /// Escapes text that looks like a placeholder but was there before.
    fn escaped(&mut self, original: &str, replaced: String) -> String {
        let escaped = escape_literal(original);
        match escaped == original {
            true => self.secrets.hide(&replaced),
            // Such text is rare: it stays as it is, without placeholders.
            false => self.secrets.hide(&escaped),
        }
    }

    fn word(&mut self, word: &str, is_received: bool, is_id: bool) -> String {
        if let Some(secret) = self.secrets.of_word(word, is_received) {
            return secret;
        }
        if let Some(known) = self.known.get(word) {
            return known.to_string();
        }
        if !is_received || self.sent.contains(word) {
            return word.to_owned();
        }
        if looks_like_time(word) || word.parse().is_ok_and(|number: f64| self.is_near(number)) {
            return "<time>".to_owned();
        }
        if is_token(word) {
            self.last_token += 1;
            let placeholder = Placeholder::numbered(PlaceholderKind::Token, self.last_token);
            self.known.insert(word.to_owned(), placeholder);
            return placeholder.to_string();
        }
        if is_id || looks_like_id(word) || self.declared.contains(word) {
            let placeholder = self.next_id();
            self.known.insert(word.to_owned(), placeholder);
            return placeholder.to_string();
        }
        word.to_owned()
    }

    fn is_time(&self, number: &Number) -> bool {
        !self.sent.contains(&number.to_string())
            && number.as_f64().is_some_and(|number| self.is_near(number))
    }

    /// Returns true for seconds, milliseconds and microseconds since 1970 of about the time of the recording.
    fn is_near(&self, number: f64) -> bool {
        let units = [1000.0, 1.0, 0.001];
        units
            .iter()
            .any(|unit| (number * unit - self.now).abs() < DAY)
    }
}

/// Returns a recorded frame in which those parts that still match stay as they are, such as placeholders that a user wrote.
pub(crate) fn merged(
    recorded: &Value,
    frame: &Value,
    normalized: Value,
    known: &Bindings,
) -> Value {
    match (recorded, frame, normalized) {
        (Value::Object(recorded), Value::Object(frame), Value::Object(mut normalized)) => {
            for (key, value) in &mut normalized {
                if let (Some(recorded), Some(frame)) = (recorded.get(key), frame.get(key)) {
                    *value = merged(recorded, frame, value.take(), known);
                }
            }
            Value::Object(normalized)
        }
        (recorded, frame, normalized) => match known.clone().matches(recorded, frame) {
            true => recorded.clone(),
            false => normalized,
        },
    }
}

/// Returns the strings, numbers and other values in a value. Keys are left out: in a text, what is in them is replaced, too.
fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().flat_map(leaves).collect(),
        Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        value => vec![value],
    }
}

/// Returns the number of quotes in JSON that begin or end a string.
fn quotes(json: &str) -> usize {
    let mut chars = json.chars();
    let mut quotes = 0;
    while let Some(c) = chars.next() {
        match c {
            '"' => quotes += 1,
            '\\' => drop(chars.next()),
            _ => {}
        }
    }
    quotes
}

/// Returns the words of a text as [`Normalizer::text`] finds them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c))
        .map(|word| word.trim_start_matches(':').trim_end_matches(['.', ':']))
        .filter(|word| !word.is_empty())
}

/// Returns true for UUIDs, for IDs of API Gateway, which end with `=`, and for long random text.
fn looks_like_id(word: &str) -> bool {
    is_uuid(word) || is_gateway_id(word) || is_random(word)
}

fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn is_gateway_id(word: &str) -> bool {
    let body = word.strip_suffix('=').unwrap_or_default();
    (11..=31).contains(&body.len()) && body.chars().all(is_base64)
}

/// Returns true for text of letters and many digits without a separator, as generators write it.
fn is_random(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    let is_alphanumeric = digits + letters == word.len();
    is_alphanumeric && word.len() >= 20 && digits >= 3 && letters >= 3
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_764_527_583_000;

    fn received(frames: &[&str]) -> Vec<Value> {
        let mut normalizer = Normalizer::new(NOW);
        frames
            .iter()
            .map(|frame| normalizer.received(frame))
            .collect()
    }

    #[test]
    fn ids_and_times_of_the_server_become_placeholders() {
        let frames = received(&[
            r#"{"message":"Forbidden","connectionId":"L0SM9cOFvHcCIhw=","requestId":"L0SNAE"}"#,
            r#"{"id":"0b6f2a52-2d4e-4a3c-9a67-0f6d2f3b8c11","at":1764527583123,"n":3}"#,
            "L0SM9cOFvHcCIhw= joined at 2026-11-30T18:33:03Z.",
            r#"{"id":"0b6f2a52-2d4e-4a3c-9a67-0f6d2f3b8c11","seconds":1764527583}"#,
        ]);
        assert_eq!(
            frames,
            [
                json!({"message": "Forbidden", "connectionId": "<id-1>", "requestId": "<id-2>"}),
                json!({"id": "<id-3>", "at": "<time>", "n": 3}),
                json!("<id-1> joined at <time>."),
                json!({"id": "<id-3>", "seconds": "<time>"}),
            ]
        );
    }

    #[test]
    fn what_a_client_sends_stays_and_comes_back_as_it_is() {
        let mut normalizer = Normalizer::new(NOW);
        let text = r#"{"id":"0b6f2a52-2d4e-4a3c-9a67-0f6d2f3b8c11","at":1764527583123}"#;
        assert_eq!(normalizer.sent(text), frame_value(text));
        assert_eq!(normalizer.received(text), frame_value(text));
        // Another spelling is kept as text, because it is sent again byte for byte.
        assert_eq!(normalizer.sent("{ \"a\": 1 }"), json!("{ \"a\": 1 }"));
    }

    #[test]
    fn a_secret_is_replaced_in_any_spelling_of_a_message() {
        let sent = |text: &str| Normalizer::new(NOW).sent(text);
        assert_eq!(
            sent(r#"{"action":"login", "password": "hunter2"}"#),
            json!(r#"{"action":"login", "password": "<secret-1>"}"#)
        );
        assert_eq!(
            sent(r#"{"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl": 1}"#),
            json!(r#"{"<secret-1>": 1}"#)
        );
        // Where the text cannot be kept, the fields are.
        for text in [
            r#"{"password": "a b"}"#,
            r#"{"password":"hunt\u0065r 2"}"#,
            r#"{"password": "it is \"hunter2\""}"#,
            r#"{"password":"hunter1","password":"hunter2"}"#,
        ] {
            assert_eq!(sent(text), json!({"password": "<secret-1>"}), "{text}");
        }
    }

    #[test]
    fn secrets_in_keys_and_numbers_are_replaced() {
        const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
        let sent = |text: &str| Normalizer::new(NOW).sent(text);
        let received = |text: &str| {
            let mut normalizer = Normalizer::new(NOW);
            normalizer.secrets().add_token("hunter22", "<token>");
            normalizer.received(text)
        };
        assert_eq!(
            sent(&format!(r#"{{"{TOKEN}":1}}"#)),
            json!(r#"{"<secret-1>":1}"#)
        );
        assert_eq!(
            received(&format!(r#"[{{"{TOKEN}":1}}]"#)),
            json!(r#"[{"<token-1>":1}]"#)
        );
        assert_eq!(
            received(r#"{"of hunter22":{"a":1,"at":1764527583123}}"#),
            json!(r#"{"of <token>":{"a":1,"at":<time>}}"#)
        );
        // Where the text cannot be kept, the fields are.
        let spelled = TOKEN.replace('y', r"\u0079");
        let hidden = sent(&format!(r#"{{"{spelled}":1}}"#));
        assert_eq!(hidden, json!({"<secret-1>": 1}));
        assert_eq!(
            received(r#"{"hunt\u0065r22":1,"at":1764527583123}"#),
            json!({"<token>": 1, "at": "<time>"})
        );

        let mut normalizer = Normalizer::new(NOW);
        assert_eq!(
            normalizer.sent(r#"{"password":123456,"n":123456}"#),
            json!({"password": "<secret-1>", "n": "<secret-1>"})
        );
        assert_eq!(
            normalizer.received(r#"{"n":123456,"tokens":9999}"#),
            json!({"n": "<secret-1>", "tokens": 9999})
        );
        for text in [r#"{"tokens":12}"#, r#"{"max_tokens":4096}"#] {
            assert_eq!(sent(text).to_string(), text);
        }
    }

    #[test]
    fn a_key_is_kept_if_a_password_is_the_same_word() {
        for password in ["password", "password1", "pass"] {
            let mut normalizer = Normalizer::new(NOW);
            let login = json!({"password": password});
            for _ in 0..2 {
                assert_eq!(
                    normalizer.sent(&login.to_string()),
                    json!({"password": "<secret-1>"})
                );
            }
            let answer = json!({"password": "ok"});
            assert_eq!(normalizer.received(&answer.to_string()), answer);
        }
    }

    #[test]
    fn an_id_of_the_server_is_a_placeholder_when_the_client_sends_it_back() {
        let mut normalizer = Normalizer::new(NOW);
        normalizer.received(r#"{"connectionId":"abc="}"#);
        assert_eq!(normalizer.sent(r#"{"to":"abc="}"#), json!({"to": "<id-1>"}));
    }

    #[test]
    fn text_like_a_placeholder_is_escaped() {
        assert_eq!(received(&["<id-1>"]), [json!("<lt>id-1>")]);
    }

    #[test]
    fn merging_keeps_what_a_user_wrote() {
        let recorded = json!({"n": "<number>", "text": "a", "gone": 1});
        let frame = json!({"n": 5, "text": "b"});
        let merged = merged(&recorded, &frame, frame.clone(), &Bindings::default());
        assert_eq!(merged, json!({"n": "<number>", "text": "b"}));
    }
}
