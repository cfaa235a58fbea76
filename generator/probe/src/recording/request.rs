//! Handshakes and messages of a recording, with values in place of their placeholders.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use thiserror::Error;

use super::line::{RecordedOpen, query_texts};
use super::matching::Bindings;
use super::placeholder::{
    Placeholder, PlaceholderKind, TextSegment, placeholders, segments, whole,
};
use crate::secret::Secret;
use crate::target::{ProbeTarget, TargetError};

/// Token that is sent in place of one that was refused.
const INVALID_TOKEN: &str = "invalid";

/// Reason why a recorded handshake cannot be sent. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The token of the caller is not given.
    #[error("the token of the caller {0:?} is not given")]
    NoToken(String),
    /// A secret is not given.
    #[error("the value of <secret-{0}> is not given")]
    NoSecret(u32),
    /// The handshake is not valid.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl RecordedOpen {
    /// Returns true if the handshake or the messages need the caller's token.
    pub fn needs_token(&self) -> bool {
        let mut texts = self.texts();
        self.caller.is_some()
            || texts.any(|text| placeholders(text).any(|it| it.kind == PlaceholderKind::Token))
    }

    /// Returns the numbers of the secrets that the handshake needs.
    pub fn secrets(&self) -> Vec<u32> {
        let all = self.texts().flat_map(placeholders);
        let secrets = all.filter(|it| it.kind == PlaceholderKind::Secret);
        secrets.filter_map(|it| it.number).collect()
    }

    /// Adds the recorded query parameters, headers and subprotocols to a target.
    ///
    /// # Errors
    ///
    /// If a token or a secret is not given, or a value is not valid in a handshake.
    pub fn request(
        &self,
        mut target: ProbeTarget,
        token: Option<&Secret>,
        secrets: &BTreeMap<u32, Secret>,
    ) -> Result<ProbeTarget, RequestError> {
        if let Some(stage) = &self.stage {
            target = target.stage(stage);
        }
        for secret in token.into_iter().chain(secrets.values()) {
            target = target.secret(secret);
        }
        let fill = |text: &str| self.fill(text, token, secrets);
        for (name, value) in &self.query {
            for text in query_texts(value) {
                target = target.query(&fill(name)?, &fill(text)?);
            }
        }
        for (name, value) in &self.headers {
            target = target.header(name, &fill(value)?)?;
        }
        for name in &self.subprotocols {
            target = target.subprotocol(&fill(name)?)?;
        }
        Ok(target)
    }

    fn fill(
        &self,
        text: &str,
        token: Option<&Secret>,
        secrets: &BTreeMap<u32, Secret>,
    ) -> Result<String, RequestError> {
        let mut filled = String::new();
        for segment in segments(text) {
            let placeholder = match segment {
                TextSegment::Literal(text) => {
                    filled.push_str(text);
                    continue;
                }
                TextSegment::Placeholder(placeholder) => placeholder,
            };
            let value = match (placeholder.kind, placeholder.number) {
                (PlaceholderKind::Token, None) => {
                    let caller = self.caller.as_deref().unwrap_or("caller");
                    let token = token.ok_or_else(|| RequestError::NoToken(caller.to_owned()))?;
                    token.expose().to_owned()
                }
                (PlaceholderKind::Secret, Some(number)) => {
                    let secret = secrets.get(&number).ok_or(RequestError::NoSecret(number))?;
                    secret.expose().to_owned()
                }
                (PlaceholderKind::InvalidToken, _) => INVALID_TOKEN.to_owned(),
                (PlaceholderKind::LessThan, _) => "<".to_owned(),
                _ => new_value(placeholder)
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            };
            filled.push_str(&value);
        }
        Ok(filled)
    }
}

impl Bindings {
    /// Returns the text of a recorded message, with values in place of placeholders. An ID that is not known yet is a new one.
    pub(crate) fn fill(&mut self, message: &Value) -> String {
        match message {
            Value::String(text) => self.fill_text(text),
            message => {
                let mut filled = message.clone();
                self.fill_value(&mut filled);
                filled.to_string()
            }
        }
    }

