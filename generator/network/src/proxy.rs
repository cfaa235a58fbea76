//! HTTP proxies.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// HTTP proxy. Its `Debug` and `Display` output contains no user name and no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// True if the connection to the proxy itself uses TLS.
    pub secure: bool,
    /// Host name or address. An IPv6 address has no brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    credentials: Option<ProxyCredentials>,
}

#[derive(Clone, PartialEq, Eq)]
struct ProxyCredentials {
    user: String,
    password: String,
}

/// Reason why a URL of a proxy is invalid. No message repeats the URL, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProxyError {
    /// The URL has a syntax error.
    #[error("it is not a URL")]
    Syntax,
    /// The URL has another scheme.
    #[error("{0}:// proxies are not supported")]
    Scheme(String),
}

impl ProxyError {
    /// Returns what to do.
    pub fn hint(&self) -> &'static str {
        match self {
            ProxyError::Syntax => {
                "write `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, with special characters of the password percent-encoded"
            }
            ProxyError::Scheme(_) => "use a proxy that speaks HTTP: `http://HOST:PORT`",
        }
    }
}

impl Proxy {
    /// Parses `http://user:password@host:port`. As for the `aws` command, the scheme may be absent, and the default port is
    /// 80, with `https://` 443.
    ///
    /// # Errors
    ///
    /// If the URL has another scheme or a syntax error.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other => return Err(ProxyError::Scheme(other.to_owned())),
        };
        let authority = rest.trim_start_matches('/').split(['/', '?', '#']).next();
        let authority = authority.unwrap_or_default();
        // A password may contain an unencoded `@`.
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(ProxyCredentials::parse(credentials)), address),
            None => (None, authority),
        };
        let uri: Uri = format!("http://{address}/")
            .parse()
            .map_err(|_| ProxyError::Syntax)?;
        let host = uri.host().unwrap_or_default();
        let port = match address.strip_prefix(host).unwrap_or_default() {
            "" if secure => 443,
            "" => 80,
            // `Uri` ignores what is no port.
            port => {
                let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
                port.ok_or(ProxyError::Syntax)?
            }
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(ProxyError::Syntax);
        }
        Ok(Proxy {
            secure,
            host,
            port,
            credentials,
        })
    }

    /// Returns the value of the header `Proxy-Authorization`, a secret; `None` if the URL has no credentials.
    pub fn authorization(&self) -> Option<String> {
        let ProxyCredentials { user, password } = self.credentials.as_ref()?;
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        Some(format!("Basic {encoded}"))
    }

    /// Returns the URL with its credentials, a secret.
    pub fn url_with_credentials(&self) -> String {
        let Some(ProxyCredentials { user, password }) = &self.credentials else {
            return self.to_string();
        };
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let credentials = format!("{}:{}", encoded(user), encoded(password));
        format!("{}://{credentials}@{}", self.scheme(), self.authority())
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl ProxyCredentials {
    fn parse(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        ProxyCredentials {
            user: decoded(user),
            password: decoded(password),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_port_have_the_defaults_of_the_aws_command() {
        let shown = |url: &str| Proxy::parse(url).unwrap().to_string();
        assert_eq!(shown("proxy.corp:3128"), "http://proxy.corp:3128");
        assert_eq!(shown("//proxy.corp:3128"), "http://proxy.corp:3128");
        assert_eq!(shown("http://proxy.corp"), "http://proxy.corp:80");
        assert_eq!(shown(" HTTPS://proxy.corp/ "), "https://proxy.corp:443");
        assert_eq!(shown("http://[fd12::1]:8080"), "http://[fd12::1]:8080");
        assert_eq!(shown("10.0.0.1:8080/path"), "http://10.0.0.1:8080");
    }

    #[test]
    fn credentials_are_decoded_for_the_header_and_hidden_from_output() {
        let proxy = Proxy::parse("http://al%40ce:p@ss%3Aword@proxy.corp:3128").unwrap();
        let expected = BASE64_STANDARD.encode("al@ce:p@ss:word");
        assert_eq!(proxy.authorization().unwrap(), format!("Basic {expected}"));
        assert_eq!(
            proxy.url_with_credentials(),
            "http://al%40ce:p%40ss%3Aword@proxy.corp:3128"
        );
        for shown in [proxy.to_string(), format!("{proxy:?}")] {
            assert!(!shown.contains("ce") && !shown.contains("ss"), "{shown}");
        }
        let same = Proxy::parse(&proxy.url_with_credentials()).unwrap();
        assert_eq!(same, proxy);
        let anonymous = Proxy::parse("http://proxy.corp:3128").unwrap();
        assert_eq!(anonymous.authorization(), None);
        assert_eq!(anonymous.url_with_credentials(), "http://proxy.corp:3128");
    }

    #[test]
    fn a_bad_url_is_refused_without_repeating_it() {
        for url in [
            "",
            "http://",
            "http://user:s3cret@",
            "http://a b",
            "h:port",
            "h:",
            "h:99999",
        ] {
            assert_eq!(Proxy::parse(url), Err(ProxyError::Syntax), "{url}");
        }
        let socks = Proxy::parse("socks5://user:s3cret@proxy.corp:1080").unwrap_err();
        assert_eq!(socks.to_string(), "socks5:// proxies are not supported");
    }
}
