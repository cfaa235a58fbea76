//! Where to connect, and as whom.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::ClientConfig;
use thiserror::Error;

use crate::secret::{HIDDEN, Secret, Secrets, looks_like_a_token, looks_secret, parts};

/// What a URL's query shows as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What the handshake itself writes.
const OURS: [&str; 9] = [
    "connection",
    "content-length",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

/// Headers that tell nobody's secret.
const HARMLESS: [&str; 5] = [
    "accept-language",
    "cache-control",
    "host",
    "origin",
    "user-agent",
];

/// Where to connect, and what to bring along. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Target {
    pub(crate) secure: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The authority as the URL has it.
    authority: String,
    path: String,
    query: Vec<(String, Option<String>)>,
    /// In the order given, names as given.
    headers: Vec<(String, String)>,
    subprotocols: Vec<String>,
    explicit: Vec<Secret>,
    secrets: Secrets,
    /// How long each step of connecting may take.
    pub timeout: Duration,
    /// What judges certificates; the machine's own roots when left out.
    pub tls: Option<Arc<ClientConfig>>,
}

/// How a token travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenIn {
    /// As a query parameter of that name.
    Query(String),
    /// As a header of that name. `Authorization` carries it behind `Bearer `.
    Header(String),
    /// As a subprotocol behind the subprotocol `bearer`, as browsers can send it.
    Subprotocol,
}

