//! No answer to the handshake at all.

use super::Certainty::{Certain, Likely, Possible};
use super::Explanation;
use crate::dial::{ConnectError, Step};

/// Why there is no answer.
pub(super) fn explain(error: &ConnectError, url: &str) -> Vec<Explanation> {
    let seen = |explanation: Explanation| explanation.seen(error.to_string());
    match error {
        ConnectError::Dns { host, .. } => vec![seen(dns(host))],
        ConnectError::Refused { .. } => vec![seen(refused())],
        ConnectError::Unreachable { .. } => vec![seen(unreachable())],
        ConnectError::TimedOut { step, .. } => vec![seen(timed_out(*step))],
        ConnectError::Certificate { .. } | ConnectError::NoRoots { .. } => {
            vec![seen(certificate(error))]
        }
        ConnectError::Tls { .. } => vec![seen(tls())],
        ConnectError::Dropped { .. } => vec![seen(dropped())],
        ConnectError::NotHttp { .. } => vec![seen(not_http(url))],
        ConnectError::Interrupted => Vec::new(),
    }
}

fn dns(host: &str) -> Explanation {
    let explanation = Explanation::new(Certain, &["X2"], "The host's name has no address here.");
    if host.contains(".execute-api.") {
        return explanation.next(
            "Compare the api's id and the region with the stack's output, and ask another resolver. An api that was \
             deleted, or whose default endpoint is disabled for a custom domain, has another name or none.",
        );
    }
    explanation.next(
        "Check the spelling. A custom domain needs a DNS record that points at the regional domain name that API \
         Gateway gave it.",
    )
}

fn refused() -> Explanation {
    Explanation::new(Certain, &["X2"], "Nobody listens at that address and port.").next(
        "On this machine: is `stackgen dev` running, and is the port the one that it printed? Elsewhere: API Gateway \
         listens on 443 alone, so look at the port and at what stands in between.",
    )
}

fn unreachable() -> Explanation {
    Explanation::new(Certain, &["X2"], "The network does not lead there.").next(
        "Look at this machine's network: VPN, firewall, routes. The probe uses no proxy; where only a proxy leads \
         out, run it outside.",
    )
}

fn timed_out(step: Step) -> Explanation {
    match step {
        Step::Upgrade => Explanation::new(
            Likely,
            &["C1", "C8"],
            "The server took the handshake and did not answer it.",
        )
        .next(
            "API Gateway itself gives up after 29 s with 504, so whoever holds this one back is likely not API Gateway: \
             look at proxies in between, or give the probe longer than 30 s.",
        ),
        Step::Dns | Step::Tcp | Step::Tls => {
            Explanation::new(Likely, &["X2"], "Something swallows what is sent there.").next(
                "A firewall that drops packets looks like this. Try the same from another network, and without VPN. The \
                 probe uses no proxy.",
            )
        }
    }
}

fn certificate(error: &ConnectError) -> Explanation {
    if let ConnectError::NoRoots { .. } = error {
        return Explanation::new(
            Certain,
            &[],
            "This machine knows no certificate authorities.",
        )
        .next("Install them: `ca-certificates` on Debian and most images, or set SSL_CERT_FILE.");
    }
    Explanation::new(
        Certain,
        &["X2"],
        "The server's certificate is not one that this machine trusts for that name. A browser fails with 1006.",
    )
    .next(
        "Whose certificate is it: `openssl s_client -connect HOST:443 -servername HOST`? For API Gateway it is Amazon's; \
         another issuer means that a proxy reads along, and its root has to be installed. A custom domain's \
         certificate has to name the domain.",
    )
}

fn tls() -> Explanation {
    Explanation::new(Likely, &["X2"], "What answers there does not speak TLS with this client.").next(
        "A port without TLS is spoken to with ws://, as the local gateway's ports are. API Gateway takes wss:// alone, \
         on 443.",
    )
}

fn dropped() -> Explanation {
    Explanation::new(
        Likely,
        &["X2"],
        "The server, or something in between, ended the connection instead of answering. A browser fails with 1006.",
    )
    .next(
        "A port that wants TLS does this to ws://. Otherwise look at proxies and firewalls that do not let WebSocket \
         handshakes through, and try another network.",
    )
}

fn not_http(url: &str) -> Explanation {
    let certainty = if url.starts_with("ws://") {
        Likely
    } else {
        Possible
    };
    Explanation::new(certainty, &["X2"], "What answers there does not speak HTTP.")
        .next("A port that wants TLS is spoken to with wss://. Otherwise the port belongs to something else.")
}
