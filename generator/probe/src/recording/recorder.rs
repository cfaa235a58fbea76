//! Writes a recording while clients are observed.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use indexmap::IndexMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::line::{RecordedAction, RecordedClose, RecordedLine, RecordedOpen};
use super::normalize::Normalizer;
use super::placeholder::escape_literal;
use super::secrets::{is_secret_name, is_token};
use crate::secret::{looks_like_token, looks_secret};
use crate::target::ProbeTarget;

/// Headers that every client sends, or that depend on the machine.
const USUAL_HEADERS: [&str; 11] = [
    "cache-control",
    "connection",
    "content-length",
    "dnt",
    "host",
    "keep-alive",
    "pragma",
    "priority",
    "te",
    "upgrade",
    "user-agent",
];

/// Beginnings of the names of such headers.
const USUAL_PREFIXES: [&str; 4] = ["accept", "sec-", "x-amz", "x-forwarded-"];

/// A handshake as a client sent it. Its values may be secrets.
#[derive(Clone, Default)]
pub struct ObservedRequest {
    /// Name of the API, if there are several.
    pub api: Option<String>,
    /// Stage, if it is not the only one.
    pub stage: Option<String>,
    /// Decoded query parameters.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// True if the values of headers must not be shown, whatever they look like.
    pub has_private_headers: bool,
    /// Offered subprotocols.
    pub subprotocols: Vec<String>,
    /// Token, if it is known; otherwise it is searched for.
    pub token: Option<String>,
    /// Name of the caller, if it is known.
    pub caller: Option<String>,
}

impl ObservedRequest {
    /// Returns what a handshake with a target sends, secrets included.
    pub(crate) fn of_target(target: &ProbeTarget) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let query = target.query.iter().map(|(name, value)| {
            let value = value.as_deref().unwrap_or_default();
            (decoded(name), decoded(value))
        });
        ObservedRequest {
            query: query.collect(),
            headers: target.headers.clone(),
            has_private_headers: true,
            subprotocols: target.subprotocols.clone(),
            token: target.tokens.first().map(|token| token.expose().to_owned()),
            ..ObservedRequest::default()
        }
    }
}

/// Writer of a recording. Connections get numbers in the order in which they are opened.
pub struct Recorder {
    normalizer: Normalizer,
    /// Number of the last connection.
    last: u32,
    /// Names of callers by their tokens.
    callers: HashMap<String, String>,
}

impl Recorder {
    /// Creates a recorder that starts at this time, in milliseconds since 1970.
    pub fn new(now_millis: u64) -> Self {
        Recorder {
            normalizer: Normalizer::new(now_millis),
            last: 0,
            callers: HashMap::new(),
        }
    }

    /// Declares an ID that frames may contain, such as the connection ID.
    pub fn declare_id(&mut self, id: &str) {
        self.normalizer.declare_id(id);
    }

