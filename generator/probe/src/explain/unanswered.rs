//! Explains handshakes that got no answer.

use super::Certainty::{Certain, Likely, Possible};
use super::Explanation;
use crate::connect_error::{ConnectError, ConnectStep};

/// Explains why there is no answer.
pub(super) fn explain(error: &ConnectError, url: &str) -> Vec<Explanation> {
    let explanation = match error {
        ConnectError::Dns { host, .. } => dns(host),
        ConnectError::Refused { .. } => refused(),
        ConnectError::Unreachable { .. } => unreachable(),
        ConnectError::TimedOut { step, .. } => timed_out(*step),
        ConnectError::ProxyFailed { .. } => proxy_failed(),
        ConnectError::ProxyRefused { status, .. } => proxy_refused(*status),
        ConnectError::Certificate { .. } | ConnectError::NoRoots { .. } => certificate(error),
        ConnectError::Tls { .. } => tls(),
        ConnectError::Dropped { .. } => dropped(),
        ConnectError::NotHttp { .. } => not_http(url),
        ConnectError::Interrupted => return Vec::new(),
    };
    vec![explanation.with_evidence(error.to_string())]
}

fn dns(host: &str) -> Explanation {
    let explanation = Explanation::new(
        Certain,
        &["X2"],
        "The host name cannot be resolved from this machine.",
    );
    if host.contains(".execute-api.") {
        return explanation.with_next_step(
            "Compare the API's ID and the region with the stack's output, and try another resolver. The host name does \
             not exist if the API was deleted, or if its default endpoint is disabled in favor of a custom domain.",
        );
    }
    explanation.with_next_step(
        "Check the spelling. A custom domain needs a DNS record that points to the regional domain name that API \
         Gateway assigned.",
    )
}

fn refused() -> Explanation {
    Explanation::new(Certain, &["X2"], "No server listens on that address and port.").with_next_step(
        "For the local gateway, check that `stackgen dev` is running and printed this port. API Gateway on AWS listens \
         only on port 443: check the port, and firewalls in between.",
    )
}

fn unreachable() -> Explanation {
    Explanation::new(Certain, &["X2"], "The network has no route to the server.").with_next_step(
        "Check this machine's network: VPN, firewall, routes. If this network requires a proxy, set HTTPS_PROXY.",
    )
}

fn timed_out(step: ConnectStep) -> Explanation {
    match step {
        ConnectStep::Upgrade => Explanation::new(
            Likely,
            &["C1", "C8"],
            "The server received the handshake but did not answer it.",
        )
        .with_next_step(
            "API Gateway answers 504 after 29 s at the latest, so something else is probably slow: check the proxies in \
             between, or allow more than 30 s with `--connect-timeout`.",
        ),
        ConnectStep::Dns | ConnectStep::Tcp | ConnectStep::Proxy | ConnectStep::Tls => {
            Explanation::new(Likely, &["X2"], "The server does not respond: its packets, or those sent to it, are lost.").with_next_step(
                "A firewall that drops packets causes this. Try another network, and without VPN. If this network requires \
                 a proxy, set HTTPS_PROXY.",
            )
        }
    }
}

fn proxy_failed() -> Explanation {
    Explanation::new(
        Certain,
        &["X2"],
        "The probe cannot use the proxy that an environment variable names.",
    )
    .with_next_step(
        "Check HTTPS_PROXY, or HTTP_PROXY for a URL that starts with ws://. To reach this host without the proxy, add it to \
         NO_PROXY.",
    )
}

fn proxy_refused(status: u16) -> Explanation {
    let next_step = match status {
        407 => {
            "Set a user name and a password in HTTPS_PROXY, or in HTTP_PROXY for a URL that starts with ws://: \
             `http://USER:PASSWORD@HOST:PORT`, with special characters percent-encoded."
        }
        _ => {
            "Ask the proxy's administrator to allow CONNECT to this host and port. To reach the host without the proxy, add it \
             to NO_PROXY."
        }
    };
    let cause = match status {
        407 => "The proxy does not accept the user name and password, or there are none.",
        _ => "The proxy does not connect to the server.",
    };
    Explanation::new(Certain, &["X2"], cause).with_next_step(next_step)
}

fn certificate(error: &ConnectError) -> Explanation {
    if let ConnectError::NoRoots { .. } = error {
        return Explanation::new(Certain, &[], "This machine has no root certificates.")
            .with_next_step(
                "Install them: `ca-certificates` on Debian and most images, or set SSL_CERT_FILE.",
            );
    }
    Explanation::new(
        Certain,
        &["X2"],
        "This machine does not trust the server's certificate for that host name. Browsers fail with 1006.",
    )
    .with_next_step(
        "Look at the certificate with `openssl s_client -connect HOST:443 -servername HOST`. API Gateway's is issued by \
         Amazon. Another issuer means that a proxy decrypts the traffic: set AWS_CA_BUNDLE to a file with its root certificate. The \
         certificate of a custom domain must contain the domain.",
    )
}

fn tls() -> Explanation {
    Explanation::new(Likely, &["X2"], "The server does not speak TLS, or supports no TLS version of this client.").with_next_step(
        "Use ws:// for ports without TLS, such as those of the local gateway. API Gateway accepts only wss:// on port \
         443.",
    )
}

fn dropped() -> Explanation {
    Explanation::new(
        Likely,
        &["X2"],
        "The server, or something in between, ended the connection instead of answering. Browsers fail with 1006.",
    )
    .with_next_step(
        "If the URL starts with ws://, try wss://: the port may require TLS. Otherwise check proxies and firewalls that \
         block WebSocket handshakes, and try another network.",
    )
}

fn not_http(url: &str) -> Explanation {
    let certainty = if url.starts_with("ws://") {
        Likely
    } else {
        Possible
    };
    Explanation::new(certainty, &["X2"], "The server does not speak HTTP.")
        .with_next_step("If the URL starts with ws://, try wss://: the port may require TLS. Otherwise another service uses the port.")
}
