//! URL of the endpoint for services that do not run here.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use stackgen_gateway_apis::server::is_loopback;
use thiserror::Error;

/// URL of an endpoint that answers for all services of AWS: `http://127.0.0.1:4566`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicesUrl(Uri);

/// Reason why a text is not the URL of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ServicesUrlError {
    /// The text is not a URL with the scheme `http` or `https` and a host.
    #[error("write a URL such as http://127.0.0.1:4566")]
    NotAUrl,
    /// The URL contains a user name or a password.
    #[error("write the URL without a user name and a password")]
    Credentials,
    /// The URL has a path or a query string.
    #[error("write the URL without a path: requests bring their own")]
    Path,
}

impl FromStr for ServicesUrl {
    type Err = ServicesUrlError;

    fn from_str(text: &str) -> Result<Self, ServicesUrlError> {
        let url: Uri = text.trim().parse().map_err(|_| ServicesUrlError::NotAUrl)?;
        let known = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)];
        let host = url.host().unwrap_or_default();
        if !known.contains(&url.scheme()) || host.is_empty() {
            return Err(ServicesUrlError::NotAUrl);
        }
        if url.authority().is_some_and(|it| it.as_str().contains('@')) {
            return Err(ServicesUrlError::Credentials);
        }
        match url.path_and_query().map(PathAndQuery::as_str) {
            None | Some("" | "/") => Ok(ServicesUrl(url)),
            Some(_) => Err(ServicesUrlError::Path),
        }
    }
}

impl ServicesUrl {
    /// Returns the URL of a request to the endpoint.
    pub(super) fn join(&self, path_and_query: Option<&PathAndQuery>) -> Uri {
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = path_and_query.cloned().or(parts.path_and_query);
        // Cannot fail: the parts are those of a URL.
        Uri::from_parts(parts).unwrap_or_else(|_| self.0.clone())
    }

    /// Returns true if the endpoint is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(is_loopback)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        let default = if self.0.scheme() == Some(&Scheme::HTTPS) {
            443
        } else {
            80
        };
        self.0.port_u16().unwrap_or(default)
    }
}

impl fmt::Display for ServicesUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_string().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_url_without_path_and_credentials_is_an_endpoint() {
        for (text, shown, port) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566", 4566),
            ("https://emulator.example/", "https://emulator.example", 443),
            (" http://[::1] ", "http://[::1]", 80),
        ] {
            let url: ServicesUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.port()), (shown, port));
            assert_eq!(url.is_loopback(), !text.contains("example"));
        }
        for (text, error) in [
            ("", ServicesUrlError::NotAUrl),
            ("127.0.0.1:4566", ServicesUrlError::NotAUrl),
            ("ftp://127.0.0.1", ServicesUrlError::NotAUrl),
            ("http:///", ServicesUrlError::NotAUrl),
            ("http://a:b@127.0.0.1", ServicesUrlError::Credentials),
            ("http://127.0.0.1/path", ServicesUrlError::Path),
            ("http://127.0.0.1?a=b", ServicesUrlError::Path),
        ] {
            assert_eq!(text.parse::<ServicesUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_request_keeps_its_path_and_query_string() {
        let url: ServicesUrl = "http://127.0.0.1:9/".parse().unwrap();
        let request: Uri = "/bucket/a%20b?list-type=2".parse().unwrap();
        let joined = url.join(request.path_and_query());
        assert_eq!(joined, "http://127.0.0.1:9/bucket/a%20b?list-type=2");
        assert_eq!(url.join(None), "http://127.0.0.1:9/");
    }
}