    /// Records a handshake with its answer.
    pub fn open(
        &mut self,
        at: Duration,
        request: ObservedRequest,
        status: u16,
        subprotocol: Option<String>,
    ) -> RecordedLine {
        self.last += 1;
        let token = request.token.clone().or_else(|| find_token(&request));
        let mut open = RecordedOpen {
            status,
            subprotocol,
            ..RecordedOpen::default()
        };
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            let is_invalid = self.is_invalid(&token, status);
            let placeholder = if is_invalid {
                "<invalid-token>"
            } else {
                "<token>"
            };
            self.normalizer.secrets().add_token(&token, placeholder);
            if !is_invalid {
                open.caller = Some(self.caller(&token, request.caller.as_deref()));
            }
        }
        open.api = request.api;
        open.stage = request.stage;
        for (name, value) in request.query {
            // A token may be the whole query: `?eyJ…`.
            let is_token = looks_like_token(&name);
            let recorded = match is_token || value.is_empty() {
                true => self.value(&name, is_token),
                false => escape_literal(&name),
            };
            let value = self.value(&value, looks_secret(&name, &value));
            add_parameter(&mut open.query, recorded, value);
        }
        let headers = request.headers.into_iter();
        for (name, value) in headers.filter(|(name, _)| !is_usual(name)) {
            let is_public = name.eq_ignore_ascii_case("origin");
            let is_secret = request.has_private_headers || looks_secret(&name, &value);
            let value = self.header(&value, is_secret && !is_public);
            open.headers.insert(name, value);
        }
        let chosen = open.subprotocol.take();
        for (position, name) in request.subprotocols.iter().enumerate() {
            // Clients send a token of any form after the name of a protocol.
            let may_be_token = position > 0 && chosen.as_ref() != Some(name);
            let is_secret = may_be_token || looks_like_token(name);
            let name = self.value(name, is_secret);
            open.subprotocols.push(name);
        }
        open.subprotocol = chosen.map(|name| self.value(&name, false));
        self.line(at, self.last, RecordedAction::Open(open))
    }

    /// Records a message of the client.
    pub fn sent(&mut self, at: Duration, connection: u32, text: &str) -> RecordedLine {
        let value = self.normalizer.sent(text);
        self.line(at, connection, RecordedAction::Send(value))
    }

    /// Records a binary message of the client.
    pub fn sent_binary(&self, at: Duration, connection: u32, bytes: usize) -> RecordedLine {
        self.line(at, connection, RecordedAction::SendBinary(bytes))
    }

    /// Records a message of the server.
    pub fn received(&mut self, at: Duration, connection: u32, text: &str) -> RecordedLine {
        let value = self.normalizer.received(text);
        self.line(at, connection, RecordedAction::Receive(value))
    }

    /// Records a binary message of the server.
    pub fn received_binary(&self, at: Duration, connection: u32, bytes: usize) -> RecordedLine {
        self.line(at, connection, RecordedAction::ReceiveBinary(bytes))
    }

    /// Records the end of a connection.
    pub fn closed(&mut self, at: Duration, connection: u32, close: RecordedClose) -> RecordedLine {
        let reason = self.value(&close.reason, false);
        let close = RecordedClose { reason, ..close };
        self.line(at, connection, RecordedAction::Close(close))
    }

    fn line(&self, at: Duration, connection: u32, action: RecordedAction) -> RecordedLine {
        RecordedLine {
            at: (at.as_secs_f64() * 10.0).round() / 10.0,
            connection,
            action,
        }
    }

    /// Returns a value of a handshake: known secrets are replaced, and others if it is one.
    fn value(&mut self, value: &str, is_secret: bool) -> String {
        let secrets = self.normalizer.secrets();
        if let Some(known) = secrets.of_field(None, value, true) {
            return known;
        }
        if is_secret && !value.is_empty() {
            return secrets.placeholder(value);
        }
        self.normalizer.remember(value);
        match self.normalizer.sent(value) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Returns the value of a header, in which a token may follow a scheme such as `Bearer`.
    fn header(&mut self, value: &str, is_secret: bool) -> String {
        match value.split_once(' ') {
            Some((scheme, credentials)) if is_secret => {
                let known = self.normalizer.secrets().of_field(None, credentials, true);
                match known {
                    Some(known) => format!("{scheme} {known}"),
                    None => self.value(value, true),
                }
            }
            _ => self.value(value, is_secret),
        }
    }

    /// Returns true if a token was refused as such. A caller with a valid token may be denied with 403.
    fn is_invalid(&self, token: &str, status: u16) -> bool {
        let is_of_caller = || self.callers.contains_key(token) || subject(token).is_some();
        match status {
            401 => true,
            403 => !is_of_caller(),
            _ => false,
        }
    }

    fn caller(&mut self, token: &str, name: Option<&str>) -> String {
        if let Some(known) = self.callers.get(token) {
            return known.clone();
        }
        let name = name.map(str::to_owned).or_else(|| subject(token));
        let name = name.unwrap_or_else(|| match self.callers.len() {
            0 => "caller".to_owned(),
            others => format!("caller-{}", others + 1),
        });
        self.callers.insert(token.to_owned(), name.clone());
        name
    }
}

