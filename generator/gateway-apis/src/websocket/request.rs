//! Request of a handshake.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use stackgen_gateway_common::{
    ApiId, AuthorizerCall, ClientHandshake, EpochMillis, HandshakeDetails, StageName,
    trace_id_or_new,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::payloads::MultiValues;
use super::refusal::WebSocketRefusal;
use crate::apis::ServedStage;
use crate::server::{FOREIGN_HOST, RequestHead, is_loopback};

/// An upgrade request.
pub(super) struct HandshakeRequest {
    head: RequestHead,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    /// `http` or `https`.
    scheme: Scheme,
    /// Trace ID (`Root=…`).
    pub(super) trace_id: String,
    /// Call of the authorizer, for events.
    pub(super) authorizer_call: OnceLock<AuthorizerCall>,
}

impl HandshakeRequest {
    pub(super) fn new(
        head: RequestHead,
        peer: SocketAddr,
        local: SocketAddr,
        scheme: Scheme,
    ) -> Self {
        let trace_id = trace_id_or_new(head.header("x-amzn-trace-id"), EpochMillis::now());
        HandshakeRequest {
            head,
            peer,
            local,
            scheme,
            trace_id,
            authorizer_call: OnceLock::new(),
        }
    }

    /// Returns what events show of the request, the deployment that it met, and the call of its authorizer.
    pub(super) fn into_details(self, served: Option<&ServedStage>) -> HandshakeDetails {
        let (path, _) = split_query(&self.head.target);
        HandshakeDetails {
            deployment: served.and_then(|served| served.stage.deployment_id.clone()),
            path: path.to_owned(),
            query: self.pairs().collect(),
            headers: self.head.headers.iter().cloned().collect(),
            source_ip: self.peer.ip().to_string(),
            authorizer: self.authorizer_call.into_inner(),
            ..HandshakeDetails::default()
        }
    }

    /// Returns the query parameters and headers as the client sent them, for a recorder.
    pub(super) fn observed(&self, api: &ApiId) -> Box<ClientHandshake> {
        let query = self.pairs();
        Box::new(ClientHandshake {
            api: api.clone(),
            stage: StageName::new(self.stage().0),
            query: query
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            headers: self.head.headers.clone(),
            status: 101,
            subprotocol: None,
        })
    }

    /// Returns true if the client named the API's host on AWS, its default endpoint (row D22).
    pub(super) fn names_default_endpoint(&self) -> bool {
        self.head.names_default_endpoint
    }

    /// Returns the stage name in the path, and true if the path continues after it.
    pub(super) fn stage(&self) -> (&str, bool) {
        let (path, _) = split_query(&self.head.target);
        let path = path.strip_prefix('/').unwrap_or(path);
        match path.split_once('/') {
            Some((stage, rest)) => (stage, !rest.is_empty()),
            None => (path, false),
        }
    }

    /// Returns the value of `Sec-WebSocket-Accept`.
    ///
    /// # Errors
    ///
    /// If the request is not a handshake as RFC 6455 defines it.
    pub(super) fn accept_key(&self) -> Result<String, WebSocketRefusal> {
        let refusal =
            |what: &str| WebSocketRefusal::bad_request(format!("Bad handshake: {what}"), "C1");
        if self.head.method != "GET" {
            return Err(refusal("the method is not GET"));
        }
        for name in ["Host", "Sec-WebSocket-Version", "Sec-WebSocket-Key"] {
            if self.head.values(name).nth(1).is_some() {
                return Err(refusal(&format!("{name} occurs more than once")));
            }
        }
        match self.header("host") {
            None => return Err(refusal("Host is missing")),
            Some(host) if !is_loopback(host) => {
                return Err(WebSocketRefusal::forbidden(FOREIGN_HOST, "C1"));
            }
            Some(_) => {}
        }
        if self.has_body() {
            return Err(refusal("the request has a body"));
        }
        if self.header("sec-websocket-version") != Some("13") {
            return Err(WebSocketRefusal::unsupported_version());
        }
        let key = self.header("sec-websocket-key");
        let key = key.filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16));
        match key {
            Some(key) => Ok(derive_accept_key(key.as_bytes())),
            None => Err(refusal("Sec-WebSocket-Key is not 16 bytes in base64")),
        }
    }

    /// Returns true if the request has a body. Only frames may follow a handshake.
    fn has_body(&self) -> bool {
        self.head.values("transfer-encoding").next().is_some()
            || self.head.values("content-length").any(|it| it != "0")
    }

    /// Returns the first value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// Returns the last value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let named = self.pairs().filter(|(key, _)| key == name);
        named.last().map(|(_, value)| value)
    }

    /// Returns all values of a query parameter.
    pub(super) fn parameter_values(&self, name: &str) -> Vec<String> {
        let named = self.pairs().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.into_owned()).collect()
    }

    /// Returns all values of a header.
    pub(super) fn header_values(&self, name: &str) -> Vec<String> {
        self.head.values(name).map(str::to_owned).collect()
    }

    /// Returns the headers of the event of `$connect` for an HTTP endpoint. Names and values that HTTP does not allow are
    /// left out.
    pub(super) fn forwarded_headers(&self) -> HeaderMap {
        let headers = self.headers(false);
        let pairs = headers.pairs().filter_map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::try_from(value).ok()?))
        });
        pairs.fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    }

    /// Returns all query parameters.
    pub(super) fn query(&self) -> MultiValues<'_> {
        MultiValues::collect(self.pairs(), false)
    }

    /// Returns the query as sent.
    pub(super) fn raw_query(&self) -> &str {
        split_query(&self.head.target).1
    }

    fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let pairs = self.raw_query().split('&').filter(|it| !it.is_empty());
        pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
    }

    /// Returns the client's headers in their own case and in alphabetical order, with those that API Gateway adds (row E1). The event of an
    /// authorizer also contains the headers of the upgrade (row E4).
    pub(super) fn headers(&self, of_upgrade: bool) -> MultiValues<'_> {
        let client_headers = self.head.headers.iter().filter(|(name, _)| {
            let replaced = [
                "connection",
                "upgrade",
                "content-length",
                "x-amzn-trace-id",
                "x-forwarded-for",
                "x-forwarded-port",
                "x-forwarded-proto",
            ];
            let is = |names: &[&str]| names.iter().any(|it| name.eq_ignore_ascii_case(it));
            !is(&replaced)
        });
        let client_headers =
            client_headers.map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        let forwarded_for = match self.header("x-forwarded-for") {
            Some(before) => format!("{before}, {}", self.peer.ip()),
            None => self.peer.ip().to_string(),
        };
        let added: [(Cow<'_, str>, Cow<'_, str>); 4] = [
            ("X-Amzn-Trace-Id".into(), self.trace_id.as_str().into()),
            ("X-Forwarded-For".into(), forwarded_for.into()),
            (
                "X-Forwarded-Port".into(),
                self.local.port().to_string().into(),
            ),
            ("X-Forwarded-Proto".into(), self.scheme.as_str().into()),
        ];
        // API Gateway writes these anew: a browser's `Connection` is `keep-alive, Upgrade`.
        let upgrade = [
            ("Connection".into(), "upgrade".into()),
            ("Upgrade".into(), "websocket".into()),
            ("content-length".into(), "0".into()),
        ];
        let upgrade = upgrade.into_iter().filter(|_| of_upgrade);
        let mut headers: Vec<_> = client_headers.chain(upgrade).chain(added).collect();
        headers.sort_by_key(|(name, _)| name.to_ascii_lowercase());
        MultiValues::collect(headers, true)
    }
}

fn split_query(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
            .into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}
