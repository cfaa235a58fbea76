//! The variable `NO_PROXY`.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Hosts that are reached without a proxy.
#[derive(Clone, Debug, Default)]
pub(crate) struct NoProxy {
    everywhere: Option<Arc<Matcher>>,
    /// Names with a port. The matcher knows none, so each port has its own.
    by_port: BTreeMap<u16, Arc<Matcher>>,
}

impl NoProxy {
    /// Parses a list of names.
    pub(crate) fn parse(list: &str) -> Self {
        let mut names: BTreeMap<Option<u16>, Vec<&str>> = BTreeMap::new();
        let listed = list.split(',').map(str::trim);
        for name in listed.filter(|name| !name.is_empty()) {
            let (name, port) = split_port(name);
            names.entry(port).or_default().push(name);
        }
        let mut no_proxy = NoProxy::default();
        for (port, names) in names {
            let names = Arc::new(matcher(&names.join(",")));
            if let Some(port) = port {
                no_proxy.by_port.insert(port, names);
            } else {
                no_proxy.everywhere = Some(names);
            }
        }
        no_proxy
    }

    /// Returns true if the host is reached without a proxy. An IPv6 address has no brackets.
    pub(crate) fn matches(&self, host: &str, port: u16) -> bool {
        let authority = match host.contains(':') {
            true => format!("http://[{host}]/"),
            false => format!("http://{host}/"),
        };
        let Ok(uri) = authority.parse::<Uri>() else {
            return false;
        };
        let mut matchers = self.everywhere.iter().chain(self.by_port.get(&port));
        matchers.any(|matcher| matcher.intercept(&uri).is_none())
    }
}

/// Returns a matcher that intercepts every host except those of the list.
fn matcher(list: &str) -> Matcher {
    // The matcher needs a proxy to intercept anything; nobody connects to this one.
    Matcher::builder().all("http://proxy").no(list).build()
}

/// Splits `name:8443`. An IPv6 address with a port has brackets.
fn split_port(name: &str) -> (&str, Option<u16>) {
    let Some((host, port)) = name.rsplit_once(':') else {
        return (name, None);
    };
    let is_bare_ipv6 = host.contains(':') && !host.ends_with(']');
    match port.parse() {
        Ok(port) if !is_bare_ipv6 => (host.trim_matches(['[', ']']), Some(port)),
        _ => (name.trim_matches(['[', ']']), None),
    }
}