    fn fill_value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                *value = match whole(text) {
                    Some(placeholder) => self.value(placeholder),
                    None => Value::from(self.fill_text(text)),
                };
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.fill_value(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.fill_value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn fill_text(&mut self, text: &str) -> String {
        let mut filled = String::new();
        for segment in segments(text) {
            match segment {
                TextSegment::Literal(text) => filled.push_str(text),
                TextSegment::Placeholder(placeholder) => match self.value(placeholder) {
                    Value::String(text) => filled.push_str(&text),
                    other => filled.push_str(&other.to_string()),
                },
            }
        }
        filled
    }

    fn value(&mut self, placeholder: Placeholder) -> Value {
        if let Some(known) = self.get(placeholder) {
            return known.clone();
        }
        let value = new_value(placeholder);
        if placeholder.number.is_some() {
            self.set(placeholder, value.clone());
        }
        value
    }
}

fn new_value(placeholder: Placeholder) -> Value {
    match placeholder.kind {
        PlaceholderKind::Time => Value::from(now_millis()),
        PlaceholderKind::LessThan => Value::from("<"),
        PlaceholderKind::InvalidToken => Value::from(INVALID_TOKEN),
        _ => Value::from(new_id()),
    }
}

/// Returns the time in milliseconds since 1970.
pub fn now_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// Returns a new UUID. Every `RandomState` has keys of its own.
fn new_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn open(value: Value) -> RecordedOpen {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_handshake_is_sent_with_the_caller_s_token() {
        let recorded = open(json!({
            "caller": "ada",
            "query": {"token": "<token>", "room": ["a b", "c"], "<secret-2>": ""},
            "headers": {"X-Api-Key": "<secret-1>"},
            "status": 101,
        }));
        assert!(recorded.needs_token());
        assert_eq!(recorded.secrets(), [2, 1]);
        let base = || ProbeTarget::new("ws://h/prod").unwrap();
        let none = BTreeMap::new();
        let token = Secret::new("t0ken");
        assert_eq!(
            recorded.request(base(), None, &none).unwrap_err(),
            RequestError::NoToken("ada".to_owned())
        );
        assert_eq!(
            recorded.request(base(), Some(&token), &none).unwrap_err(),
            RequestError::NoSecret(2)
        );
        let secrets = BTreeMap::from([
            (1, Secret::new("k3y-of-mine")),
            (2, Secret::new("the-query")),
        ]);
        let target = recorded.request(base(), Some(&token), &secrets).unwrap();
        let request = target.handshake_request("KEY");
        assert!(
            request.starts_with("GET /prod?token=t0ken&room=a%20b&room=c&the-query= HTTP"),
            "{request}"
        );
        assert!(
            request.contains("\r\nX-Api-Key: k3y-of-mine\r\n"),
            "{request}"
        );
        assert!(!format!("{target:?}").contains("t0ken"));
    }

    #[test]
    fn a_refused_token_is_replaced_by_an_invalid_one() {
        let recorded = open(json!({"query": {"token": "<invalid-token>"}, "status": 401}));
        assert!(!recorded.needs_token());
        let base = ProbeTarget::new("ws://h/prod").unwrap();
        let target = recorded.request(base, None, &BTreeMap::new()).unwrap();
        assert!(target.handshake_request("KEY").contains("token=invalid"));
    }

    #[test]
    fn messages_are_sent_with_the_values_of_this_run() {
        let mut known = Bindings::default();
        assert!(known.matches(&json!(["<id-1>"]), &json!(["abc="])));
        assert_eq!(
            known.fill(&json!({"to": "<id-1>", "n": 1})),
            r#"{"to":"abc=","n":1}"#
        );
        assert_eq!(known.fill(&json!("to <id-1> <lt>id-1>")), "to abc= <id-1>");
        // An ID of the client is new, and the same from then on.
        let new = known.fill(&json!("<id-2>"));
        assert_eq!(new.len(), 36, "{new}");
        assert_eq!(known.fill(&json!("<id-2>")), new);
        assert!(
            known
                .fill(&json!({"at": "<time>"}))
                .parse::<Value>()
                .unwrap()["at"]
                .is_u64()
        );
    }
}
