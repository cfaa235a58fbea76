//! Endpoints on this machine.

use http::Uri;

use crate::local_host::is_loopback;

/// Endpoint on this machine that emulates AWS, without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackEndpoint {
    /// Host name or address. An IPv6 address has no brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl LoopbackEndpoint {
    /// Parses an `http://` URL of this machine; `None` for any other URL.
    pub fn parse(url: &str) -> Option<Self> {
        let url: Uri = url.trim().parse().ok()?;
        let authority = url.authority()?;
        let host = authority.host().trim_matches(['[', ']']);
        let is_plain = url.scheme_str() == Some("http") && !authority.as_str().contains('@');
        (is_plain && is_loopback(host)).then(|| LoopbackEndpoint {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
        })
    }

    /// True if an emulator behind the endpoint serves this host: hosts of APIs have `execute-api` as their second label, such
    /// as `a1b2c3.execute-api.eu-west-1.amazonaws.com`. Emulators return such hosts in URLs, and recognize the API by the
    /// `Host` header, but no resolver knows them, or it resolves them to AWS.
    pub fn serves(&self, host: &str) -> bool {
        host.split('.').nth(1) == Some("execute-api")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_urls_of_this_machine_are_loopback_endpoints() {
        let parsed = |url| LoopbackEndpoint::parse(url).map(|found| (found.host, found.port));
        let endpoint = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parsed("http://127.0.0.1:4566"), endpoint("127.0.0.1", 4566));
        assert_eq!(parsed("http://localhost/"), endpoint("localhost", 80));
        assert_eq!(parsed("http://[::1]:9"), endpoint("::1", 9));
        for other in [
            "https://localhost:4566",
            "http://10.0.0.1:4566",
            "http://localhost.example:4566",
            "http://127.0.0.1@example.org",
            "localhost:4566",
            "",
        ] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }

    #[test]
    fn an_endpoint_serves_the_hosts_of_apis() {
        let endpoint = LoopbackEndpoint::parse("http://127.0.0.1:4566").unwrap();
        for host in [
            "a1b2c3.execute-api.localhost",
            "a1b2c3.execute-api.eu-west-1.amazonaws.com",
            "a1b2c3.execute-api.localhost.localstack.cloud",
        ] {
            assert!(endpoint.serves(host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "execute-api.localhost",
            "chat.example.org",
            "a1b2c3.execute-apis.localhost",
        ] {
            assert!(!endpoint.serves(host), "{host}");
        }
    }
}