/// Why a target cannot be used. None of them repeats what was given: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The URL cannot be read.
    #[error("the URL cannot be read: {0}")]
    Url(String),
    /// It is of another scheme.
    #[error("{0}:// is not a WebSocket URL; it has to begin with wss:// or ws://")]
    Scheme(String),
    /// `user:password@` stands in it.
    #[error("the URL holds a user name or a password; send them as a header instead")]
    UserInfo,
    /// A header's name or value has characters that no header may have.
    #[error("the header {0:?} cannot be sent: {1}")]
    Header(String, &'static str),
    /// A subprotocol has characters that no subprotocol may have, or is there twice.
    #[error("the subprotocol at place {place} cannot be offered: {reason}")]
    Subprotocol {
        /// Counted from 1.
        place: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Target {
    /// Reads a `wss://` or `ws://` URL; `https://` and `http://` are taken for them.
    ///
    /// # Errors
    ///
    /// If the URL is none of them, or holds a password.
    pub fn new(url: &str) -> Result<Self, TargetError> {
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|error: http::uri::InvalidUri| TargetError::Url(error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("wss" | "https") => true,
            Some("ws" | "http") => false,
            Some(other) => return Err(TargetError::Scheme(other.to_owned())),
            None => return Err(TargetError::Url("it does not begin with wss://".to_owned())),
        };
        let authority = uri
            .authority()
            .ok_or(TargetError::Url("it names no host".to_owned()))?;
        if authority.as_str().contains('@') {
            return Err(TargetError::UserInfo);
        }
        let default_port = if secure { 443 } else { 80 };
        let mut target = Target {
            secure,
            // An IPv6 address stands in brackets, and is resolved without them.
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            authority: authority.as_str().to_owned(),
            path: match uri.path() {
                "" => "/".to_owned(),
                path => path.to_owned(),
            },
            query: uri.query().map(pairs).unwrap_or_default(),
            headers: Vec::new(),
            subprotocols: Vec::new(),
            explicit: Vec::new(),
            secrets: Secrets::default(),
            timeout: Duration::from_secs(30),
            tls: None,
        };
        target.learn();
        Ok(target)
    }

    /// Adds a query parameter, which it encodes.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((encoded(name), Some(encoded(value))));
        self.learn();
        self
    }

    /// Adds a header. `Host` and `User-Agent` take the place of the usual ones.
    ///
    /// # Errors
    ///
    /// If a header cannot look like that, or is the handshake's own.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, TargetError> {
        let refused = |reason| TargetError::Header(name.escape_debug().to_string(), reason);
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(refused("no header is named so"));
        }
        if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
            return Err(refused("the handshake writes it itself"));
        }
        if HeaderValue::from_str(value).is_err() {
            return Err(refused("its value has characters that no header may have"));
        }
        self.headers
            .push((name.to_owned(), value.trim().to_owned()));
        self.learn();
        Ok(self)
    }

    /// Offers a subprotocol.
    ///
    /// # Errors
    ///
    /// If a subprotocol cannot look like that, or it is offered already.
    pub fn subprotocol(mut self, name: &str) -> Result<Self, TargetError> {
        let place = self.subprotocols.len() + 1;
        let refused = |reason| TargetError::Subprotocol { place, reason };
        // What a subprotocol may be is what a header's name may be: RFC 9110's token.
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(refused("it has characters that none may have"));
        }
        if self.subprotocols.iter().any(|offered| offered == name) {
            return Err(refused("it is offered twice"));
        }
        self.subprotocols.push(name.to_owned());
        self.learn();
        Ok(self)
    }

    /// Brings a token along.
    ///
    /// # Errors
    ///
    /// If it cannot travel so.
    pub fn token(mut self, token: &Secret, travels: &TokenIn) -> Result<Self, TargetError> {
        self.explicit.push(token.clone());
        match travels {
            TokenIn::Query(name) => Ok(self.query(name, token.expose())),
            TokenIn::Header(name) if name.eq_ignore_ascii_case("authorization") => {
                self.header(name, &format!("Bearer {}", token.expose()))
            }
            TokenIn::Header(name) => self.header(name, token.expose()),
            TokenIn::Subprotocol => self.subprotocol("bearer")?.subprotocol(token.expose()),
        }
    }

    /// The URL as people may see it.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        let path = self.secrets.hide(&self.path);
        let mut url = format!("{scheme}://{}{path}", self.authority);
        for (index, (name, value)) in self.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&self.secrets.hide(name));
            if let Some(value) = value {
                let shown = match looks_secret(name, value) {
                    true => HIDDEN.to_owned(),
                    false => self.secrets.hide(value),
                };
                url.push('=');
                url.push_str(&shown);
            }
        }
        url
    }

    /// The host that is connected to.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The subprotocols that are offered, as people may see them.
    pub fn offered(&self) -> Vec<String> {
        let shown = |name: &String| match looks_like_a_token(name) {
            true => HIDDEN.to_owned(),
            false => self.secrets.hide(name),
        };
        self.subprotocols.iter().map(shown).collect()
    }

    /// The names of the headers that are brought along.
    pub fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// What must not be shown.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The request of a handshake.
    pub(crate) fn request(&self, key: &str) -> String {
        let mut lines = vec![
            ("Connection", "Upgrade".to_owned()),
            ("Upgrade", "websocket".to_owned()),
            ("Sec-WebSocket-Version", "13".to_owned()),
            ("Sec-WebSocket-Key", key.to_owned()),
        ];
        if !self.subprotocols.is_empty() {
            lines.push(("Sec-WebSocket-Protocol", self.subprotocols.join(", ")));
        }
        self.head("GET", &lines)
    }

    /// A request without a body that is no handshake. The server closes the connection after its answer.
    pub(crate) fn plain_request(&self, method: &str) -> String {
        let mut lines = vec![("Connection", "close".to_owned())];
        if !matches!(method, "GET" | "HEAD") {
            lines.push(("Content-Length", "0".to_owned()));
        }
        self.head(method, &lines)
    }

    fn head(&self, method: &str, lines: &[(&str, String)]) -> String {
        let mut request = format!("{method} {}", self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            request.push(if index == 0 { '?' } else { '&' });
            request.push_str(name);
            if let Some(value) = value {
                request.push('=');
                request.push_str(value);
            }
        }
        request.push_str(" HTTP/1.1\r\n");
        let mut line = |name: &str, value: &str| {
            request.push_str(&format!("{name}: {value}\r\n"));
        };
        let given = |wanted: &str| {
            self.headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        if !given("host") {
            line("Host", &self.authority);
        }
        for (name, value) in lines {
            line(name, value);
        }
        if !given("user-agent") {
            line(
                "User-Agent",
                concat!("stackgen-probe/", env!("CARGO_PKG_VERSION")),
            );
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        request.push_str("\r\n");
        request
    }

    /// Finds out anew what must not be shown.
    fn learn(&mut self) {
        let query = self.query.iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            looks_secret(name, value).then_some(value)
        });
        let harmless = |name: &str| {
            HARMLESS
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        };
        let headers = self.headers.iter().filter(|(name, _)| !harmless(name));
        let headers = headers.flat_map(|(name, value)| parts(name, value));
        let subprotocols = self.subprotocols.iter().map(String::as_str);
        let tokens = subprotocols.filter(|name| looks_like_a_token(name));
        let segments = self.path.split('/').filter(|part| looks_like_a_token(part));
        let explicit = self.explicit.iter().map(Secret::expose);
        let all = query
            .chain(headers)
            .chain(tokens)
            .chain(segments)
            .chain(explicit);
        self.secrets = Secrets::new(all);
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.url())
            .field("headers", &self.header_names())
            .field("subprotocols", &self.offered())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Text as a query has it.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// A query's names and values, encoded as they are.
