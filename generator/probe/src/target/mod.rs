//! Target of a probe: URL, headers, subprotocols and token.

mod request;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use rustls::ClientConfig;
use stackgen_network::{Destination, LoopbackEndpoint, NetworkOptions, Proxy, is_loopback};
use thiserror::Error;

use crate::connect_error::ConnectError;
use crate::encoding::query_encoded;
use crate::secret::{HIDDEN, Secret, Secrets, header_secrets, looks_like_token, looks_secret};
use crate::tls::{native_tls_config, tls_config_with_roots};

/// Headers that the handshake sets itself.
const HANDSHAKE_HEADERS: [&str; 9] = [
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

/// Headers that never contain a secret.
const PUBLIC_HEADERS: [&str; 5] = [
    "accept-language",
    "cache-control",
    "host",
    "origin",
    "user-agent",
];

/// URL to connect to and everything that the handshake sends. Its `Debug` output contains no secret.
#[derive(Clone)]
pub struct ProbeTarget {
    pub(crate) secure: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Authority as the URL spells it.
    authority: String,
    path: String,
    pub(crate) query: Vec<(String, Option<String>)>,
    /// Headers in the order in which they were added, with the names as they were spelled.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) tokens: Vec<Secret>,
    secrets: Secrets,
    /// Timeout of each step of connecting.
    pub timeout: Duration,
    /// TLS configuration (default: trusts the root certificates of this machine).
    pub tls: Option<Arc<ClientConfig>>,
    /// Proxy to connect through.
    pub proxy: Option<Proxy>,
    /// Endpoint to connect to instead of the URL's host, without TLS. The `Host` header is still the URL's.
    pub(crate) emulator: Option<LoopbackEndpoint>,
    /// True to use little memory for each connection.
    pub(crate) has_small_buffers: bool,
}

/// Part of the handshake that carries the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlacement {
    /// Query parameter with this name.
    Query(String),
    /// Header with this name. In `Authorization` the token follows `Bearer `.
    Header(String),
    /// Subprotocol after the subprotocol `bearer`, which browsers can send.
    Subprotocol,
}

/// Reason why a target is invalid. No message repeats the input, which may contain a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The URL has a syntax error.
    #[error("cannot parse the URL: {0}")]
    Url(String),
    /// The URL has another scheme.
    #[error("{0}:// is not a WebSocket URL; start it with wss:// or ws://")]
    Scheme(String),
    /// The URL contains `user:password@`.
    #[error("the URL contains a user name or a password; send them in a header instead")]
    UserInfo,
    /// A header is invalid, or the handshake sets it itself.
    #[error("cannot send the header {0:?}: {1}")]
    Header(String, &'static str),
    /// A subprotocol has invalid characters or is offered twice.
    #[error("cannot offer subprotocol {number}: {reason}")]
    Subprotocol {
        /// Position among the subprotocols, counted from 1.
        number: usize,
        /// Description of the problem.
        reason: &'static str,
    },
}

impl ProbeTarget {
    /// Parses a `wss://` or `ws://` URL. `https://` and `http://` are accepted as synonyms.
    ///
    /// # Errors
    ///
    /// If the URL has another scheme, a syntax error, or a password.
    pub fn new(url: &str) -> Result<Self, TargetError> {
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|error: http::uri::InvalidUri| TargetError::Url(error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("wss" | "https") => true,
            Some("ws" | "http") => false,
            Some(other) => return Err(TargetError::Scheme(other.to_owned())),
            None => return Err(TargetError::Url("it does not start with wss://".to_owned())),
        };
        let authority = uri
            .authority()
            .ok_or(TargetError::Url("it has no host".to_owned()))?;
        if authority.as_str().contains('@') {
            return Err(TargetError::UserInfo);
        }
        let default_port = if secure { 443 } else { 80 };
        let mut target = ProbeTarget {
            secure,
            // URLs write an IPv6 address in brackets; the resolver takes it without them.
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            authority: authority.as_str().to_owned(),
            path: match uri.path() {
                "" => "/".to_owned(),
                path => path.to_owned(),
            },
            query: uri.query().map(query_parameters).unwrap_or_default(),
            headers: Vec::new(),
            subprotocols: Vec::new(),
            tokens: Vec::new(),
            secrets: Secrets::default(),
            timeout: Duration::from_secs(30),
            tls: None,
            proxy: None,
            emulator: None,
            has_small_buffers: false,
        };
        target.update_secrets();
        Ok(target)
    }

