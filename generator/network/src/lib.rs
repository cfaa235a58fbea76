//! Proxies and root certificates of connections, by the rules of the `aws` command.
//!
//! This crate opens no connection, reads no file and no environment variable: it takes their values as arguments. No output
//! contains the user name or password of a proxy, except [`Proxy::url_with_credentials`] and [`Proxy::authorization`].

mod certificates;
mod local_host;
mod loopback;
mod no_proxy;
mod proxy;

pub use certificates::{CertificateError, RootCertificates};
pub use local_host::is_loopback;
pub use loopback::LoopbackEndpoint;
pub use proxy::{Proxy, ProxyError};

use no_proxy::NoProxy;

/// Proxies and root certificates of connections. The default has neither: connections go to their hosts, and the root
/// certificates of this machine are trusted.
#[derive(Clone, Debug, Default)]
pub struct NetworkOptions {
    /// Proxies.
    pub proxies: ProxyRules,
    /// Root certificates to trust instead of this machine's.
    pub roots: Option<RootCertificates>,
    /// Emulator of AWS that serves the hosts of APIs, whatever their names resolve to.
    pub emulator: Option<LoopbackEndpoint>,
}

/// Proxies, and the hosts that are reached without them.
#[derive(Clone, Debug, Default)]
pub struct ProxyRules {
    /// Proxy for hosts that are reached without TLS: the variable `HTTP_PROXY`.
    pub http: Option<Proxy>,
    /// Proxy for hosts that are reached with TLS: the variable `HTTPS_PROXY`.
    pub https: Option<Proxy>,
    no_proxy: NoProxy,
}

/// Destination of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// True for connections with TLS.
    pub secure: bool,
    /// Host name or address. An IPv6 address may have brackets.
    pub host: &'a str,
    /// Port.
    pub port: u16,
}

impl ProxyRules {
    /// Creates rules. `no_proxy` has the syntax of the variable `NO_PROXY`: names separated by commas. A name matches the host
    /// and its subdomains, `name:8443` only on that port, `10.0.0.0/8` addresses, and `*` all hosts.
    pub fn new(http: Option<Proxy>, https: Option<Proxy>, no_proxy: &str) -> Self {
        ProxyRules {
            http,
            https,
            no_proxy: NoProxy::parse(no_proxy),
        }
    }

    /// Returns the proxy of a connection; `None` if it goes to the host itself.
    ///
    /// This machine and link-local addresses are always reached without a proxy. Link-local ones serve the metadata of an
    /// instance or a container, and a proxy would return those of its own machine.
    pub fn proxy_for(&self, destination: Destination<'_>) -> Option<&Proxy> {
        let proxy = match destination.secure {
            true => self.https.as_ref(),
            false => self.http.as_ref(),
        };
        let host = destination.host.trim_matches(['[', ']']);
        proxy.filter(|_| {
            !local_host::is_local(host) && !self.no_proxy.matches(host, destination.port)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(no_proxy: &str) -> ProxyRules {
        let http = Proxy::parse("http://plain.corp:3128").unwrap();
        let https = Proxy::parse("http://secure.corp:3128").unwrap();
        ProxyRules::new(Some(http), Some(https), no_proxy)
    }

    fn proxy_of(rules: &ProxyRules, secure: bool, host: &str, port: u16) -> Option<String> {
        let destination = Destination { secure, host, port };
        rules.proxy_for(destination).map(ToString::to_string)
    }

    #[test]
    fn the_scheme_selects_the_proxy() {
        let rules = rules("");
        let secure = proxy_of(&rules, true, "sts.amazonaws.com", 443);
        assert_eq!(secure.as_deref(), Some("http://secure.corp:3128"));
        let plain = proxy_of(&rules, false, "example.org", 80);
        assert_eq!(plain.as_deref(), Some("http://plain.corp:3128"));
        let none = ProxyRules::default();
        assert_eq!(proxy_of(&none, true, "sts.amazonaws.com", 443), None);
    }

    #[test]
    fn this_machine_and_metadata_services_are_reached_without_a_proxy() {
        let rules = rules("");
        let local = [
            "localhost",
            "api.localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "[fd00:ec2::23]",
            "fe80::1",
        ];
        for host in local {
            assert_eq!(proxy_of(&rules, false, host, 80), None, "{host}");
        }
        for host in ["10.0.0.1", "localhost.corp", "notlocalhost", "fd00:ec3::1"] {
            assert!(proxy_of(&rules, false, host, 80).is_some(), "{host}");
        }
    }

    #[test]
    fn names_in_no_proxy_match_hosts_subdomains_ports_and_networks() {
        let list = "corp.example, .internal,10.0.0.0/8,192.168.7.7,metrics.example:8443,fd12::/16";
        let rules = rules(list);
        let direct = [
            ("corp.example", 443),
            ("CORP.example", 443),
            ("a.b.corp.example", 443),
            ("internal", 443),
            ("git.internal", 443),
            ("10.20.30.40", 443),
            ("192.168.7.7", 443),
            ("metrics.example", 8443),
            ("a.metrics.example", 8443),
            ("[fd12::1]", 443),
        ];
        for (host, port) in direct {
            assert_eq!(proxy_of(&rules, true, host, port), None, "{host}:{port}");
        }
        let proxied = [
            ("notcorp.example", 443),
            ("corp.example.org", 443),
            ("11.0.0.1", 443),
            ("metrics.example", 443),
            ("fd13::1", 443),
        ];
        for (host, port) in proxied {
            let found = proxy_of(&rules, true, host, port);
            assert!(found.is_some(), "{host}:{port}");
        }
    }

    #[test]
    fn a_star_matches_all_hosts_and_an_empty_list_none() {
        assert_eq!(proxy_of(&rules("*"), true, "sts.amazonaws.com", 443), None);
        let none = rules(" , ,");
        assert!(proxy_of(&none, true, "sts.amazonaws.com", 443).is_some());
    }
}
