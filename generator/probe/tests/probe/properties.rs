//! Properties: every report can be explained, and no output contains a secret.

use std::time::Duration;

use proptest::prelude::*;
use stackgen_probe::{
    ClientClose, ClosedBy, ConnectionEnd, Expectation, HIDDEN, HandshakeOutcome, ObservationKind,
    ProbeCaller, ProbePlan, ProbeReport, ProbeTarget, Secret, TokenPlacement, error_frame_message,
    explain, run,
};

use crate::explanations::{handshake, report};
use crate::server::serve;

fn kind() -> impl Strategy<Value = ObservationKind> {
    let text = ".{0,40}";
    prop_oneof![
        (text, any::<usize>()).prop_map(|(text, bytes)| ObservationKind::Sent { text, bytes }),
        (text, any::<usize>(), proptest::option::of(text))
            .prop_map(|(text, bytes, error)| ObservationKind::Received { text, bytes, error }),
        any::<usize>().prop_map(|bytes| ObservationKind::Binary { bytes }),
        Just(ObservationKind::PingSent),
        any::<Duration>().prop_map(|waited| ObservationKind::Silence { waited }),
        close().prop_map(ObservationKind::Closed),
    ]
}

fn close() -> impl Strategy<Value = ConnectionEnd> {
    let by = prop_oneof![
        Just(ClosedBy::Client),
        Just(ClosedBy::Server),
        Just(ClosedBy::Network)
    ];
    (any::<u16>(), ".{0,20}", by, any::<bool>()).prop_map(|(code, reason, by, clean)| {
        ConnectionEnd {
            code,
            reason,
            by,
            clean,
        }
    })
}

prop_compose! {
    fn reports()(
        status in any::<u16>(),
        headers in proptest::collection::vec(("[a-zA-Z-]{1,20}", ".{0,20}"), 0..5),
        body in ".{0,60}|\\{\"message\":\"[a-zA-Z ]{0,30}\"\\}",
        subprotocols in proptest::collection::vec("[a-z]{1,5}", 0..3),
        observations in proptest::collection::vec((any::<Duration>(), kind()), 0..6),
        closed in proptest::option::of((close(), any::<Duration>())),
    ) -> ProbeReport {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut report = report(HandshakeOutcome::Handshake(handshake(status, &headers, &body)));
        report.subprotocols = subprotocols;
        let observations = observations.into_iter();
        report.observations =
            observations.map(|(at, kind)| stackgen_probe::Observation { at, kind }).collect();
        if let Some((close, age)) = closed {
            (report.close, report.age) = (Some(close), Some(age));
        }
        report
    }
}

proptest! {
    #[test]
    fn every_explanation_has_full_sentences_evidence_and_rows(report in reports()) {
        let explanations = explain(&report);
        for explanation in &explanations {
            prop_assert!(explanation.cause.ends_with('.'), "{}", explanation.cause);
            prop_assert!(explanation.next_step.ends_with(['.', '?']), "{}", explanation.next_step);
            prop_assert!(!explanation.evidence.is_empty(), "{}", explanation.cause);
            prop_assert!(!explanation.rows.is_empty(), "{}", explanation.cause);
        }
        if report.handshake().is_some_and(|handshake| handshake.status != 101) {
            prop_assert!(!explanations.is_empty());
            prop_assert_eq!(report.browser().code, Some(1006));
        }
        prop_assert!(serde_json::to_string(&report).is_ok());
    }

    #[test]
    fn any_text_can_be_parsed_as_an_error_frame(text in ".{0,80}") {
        error_frame_message(&text);
    }
}

/// Generates a token that is too long to occur by chance.
fn token() -> impl Strategy<Value = String> {
    "[!-~]{12,60}"
}

/// Generates a token and its placement. A subprotocol allows fewer characters.
fn token_and_placement() -> impl Strategy<Value = (String, TokenPlacement)> {
    prop_oneof![
        (token(), "[a-z]{1,8}").prop_map(|(token, name)| (token, TokenPlacement::Query(name))),
        token().prop_map(|token| (token, TokenPlacement::Header("Authorization".to_owned()))),
        (token(), "X-[a-z]{1,8}").prop_map(|(token, name)| (token, TokenPlacement::Header(name))),
        "[0-9A-Za-z._~-]{12,60}".prop_map(|token| (token, TokenPlacement::Subprotocol)),
    ]
}

/// Returns all outputs of a probe of a server that sends back everything that it receives.
async fn all_outputs(token: &str, placement: &TokenPlacement, refuses: bool) -> Vec<String> {
    let copy = token.to_owned();
    let url = serve(move |mut peer| {
        let token = copy.clone();
        async move {
            let head = peer.head.clone();
            if refuses {
                let body = format!("{{\"message\":{}}} {head}", serde_json::Value::from(token.as_str()));
                let answer = format!(
                    "HTTP/1.1 403 {token}\r\nX-Echo: {token}\r\nSet-Cookie: {token}\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                return peer.write(answer.as_bytes()).await;
            }
            peer.accept(&format!("X-Echo: {token}\r\n")).await;
            peer.text(&head).await;
            peer.text(&serde_json::json!({ "message": token, "connectionId": "a", "requestId": "b" }).to_string()).await;
            peer.close(4000, &token).await;
        }
    })
    .await;
    let target = ProbeTarget::new(&url).unwrap();
    let debug = format!("{:?}", target.clone().token(&Secret::new(token), placement));
    let target = target.token(&Secret::new(token), placement).unwrap();
    let plan = ProbePlan {
        caller: ProbeCaller::with_token(None, placement),
        expected_status: 101,
        sends: vec![format!("here is {token}")],
        expects: vec![
            Expectation::parse(token),
            Expectation::parse(&format!("[\"{token}\"]")),
        ],
        timeout: Duration::from_secs(5),
        hold: Some(Duration::from_secs(5)),
        ping_every: None,
        expected_close: None,
        load: None,
        close: ClientClose::Bare,
    };
    let mut outputs = vec![debug, format!("{plan:?}"), target.url()];
    let mut events = Vec::new();
    let report = run(&target, &plan, std::future::pending(), &mut |it| {
        events.push(format!("{it:?}"))
    })
    .await;
    outputs.extend(events);
    outputs.push(format!("{report:?}"));
    outputs.push(serde_json::to_string(&report).unwrap());
    outputs.push(serde_json::to_string(&report.browser()).unwrap());
    outputs.push(format!("{:?}", explain(&report)));
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_output_contains_the_token((token, placement) in token_and_placement(), refuses in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outputs = runtime.block_on(all_outputs(&token, &placement, refuses));
        let json = serde_json::Value::from(token.as_str()).to_string();
        let encodings = [token.as_str(), json.trim_matches('"')];
        for text in &outputs {
            for encoding in encodings {
                prop_assert!(!text.contains(encoding), "{text}");
            }
        }
        let hidden = outputs.iter().any(|text| text.contains(HIDDEN));
        prop_assert!(hidden);
    }
}