    /// Applies proxies, root certificates, and the emulator that serves the hosts of APIs.
    ///
    /// # Errors
    ///
    /// If the TLS library supports no protocol version.
    pub fn network(mut self, options: &NetworkOptions) -> Result<Self, rustls::Error> {
        let emulator = options.emulator.as_ref();
        self.emulator = emulator
            .filter(|emulator| emulator.serves(&self.host))
            .cloned();
        if self.emulator.is_some() {
            return Ok(self);
        }
        let destination = Destination {
            secure: self.secure,
            host: &self.host,
            port: self.port,
        };
        self.proxy = options.proxies.proxy_for(destination).cloned();
        if let Some(roots) = &options.roots {
            self.tls = Some(tls_config_with_roots(roots.store())?);
        }
        Ok(self)
    }

    /// Adds a query parameter and percent-encodes it.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query
            .push((query_encoded(name), Some(query_encoded(value))));
        self.update_secrets();
        self
    }

    /// Adds a header. `Host` and `User-Agent` replace the default ones.
    ///
    /// # Errors
    ///
    /// If the name or the value is invalid, or the handshake sets the header itself.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, TargetError> {
        let refused = |reason| TargetError::Header(name.escape_debug().to_string(), reason);
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(refused("its name is not a valid header name"));
        }
        if HANDSHAKE_HEADERS
            .iter()
            .any(|set_by_handshake| name.eq_ignore_ascii_case(set_by_handshake))
        {
            return Err(refused("the handshake sets it itself"));
        }
        if HeaderValue::from_str(value).is_err() {
            return Err(refused(
                "its value has characters that headers must not have",
            ));
        }
        self.headers
            .push((name.to_owned(), value.trim().to_owned()));
        self.update_secrets();
        Ok(self)
    }

    /// Adds a subprotocol to offer.
    ///
    /// # Errors
    ///
    /// If it has invalid characters or is offered already.
    pub fn subprotocol(mut self, name: &str) -> Result<Self, TargetError> {
        let number = self.subprotocols.len() + 1;
        let refused = |reason| TargetError::Subprotocol { number, reason };
        // Subprotocols and header names have the same grammar: `token` of RFC 9110.
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(refused("it has characters that subprotocols must not have"));
        }
        if self.subprotocols.iter().any(|offered| offered == name) {
            return Err(refused("it is offered twice"));
        }
        self.subprotocols.push(name.to_owned());
        self.update_secrets();
        Ok(self)
    }

    /// Adds a token.
    ///
    /// # Errors
    ///
    /// If the token has characters that its placement does not allow.
    pub fn token(
        mut self,
        token: &Secret,
        placement: &TokenPlacement,
    ) -> Result<Self, TargetError> {
        self.tokens.push(token.clone());
        match placement {
            TokenPlacement::Query(name) => Ok(self.query(name, token.expose())),
            TokenPlacement::Header(name) if name.eq_ignore_ascii_case("authorization") => {
                self.header(name, &format!("Bearer {}", token.expose()))
            }
            TokenPlacement::Header(name) => self.header(name, token.expose()),
            TokenPlacement::Subprotocol => self.subprotocol("bearer")?.subprotocol(token.expose()),
        }
    }

    /// Loads the root certificates of this machine once, for many connections. Buffers of connections stay small.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn for_many_connections(mut self) -> Result<Self, ConnectError> {
        if self.secure && self.tls.is_none() && self.emulator.is_none() {
            self.tls = Some(native_tls_config()?);
        }
        self.has_small_buffers = true;
        Ok(self)
    }

    /// Replaces the path by that of a stage.
    #[must_use]
    pub fn stage(mut self, name: &str) -> Self {
        self.path = format!("/{}", query_encoded(name));
        self.update_secrets();
        self
    }

    /// Declares a text that must not appear in any output.
    #[must_use]
    pub fn secret(mut self, secret: &Secret) -> Self {
        self.tokens.push(secret.clone());
        self.update_secrets();
        self
    }

    /// Returns the URL with its secrets hidden.
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

    /// Returns true if connections do not leave this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.emulator.is_some() || is_loopback(&self.host)
    }

    /// Returns the host to connect to.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the offered subprotocols with their secrets hidden.
    pub fn offered_subprotocols(&self) -> Vec<String> {
        let shown = |name: &String| match looks_like_token(name) {
            true => HIDDEN.to_owned(),
            false => self.secrets.hide(name),
        };
        self.subprotocols.iter().map(shown).collect()
    }

    /// Returns the names of the added headers.
    pub fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the secrets that must not appear in any output.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Collects the secrets again after a change of the target.
    fn update_secrets(&mut self) {
        let query = self.query.iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            looks_secret(name, value).then_some(value)
        });
        // A token may be the whole query: `?eyJ…`.
        let names = self.query.iter().map(|(name, _)| name.as_str());
        let names = names.filter(|name| looks_like_token(name));
        let is_public = |name: &str| {
            PUBLIC_HEADERS
                .iter()
                .any(|public| name.eq_ignore_ascii_case(public))
        };
        let headers = self.headers.iter().filter(|(name, _)| !is_public(name));
        let headers = headers.flat_map(|(name, value)| header_secrets(name, value));
        let subprotocols = self.subprotocols.iter().map(String::as_str);
        let subprotocols = subprotocols.filter(|name| looks_like_token(name));
        let segments = self.path.split('/').filter(|part| looks_like_token(part));
        let tokens = self.tokens.iter().map(Secret::expose);
        let all = query
            .chain(names)
            .chain(headers)
            .chain(subprotocols)
            .chain(segments)
            .chain(tokens);
        self.secrets = Secrets::new(all);
    }
}

