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
        "Check this machine's network: VPN, firewall, routes. The probe does not use proxies; if this network requires \
         one, run the probe elsewhere.",
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
        ConnectStep::Dns | ConnectStep::Tcp | ConnectStep::Tls => {
            Explanation::new(Likely, &["X2"], "The server does not respond: its packets, or those sent to it, are lost.").with_next_step(
                "A firewall that drops packets causes this. Try another network, and without VPN. The probe does not use \
                 proxies.",
            )
        }
    }
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
         Amazon. Another issuer means that a proxy decrypts the traffic; install the proxy's root certificate. The \
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