fn pairs(query: &str) -> Vec<(String, Option<String>)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (part.to_owned(), None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_the_target_says() {
        let target =
            Target::new("wss://abc.execute-api.eu-west-1.amazonaws.com/prod?role=listener")
                .unwrap()
                .token(&Secret::new("se cr&t"), &TokenIn::Query("token".to_owned()))
                .unwrap()
                .header("X-Tenant", "t1")
                .unwrap()
                .subprotocol("chat")
                .unwrap();
        insta::assert_snapshot!(target.request("KEY").replace("\r\n", "\n"), @r"
        GET /prod?role=listener&token=se%20cr%26t HTTP/1.1
        Host: abc.execute-api.eu-west-1.amazonaws.com
        Connection: Upgrade
        Upgrade: websocket
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Protocol: chat
        User-Agent: stackgen-probe/0.1.0
        X-Tenant: t1
        ");
        insta::assert_snapshot!(format!("{target:?}"), @r#"Target { url: "wss://abc.execute-api.eu-west-1.amazonaws.com/prod?role=listener&token=[hidden]", headers: ["X-Tenant"], subprotocols: ["chat"], timeout: 30s, .. }"#);
    }

    #[test]
    fn a_token_travels_as_it_is_told_to() {
        let travels = |travels: TokenIn| {
            let target = Target::new("ws://h/").unwrap();
            target
                .token(&Secret::new("s3cret"), &travels)
                .unwrap()
                .request("KEY")
        };
        let header = travels(TokenIn::Header("Authorization".to_owned()));
        assert!(header.contains("\r\nAuthorization: Bearer s3cret\r\n"));
        let other = travels(TokenIn::Header("X-Token".to_owned()));
        assert!(other.contains("\r\nX-Token: s3cret\r\n"));
        let subprotocol = travels(TokenIn::Subprotocol);
        assert!(subprotocol.contains("\r\nSec-WebSocket-Protocol: bearer, s3cret\r\n"));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_repeating_it() {
        let refused = |url: &str| Target::new(url).unwrap_err().to_string();
        assert_eq!(
            refused("ftp://host/?token=s3cret"),
            "ftp:// is not a WebSocket URL; it has to begin with wss:// or ws://"
        );
        assert!(!refused("wss://me:s3cret@host/").contains("s3cret"));
        assert!(!refused("ws://host/a b?token=s3cret").contains("s3cret"));
        let target = || Target::new("ws://host").unwrap();
        let smuggled = target().header("X-A", "s3cret\r\nX-B: 1").unwrap_err();
        assert!(!smuggled.to_string().contains("s3cret"), "{smuggled}");
        assert!(target().header("Sec-WebSocket-Key", "x").is_err());
        assert!(target().subprotocol("a b").is_err());
        assert!(target().subprotocol("a").unwrap().subprotocol("a").is_err());
    }

    #[test]
    fn hosts_and_ports_are_those_of_the_url() {
        let at = |url: &str| {
            let target = Target::new(url).unwrap();
            (target.secure, target.host.clone(), target.port)
        };
        assert_eq!(at("wss://h/x"), (true, "h".to_owned(), 443));
        assert_eq!(at("ws://h"), (false, "h".to_owned(), 80));
        assert_eq!(at("ws://[::1]:9/x"), (false, "::1".to_owned(), 9));
        assert_eq!(at("https://h:8443"), (true, "h".to_owned(), 8443));
    }
}