/// Finds the token of a handshake: in `Authorization`, a query parameter, or a subprotocol.
fn find_token(request: &ObservedRequest) -> Option<String> {
    let authorization = request.headers.iter().find_map(|(name, value)| {
        let is_authorization = name.eq_ignore_ascii_case("authorization");
        let credentials = value
            .split_once(' ')
            .map_or(value.as_str(), |(_, rest)| rest);
        is_authorization.then(|| credentials.trim().to_owned())
    });
    let query = || {
        let mut query = request.query.iter();
        let found = query.find(|(name, value)| is_secret_name(name) || is_token(value));
        found.map(|(_, value)| value.clone())
    };
    let subprotocol = || {
        let protocols = &request.subprotocols;
        let after_bearer = protocols
            .windows(2)
            .find(|pair| pair[0].eq_ignore_ascii_case("bearer"))
            .map(|pair| pair[1].clone());
        after_bearer.or_else(|| protocols.iter().find(|name| is_token(name)).cloned())
    };
    let header = || {
        let mut headers = request.headers.iter();
        let found = headers.find(|(_, value)| is_token(value));
        found.map(|(_, value)| value.clone())
    };
    authorization
        .or_else(query)
        .or_else(subprotocol)
        .or_else(header)
}

/// Returns the `sub` claim of a token, unverified.
fn subject(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}

fn add_parameter(query: &mut IndexMap<String, Value>, name: String, value: String) {
    match query.get_mut(&name) {
        None => {
            query.insert(name, Value::from(value));
        }
        Some(Value::Array(values)) => values.push(Value::from(value)),
        Some(first) => *first = Value::Array(vec![first.take(), Value::from(value)]),
    }
}

