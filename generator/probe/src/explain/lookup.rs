//! Explanations of codes and texts on their own, without a report of a connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Certainty, Explanation, explain};
use crate::connect_error::Timings;
use crate::connection::{ClosedBy, ConnectionEnd};
use crate::report::{HandshakeOutcome, Observation, ObservationKind, ProbeCaller, ProbeReport};
use crate::response::HandshakeResponse;

/// Texts of API Gateway's error frames that [`explain_error_frame`] knows.
pub const ERROR_FRAMES: [&str; 7] = [
    "Forbidden",
    "Internal server error",
    "Endpoint request timed out",
    "Bad request body",
    "Too Many Requests",
    "Limit Exceeded",
    "Rate exceeded",
];

/// Ages of a connection that lead to different explanations: the idle limit, the age limit, and neither.
const AGES: [Duration; 3] = [
    Duration::from_secs(600),
    Duration::from_secs(7_200),
    Duration::ZERO,
];

/// Explains a close code from the server's side; 1006 stands for a close without a close frame. Likeliest causes come first.
pub fn explain_close_code(code: u16) -> Vec<Explanation> {
    let close = ConnectionEnd {
        code,
        reason: String::new(),
        by: match code {
            1006 => ClosedBy::Network,
            _ => ClosedBy::Server,
        },
        clean: code != 1006,
    };
    let too_large = ObservationKind::Sent {
        text: String::new(),
        bytes: 33 * 1024,
    };
    let ages = AGES.map(|age| (age, None));
    let cases = ages.into_iter().chain([(Duration::ZERO, Some(too_large))]);
    let reports = cases.map(|(age, sent)| ProbeReport {
        close: Some(close.clone()),
        age: Some(age),
        observations: sent.into_iter().map(at_once).collect(),
        ..report(handshake(101, ""), ProbeCaller::Anonymous)
    });
    causes(reports)
}

/// Explains the status of a handshake. Likeliest causes come first; 101 needs no explanation.
pub fn explain_handshake_status(status: u16) -> Vec<Explanation> {
    let callers = [
        ProbeCaller::Anonymous,
        ProbeCaller::Authenticated {
            name: None,
            token_in: "query",
        },
    ];
    let plain = callers.map(|caller| report(handshake(status, ""), caller));
    let mut causes = causes(plain);
    // An API that requires signed requests says so in the body, which is not known here.
    let body = r#"{"message": "Missing Authentication Token"}"#;
    let signed = self::causes([report(handshake(status, body), ProbeCaller::Anonymous)]);
    for mut cause in signed {
        if causes.iter().all(|known| known.cause != cause.cause) {
            cause.certainty = Certainty::Possible;
            causes.push(cause);
        }
    }
    causes.sort_by_key(|explanation| explanation.certainty);
    causes
}

/// Explains the `message` of an error frame, in any case; `None` for a text that API Gateway is not known to send.
pub fn explain_error_frame(message: &str) -> Option<Explanation> {
    let known = ERROR_FRAMES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(message))?;
    let frame = ObservationKind::Received {
        text: String::new(),
        bytes: 0,
        error: Some((*known).to_owned()),
    };
    let report = ProbeReport {
        observations: vec![at_once(frame)],
        ..report(handshake(101, ""), ProbeCaller::Anonymous)
    };
    causes([report]).into_iter().next()
}

/// Returns the explanations of reports, each cause once and without evidence: nothing was seen.
fn causes(reports: impl IntoIterator<Item = ProbeReport>) -> Vec<Explanation> {
    let mut causes: Vec<Explanation> = Vec::new();
    for mut explanation in reports.into_iter().flat_map(|report| explain(&report)) {
        explanation.evidence.clear();
        if causes.iter().all(|known| known.cause != explanation.cause) {
            causes.push(explanation);
        }
    }
    causes
}

fn at_once(kind: ObservationKind) -> Observation {
    Observation {
        at: Duration::ZERO,
        kind,
    }
}

fn handshake(status: u16, body: &str) -> HandshakeResponse {
    HandshakeResponse {
        status,
        reason: String::new(),
        headers: Vec::new(),
        body: body.to_owned(),
        subprotocol: None,
        violations: Vec::new(),
        peer: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 443)),
        proxy: None,
        tls: None,
        timings: Timings {
            // An integration that times out takes this long (row C8).
            upgrade: Duration::from_secs(29),
            ..Timings::default()
        },
    }
}

fn report(handshake: HandshakeResponse, caller: ProbeCaller) -> ProbeReport {
    ProbeReport {
        url: String::new(),
        caller,
        headers: Vec::new(),
        subprotocols: Vec::new(),
        outcome: HandshakeOutcome::Handshake(Box::new(handshake)),
        observations: Vec::new(),
        omitted: 0,
        close: None,
        age: None,
        latency: None,
        checks: Vec::new(),
        interrupted: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(explanations: &[Explanation]) -> Vec<&str> {
        let rows = explanations
            .iter()
            .flat_map(|explanation| &explanation.rows);
        rows.map(AsRef::as_ref).collect()
    }

    #[test]
    fn every_cause_of_a_code_is_listed_once_and_without_evidence() {
        let codes = explain_close_code(1001);
        assert_eq!(rows(&codes), ["M13", "X4", "M14", "X4", "M13", "X4"]);
        let lost = explain_close_code(1006);
        assert_eq!(rows(&lost), ["X3", "M13", "X3", "M14", "X3", "M11", "X3"]);
        let forbidden = explain_handshake_status(403);
        assert!(rows(&forbidden).starts_with(&["C3"]) && rows(&forbidden).ends_with(&["A14"]));
        assert_eq!(explain_handshake_status(101), []);
        for explanation in codes.iter().chain(&lost).chain(&forbidden) {
            assert!(explanation.evidence.is_empty(), "{explanation:?}");
            assert!(!explanation.next_step.is_empty(), "{explanation:?}");
        }
    }

    #[test]
    fn every_known_error_frame_is_explained_in_any_case() {
        for known in ERROR_FRAMES {
            let explanation = explain_error_frame(&known.to_uppercase()).unwrap();
            assert_ne!(explanation.certainty, Certainty::Possible, "{known}");
        }
        assert_eq!(explain_error_frame("Pong"), None);
    }
}