impl fmt::Debug for ProbeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeTarget")
            .field("url", &self.url())
            .field("headers", &self.header_names())
            .field("subprotocols", &self.offered_subprotocols())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Splits a query into names and values without decoding them.
fn query_parameters(query: &str) -> Vec<(String, Option<String>)> {
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
    fn the_request_contains_the_query_headers_and_subprotocols() {
        let target =
            ProbeTarget::new("wss://abc.execute-api.eu-west-1.amazonaws.com/prod?role=listener")
                .unwrap()
                .token(
                    &Secret::new("se cr&t"),
                    &TokenPlacement::Query("token".to_owned()),
                )
                .unwrap()
                .header("X-Tenant", "t1")
                .unwrap()
                .subprotocol("chat")
                .unwrap();
        insta::assert_snapshot!(target.handshake_request("KEY").replace("\r\n", "\n"), @r"
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
        insta::assert_snapshot!(format!("{target:?}"), @r#"ProbeTarget { url: "wss://abc.execute-api.eu-west-1.amazonaws.com/prod?role=listener&token=[hidden]", headers: ["X-Tenant"], subprotocols: ["chat"], timeout: 30s, .. }"#);
    }

    #[test]
    fn the_request_carries_the_token_in_its_placement() {
        let request_with = |placement: TokenPlacement| {
            let target = ProbeTarget::new("ws://h/").unwrap();
            target
                .token(&Secret::new("s3cret"), &placement)
                .unwrap()
                .handshake_request("KEY")
        };
        let header = request_with(TokenPlacement::Header("Authorization".to_owned()));
        assert!(header.contains("\r\nAuthorization: Bearer s3cret\r\n"));
        let other = request_with(TokenPlacement::Header("X-Token".to_owned()));
        assert!(other.contains("\r\nX-Token: s3cret\r\n"));
        let subprotocol = request_with(TokenPlacement::Subprotocol);
        assert!(subprotocol.contains("\r\nSec-WebSocket-Protocol: bearer, s3cret\r\n"));
    }

    #[test]
    fn errors_do_not_repeat_invalid_input() {
        let refused = |url: &str| ProbeTarget::new(url).unwrap_err().to_string();
        assert_eq!(
            refused("ftp://host/?token=s3cret"),
            "ftp:// is not a WebSocket URL; start it with wss:// or ws://"
        );
        assert!(!refused("wss://me:s3cret@host/").contains("s3cret"));
        assert!(!refused("ws://host/a b?token=s3cret").contains("s3cret"));
        let target = || ProbeTarget::new("ws://host").unwrap();
        let smuggled = target().header("X-A", "s3cret\r\nX-B: 1").unwrap_err();
        assert!(!smuggled.to_string().contains("s3cret"), "{smuggled}");
        assert!(target().header("Sec-WebSocket-Key", "x").is_err());
        assert!(target().subprotocol("a b").is_err());
        assert!(target().subprotocol("a").unwrap().subprotocol("a").is_err());
    }

    #[test]
    fn a_token_in_place_of_a_query_parameter_is_hidden() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
        let target = ProbeTarget::new(&format!("ws://h/?{token}")).unwrap();
        assert_eq!(target.url(), "ws://h/?[hidden]");
    }

    #[test]
    fn targets_on_this_machine_are_recognized_in_any_spelling() {
        let is_here = |url: &str| ProbeTarget::new(url).unwrap().is_on_this_machine();
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "127.0.0.2",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_here(&format!("ws://{host}:9/")), "{host}");
        }
        assert!(!is_here("ws://localhost.corp/") && !is_here("ws://10.0.0.1/"));
    }

    #[test]
    fn the_url_determines_host_port_and_tls() {
        let parsed = |url: &str| {
            let target = ProbeTarget::new(url).unwrap();
            (target.secure, target.host.clone(), target.port)
        };
        assert_eq!(parsed("wss://h/x"), (true, "h".to_owned(), 443));
        assert_eq!(parsed("ws://h"), (false, "h".to_owned(), 80));
        assert_eq!(parsed("ws://[::1]:9/x"), (false, "::1".to_owned(), 9));
        assert_eq!(parsed("https://h:8443"), (true, "h".to_owned(), 8443));
    }
}