fn is_usual(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    USUAL_HEADERS.contains(&name.as_str())
        || USUAL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::line::CloseSide;
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_connection_is_recorded_without_its_secrets() {
        let mut recorder = Recorder::new(1_764_527_583_000);
        let request = ObservedRequest {
            query: pairs(&[("token", TOKEN), ("room", "a b"), ("room", "c")]),
            headers: pairs(&[
                ("Origin", "https://a"),
                ("X-Api-Key", "k3y-of-mine"),
                ("Host", "h"),
            ]),
            ..ObservedRequest::default()
        };
        let at = Duration::from_millis;
        recorder.declare_id("L0SM9cOFvHcCIhw=");
        let lines = [
            recorder.open(at(0), request.clone(), 101, None),
            recorder.sent(
                at(40),
                1,
                &format!(r#"{{"token":"{TOKEN}","key":"k3y-of-mine"}}"#),
            ),
            recorder.received(at(60), 1, &format!("{TOKEN} on L0SM9cOFvHcCIhw=")),
            recorder.closed(
                at(1234),
                1,
                RecordedClose {
                    by: CloseSide::Server,
                    code: 1001,
                    reason: "Going away".to_owned(),
                },
            ),
            recorder.open(at(1250), request, 403, None),
        ];
        let text = lines.map(|line| line.to_text()).join("\n");
        assert!(!text.contains("eyJ") && !text.contains("k3y"), "{text}");
        assert_snapshot!(text, @r#"
        {"at":0.0,"connection":1,"open":{"caller":"ada","query":{"token":"<token>","room":["a b","c"]},"headers":{"Origin":"https://a","X-Api-Key":"<secret-1>"},"status":101}}
        {"at":0.0,"connection":1,"send":{"token":"<token>","key":"<secret-1>"}}
        {"at":0.1,"connection":1,"receive":"<token> on <id-1>"}
        {"at":1.2,"connection":1,"close":{"by":"server","code":1001,"reason":"Going away"}}
        {"at":1.3,"connection":2,"open":{"caller":"ada","query":{"token":"<token>","room":["a b","c"]},"headers":{"Origin":"https://a","X-Api-Key":"<secret-1>"},"status":403}}
        "#);
    }

    #[test]
    fn a_token_is_invalid_if_it_is_refused_and_names_no_caller() {
        let mut recorder = Recorder::new(0);
        let mut open = |token: &str, status| {
            let request = ObservedRequest {
                query: pairs(&[("token", token)]),
                ..ObservedRequest::default()
            };
            let line = recorder.open(Duration::ZERO, request, status, None);
            line.to_text()
        };
        let texts = [
            open(TOKEN, 403),
            open(TOKEN, 401),
            open("opaque", 403),
            open("opaque", 101),
            open("opaque", 403),
        ];
        assert_snapshot!(texts.join("\n"), @r#"
        {"at":0.0,"connection":1,"open":{"caller":"ada","query":{"token":"<token>"},"status":403}}
        {"at":0.0,"connection":2,"open":{"query":{"token":"<invalid-token>"},"status":401}}
        {"at":0.0,"connection":3,"open":{"query":{"token":"<invalid-token>"},"status":403}}
        {"at":0.0,"connection":4,"open":{"caller":"caller-2","query":{"token":"<token>"},"status":101}}
        {"at":0.0,"connection":5,"open":{"caller":"caller-2","query":{"token":"<token>"},"status":403}}
        "#);
    }

    #[test]
    fn a_token_is_found_wherever_clients_send_it() {
        let open = |request: ObservedRequest| {
            let line = Recorder::new(0).open(Duration::ZERO, request, 101, None);
            line.to_text()
        };
        let texts = [
            open(ObservedRequest {
                headers: pairs(&[("Authorization", "Bearer opaque-1")]),
                ..ObservedRequest::default()
            }),
            open(ObservedRequest {
                subprotocols: vec!["bearer".to_owned(), TOKEN.to_owned()],
                ..ObservedRequest::default()
            }),
            open(ObservedRequest {
                headers: pairs(&[("X-Tenant", "t1")]),
                has_private_headers: true,
                ..ObservedRequest::default()
            }),
        ];
        assert_snapshot!(texts.join("\n"), @r#"
        {"at":0.0,"connection":1,"open":{"caller":"caller","headers":{"Authorization":"Bearer <token>"},"status":101}}
        {"at":0.0,"connection":1,"open":{"caller":"ada","subprotocols":["bearer","<token>"],"status":101}}
        {"at":0.0,"connection":1,"open":{"headers":{"X-Tenant":"<secret-1>"},"status":101}}
        "#);
    }

    #[test]
    fn a_token_is_replaced_where_a_query_has_no_name() {
        let request = ObservedRequest {
            query: pairs(&[(TOKEN, ""), (TOKEN, "1"), ("opaque-1", ""), ("<id>", "a")]),
            token: Some("opaque-1".to_owned()),
            ..ObservedRequest::default()
        };
        let line = Recorder::new(0).open(Duration::ZERO, request, 101, None);
        assert_snapshot!(line.to_text(), @r#"{"at":0.0,"connection":1,"open":{"caller":"caller","query":{"<secret-1>":["","1"],"<token>":"","<lt>id>":"a"},"status":101}}"#);
    }

    #[test]
    fn subprotocols_are_recorded_unless_they_may_be_tokens() {
        let open = |offered: &[&str], chosen: Option<&str>| {
            let request = ObservedRequest {
                subprotocols: offered.iter().map(|name| (*name).to_owned()).collect(),
                ..ObservedRequest::default()
            };
            let chosen = chosen.map(str::to_owned);
            let line = Recorder::new(0).open(Duration::ZERO, request, 101, chosen);
            line.to_text()
        };
        let texts = [
            open(&["auth", "opaque"], None),
            open(&["auth", "opaque"], Some("auth")),
            open(&["chat.v1", "chat.v2"], Some("chat.v2")),
            open(&["a0b1c2d3e4f5a0b1c2d3e4f5"], None),
        ];
        assert_snapshot!(texts.join("\n"), @r#"
        {"at":0.0,"connection":1,"open":{"subprotocols":["auth","<secret-1>"],"status":101}}
        {"at":0.0,"connection":1,"open":{"subprotocols":["auth","<secret-1>"],"status":101,"subprotocol":"auth"}}
        {"at":0.0,"connection":1,"open":{"subprotocols":["chat.v1","chat.v2"],"status":101,"subprotocol":"chat.v2"}}
        {"at":0.0,"connection":1,"open":{"subprotocols":["<secret-1>"],"status":101}}
        "#);
    }

    #[test]
    fn headers_of_an_application_are_recorded() {
        let request = ObservedRequest {
            headers: pairs(&[
                ("TE", "trailers"),
                ("Team", "blue"),
                ("Tenant-Id", "t1"),
                ("Accept-Language", "en"),
            ]),
            ..ObservedRequest::default()
        };
        let line = Recorder::new(0).open(Duration::ZERO, request, 101, None);
        assert_snapshot!(line.to_text(), @r#"{"at":0.0,"connection":1,"open":{"headers":{"Team":"blue","Tenant-Id":"t1"},"status":101}}"#);
    }
}
