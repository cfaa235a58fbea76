//! What holds whatever comes: explaining ends well, and no secret comes out.

use std::time::Duration;

use proptest::prelude::*;
use stackgen_probe::{
    Caller, Close, Closing, Expectation, HIDDEN, Outcome, Plan, Report, Secret, Seen, Side, Target,
    TokenIn, error_frame, explain, run,
};

use crate::explaining::{handshake, report};
use crate::server::serve;

fn seen() -> impl Strategy<Value = Seen> {
    let text = ".{0,40}";
    prop_oneof![
        (text, any::<usize>()).prop_map(|(text, bytes)| Seen::Sent { text, bytes }),
        (text, any::<usize>(), proptest::option::of(text))
            .prop_map(|(text, bytes, error)| Seen::Received { text, bytes, error }),
        any::<usize>().prop_map(|bytes| Seen::Binary { bytes }),
        Just(Seen::PingSent),
        any::<Duration>().prop_map(|waited| Seen::Silence { waited }),
        close().prop_map(Seen::Closed),
    ]
}

fn close() -> impl Strategy<Value = Close> {
    let by = prop_oneof![Just(Side::Client), Just(Side::Server), Just(Side::Network)];
    (any::<u16>(), ".{0,20}", by, any::<bool>()).prop_map(|(code, reason, by, clean)| Close {
        code,
        reason,
        by,
        clean,
    })
}

prop_compose! {
    fn reports()(
        status in any::<u16>(),
        headers in proptest::collection::vec(("[a-zA-Z-]{1,20}", ".{0,20}"), 0..5),
        body in ".{0,60}|\\{\"message\":\"[a-zA-Z ]{0,30}\"\\}",
        subprotocols in proptest::collection::vec("[a-z]{1,5}", 0..3),
        observations in proptest::collection::vec((any::<Duration>(), seen()), 0..6),
        closed in proptest::option::of((close(), any::<Duration>())),
    ) -> Report {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut report = report(Outcome::Handshake(handshake(status, &headers, &body)));
        report.subprotocols = subprotocols;
        let observations = observations.into_iter();
        report.observations =
            observations.map(|(at, seen)| stackgen_probe::Observation { at, seen }).collect();
        if let Some((close, age)) = closed {
            (report.close, report.age) = (Some(close), Some(age));
        }
        report
    }
}

proptest! {
    #[test]
    fn every_report_is_explained_in_full_sentences_and_by_rows(report in reports()) {
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
    fn an_error_frame_is_read_or_not_and_nothing_else(text in ".{0,80}") {
        error_frame(&text);
    }
}

/// Text that a token may be: long enough that it is found by no accident.
fn token() -> impl Strategy<Value = String> {
    "[!-~]{12,60}"
}

/// How it travels; a subprotocol has fewer characters to choose from.
fn travelling() -> impl Strategy<Value = (String, TokenIn)> {
    prop_oneof![
        (token(), "[a-z]{1,8}").prop_map(|(token, name)| (token, TokenIn::Query(name))),
        token().prop_map(|token| (token, TokenIn::Header("Authorization".to_owned()))),
        (token(), "X-[a-z]{1,8}").prop_map(|(token, name)| (token, TokenIn::Header(name))),
        "[0-9A-Za-z._~-]{12,60}".prop_map(|token| (token, TokenIn::Subprotocol)),
    ]
}

/// Everything that a probe of a server which sends back all that it got says about it.
async fn everything_said(token: &str, travels: &TokenIn, refuses: bool) -> Vec<String> {
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
    let target = Target::new(&url).unwrap();
    let debug = format!("{:?}", target.clone().token(&Secret::new(token), travels));
    let target = target.token(&Secret::new(token), travels).unwrap();
    let plan = Plan {
        caller: Caller::with(None, travels),
        status: 101,
        sends: vec![format!("here is {token}")],
        expects: vec![
            Expectation::parse(token),
            Expectation::parse(&format!("[\"{token}\"]")),
        ],
        timeout: Duration::from_secs(5),
        hold: Some(Duration::from_secs(5)),
        ping_every: None,
        close_code: None,
        load: None,
        closing: Closing::Bare,
    };
    let mut said = vec![debug, format!("{plan:?}"), target.url()];
    let mut told = Vec::new();
    let report = run(&target, &plan, std::future::pending(), &mut |it| {
        told.push(format!("{it:?}"))
    })
    .await;
    said.extend(told);
    said.push(format!("{report:?}"));
    said.push(serde_json::to_string(&report).unwrap());
    said.push(serde_json::to_string(&report.browser()).unwrap());
    said.push(format!("{:?}", explain(&report)));
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_token_is_in_nothing_that_comes_out((token, travels) in travelling(), refuses in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let said = runtime.block_on(everything_said(&token, &travels, refuses));
        let json = serde_json::Value::from(token.as_str()).to_string();
        let spellings = [token.as_str(), json.trim_matches('"')];
        for text in &said {
            for spelling in spellings {
                prop_assert!(!text.contains(spelling), "{text}");
            }
        }
        let hidden = said.iter().any(|text| text.contains(HIDDEN));
        prop_assert!(hidden);
    }
}
