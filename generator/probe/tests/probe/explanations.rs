//! Explanations of reports.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use stackgen_probe::{
    Certainty, ClosedBy, ConnectError, ConnectStep, ConnectionEnd, Explanation, HandshakeOutcome,
    HandshakeResponse, Header, Observation, ObservationKind, ProbeCaller, ProbeReport, ProbeTarget,
    Timings, explain,
};
use stackgen_probe::{RecordSubject, ServerRecord, explain_with_records};

pub(crate) fn handshake(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Box<HandshakeResponse> {
    let header = |(name, value): &(&str, &str)| Header {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Box::new(HandshakeResponse {
        status,
        reason: String::new(),
        headers: headers.iter().map(header).collect(),
        body: body.to_owned(),
        subprotocol: None,
        violations: Vec::new(),
        peer: "127.0.0.1:443".parse().unwrap(),
        proxy: None,
        tls: None,
        timings: Timings {
            upgrade: Duration::from_millis(120),
            ..Timings::default()
        },
    })
}

pub(crate) fn report(outcome: HandshakeOutcome) -> ProbeReport {
    let target = ProbeTarget::new("wss://abc.execute-api.eu-west-1.amazonaws.com/prod").unwrap();
    ProbeReport::new(&target, ProbeCaller::Anonymous, outcome)
}

fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<Explanation> {
    explain(&report(HandshakeOutcome::Handshake(handshake(
        status, headers, body,
    ))))
}

fn open(observations: impl IntoIterator<Item = (u64, ObservationKind)>) -> ProbeReport {
    let mut report = report(HandshakeOutcome::Handshake(handshake(101, &[], "")));
    for (seconds, kind) in observations {
        let at = Duration::from_secs(seconds);
        if let ObservationKind::Closed(close) = &kind {
            report.close = Some(close.clone());
            report.age = Some(at);
        }
        report.observations.push(Observation { at, kind });
    }
    report
}

fn ended(seconds: u64, code: u16, by: ClosedBy) -> (u64, ObservationKind) {
    let reason = String::new();
    (
        seconds,
        ObservationKind::Closed(ConnectionEnd {
            code,
            reason,
            by,
            clean: by != ClosedBy::Network,
        }),
    )
}

fn received(message: &str) -> ObservationKind {
    let text = format!(r#"{{"message": "{message}", "connectionId":"a=", "requestId":"b="}}"#);
    let error = Some(message.to_owned());
    ObservationKind::Received {
        bytes: text.len(),
        text,
        error,
    }
}

fn sent(bytes: usize) -> ObservationKind {
    ObservationKind::Sent {
        text: String::new(),
        bytes,
    }
}

/// Returns the rows of the likeliest explanation.
fn rows(explanations: &[Explanation]) -> Vec<Cow<'static, str>> {
    explanations
        .first()
        .map(|explanation| explanation.rows.clone())
        .unwrap_or_default()
}

#[test]
fn rows_a2_and_a6_a_401_means_a_missing_source_without_a_token_and_a_bad_token_with_one() {
    assert_eq!(rows(&refused(401, &[], "")), ["A2", "A3"]);
    let mut report = report(HandshakeOutcome::Handshake(handshake(401, &[], "")));
    report.caller = ProbeCaller::Authenticated {
        name: None,
        token_in: "query",
    };
    assert_eq!(rows(&explain(&report)), ["A6"]);
    let all: Vec<_> = explain(&report).into_iter().map(|it| it.rows).collect();
    assert_eq!(all, [vec!["A6"], vec!["A2", "A3"], vec!["C5", "C9"]]);
}

#[test]
fn a_403_is_explained_by_its_message_and_headers() {
    let id = ("x-amzn-RequestId", "r");
    let plain = refused(
        403,
        &[id, ("x-amzn-ErrorType", "ForbiddenException")],
        r#"{"message":"Forbidden"}"#,
    );
    assert_eq!(rows(&plain), ["C3"]);
    assert!(plain.iter().any(|it| it.rows == ["A15"]), "{plain:?}");
    assert!(
        plain.iter().any(|it| it.rows.contains(&"A5".into())),
        "{plain:?}"
    );
    let answer = handshake(403, &[id], r#"{"message":"Forbidden"}"#);
    let mut with_token = report(HandshakeOutcome::Handshake(answer));
    with_token.caller = ProbeCaller::Authenticated {
        name: None,
        token_in: "query",
    };
    assert_eq!(rows(&explain(&with_token)), ["A5", "A13"]);
    let denied = refused(
        403,
        &[id, ("x-amzn-ErrorType", "AccessDeniedException")],
        r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
    );
    assert_eq!(rows(&denied), ["A5", "A13"]);
    let unsigned = refused(403, &[id], r#"{"message":"Missing Authentication Token"}"#);
    assert_eq!(rows(&unsigned), ["A14"]);
    let between = refused(403, &[("Server", "CloudFront")], "<html>");
    assert_eq!(rows(&between), ["L9", "X2"]);
}

#[test]
fn every_status_of_a_refusal_has_its_rows() {
    let expected: [(u16, &[&str]); 12] = [
        (200, &["X2"]),
        (301, &["C5", "X2"]),
        (400, &["C5", "C9"]),
        (404, &["X2", "L8"]),
        (418, &["C5", "C9"]),
        (426, &["C4"]),
        (429, &["D18", "L5"]),
        (500, &["A7", "A8", "A9"]),
        (501, &["C5", "C9"]),
        (502, &["C6"]),
        (503, &["C5", "C9"]),
        (504, &["C8"]),
    ];
    for (status, expected) in expected {
        assert_eq!(
            rows(&refused(status, &[("x-amzn-RequestId", "r")], "")),
            expected,
            "{status}"
        );
    }
}

#[test]
fn row_c5_a_404_that_names_its_connection_comes_from_the_connect_integration() {
    let body = r#"{"message":"Not Found","connectionId":"abc=","requestId":"def="}"#;
    let explanations = refused(404, &[("x-amzn-RequestId", "def=")], body);
    assert_eq!(rows(&explanations), ["C5", "C9"]);
    assert_eq!(explanations.len(), 1, "{explanations:?}");
    assert_eq!(explanations[0].certainty, Certainty::Likely);
    let seen = "the body names a connectionId, as only WebSocket APIs do";
    assert!(
        explanations[0].evidence.contains(&seen.to_owned()),
        "{explanations:?}"
    );
}

#[test]
fn a_404_without_a_connection_id_may_still_come_from_the_connect_integration() {
    for body in [
        "",
        r#"{"message":"Not Found"}"#,
        r#"{"connectionId":"abc="}"#,
    ] {
        let found: Vec<_> = refused(404, &[("apigw-requestid", "r")], body)
            .into_iter()
            .map(|it| it.rows)
            .collect();
        assert_eq!(found, [vec!["X2", "L8"], vec!["C5", "C9"]], "{body}");
    }
}

fn record(subject: RecordSubject, message: &str, reason: &str, row: &str) -> ServerRecord {
    ServerRecord {
        subject,
        message: message.to_owned(),
        reason: reason.to_owned(),
        row: row.to_owned(),
        details: vec!["route send".to_owned()],
    }
}

#[test]
fn the_recorded_failure_of_a_handshake_replaces_guesses() {
    let report = report(HandshakeOutcome::Handshake(handshake(403, &[], "")));
    assert_eq!(explain(&report).len(), 4);
    let reason = "the policy has no Allow for it";
    let recorded = record(RecordSubject::Handshake, "Forbidden", reason, "A5");
    insta::assert_debug_snapshot!(explain_with_records(&report, &[recorded]), @r#"
    [
        Explanation {
            cause: "The local gateway reports: the policy has no Allow for it.",
            evidence: [
                "403 after 0.120 s",
                "local gateway: route send",
            ],
            next_step: "Check the policy that the authorizer returns. It must allow execute-api:Invoke on the event's methodArn, `…/{stage}/$connect`; `…/{stage}/*/*` does not match it.",
            rows: [
                "A5",
            ],
            certainty: Certain,
            doubts: [],
        },
    ]
    "#);
    let other = record(RecordSubject::Message, "Forbidden", reason, "M3");
    assert_eq!(explain_with_records(&report, &[other]), explain(&report));
}

#[test]
fn a_recorded_reason_without_a_matching_guess_has_a_next_step() {
    let report = report(HandshakeOutcome::Handshake(handshake(400, &[], "")));
    let reason = "Missing required request parameters: [room]";
    let recorded = record(RecordSubject::Handshake, reason, reason, "M9");
    let explanations = explain_with_records(&report, &[recorded]);
    assert_eq!(rows(&explanations), ["M9"]);
    assert_eq!(
        explanations[0].next_step,
        "Read the output of `stackgen dev` for this moment."
    );
}

#[test]
fn recorded_error_frames_are_grouped_by_reason() {
    let message = "Internal server error";
    let recorded = [
        record(
            RecordSubject::Message,
            message,
            "the function failed with Error",
            "M4",
        ),
        record(RecordSubject::Message, message, "no permission", "C7"),
        record(
            RecordSubject::Message,
            message,
            "the function failed with Error",
            "M4",
        ),
    ];
    let forbidden = received("Forbidden");
    let frames = [
        received(message),
        received(message),
        received(message),
        forbidden,
    ];
    let report = open(frames.map(|frame| (1, frame)));
    let explanations = explain_with_records(&report, &recorded);
    let seen: Vec<_> = explanations
        .iter()
        .map(|it| (it.rows.clone(), it.certainty, it.evidence[0].clone()))
        .collect();
    let row = |row: &'static str| vec![Cow::Borrowed(row)];
    let observed = |count| format!("{count} × \"{message}\"; the connection stayed open");
    assert_eq!(seen[0], (row("M4"), Certainty::Certain, observed(2)));
    assert_eq!(seen[1], (row("C7"), Certainty::Certain, observed(1)));
    assert_eq!(seen[2].0, ["M3", "D1"]);
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_recorded_close_replaces_the_guess_by_age() {
    let report = open([ended(5, 1001, ClosedBy::Server)]);
    let reason = "no data was sent or received for too long";
    let recorded = record(RecordSubject::Connection, "Going away", reason, "M13");
    let explanations = explain_with_records(&report, &[recorded]);
    assert_eq!(rows(&explanations), ["M13"]);
    assert_eq!(explanations[0].certainty, Certainty::Certain);
    assert_eq!(explanations[0].evidence[0], "1001 at an age of 5.0 s");
    let ours = open([ended(5, 1000, ClosedBy::Client)]);
    let recorded = record(RecordSubject::Connection, "Going away", reason, "M13");
    assert_eq!(explain_with_records(&ours, &[recorded]), []);
}

#[test]
fn an_explanation_has_a_cause_evidence_and_a_next_step() {
    insta::assert_debug_snapshot!(refused(426, &[], "")[0], @r#"
    Explanation {
        cause: "The server received a plain HTTP request: `Upgrade: websocket` was removed on the way.",
        evidence: [
            "426 after 0.120 s",
        ],
        next_step: "Check what is in between: a proxy, a load balancer or a CloudFront policy may not forward `Upgrade` and `Connection`.",
        rows: [
            "C4",
        ],
        certainty: Likely,
        doubts: [
            "row C4: folklore, or a single weak report",
        ],
    }
    "#);
}

#[test]
fn row_c10_a_101_without_the_offered_subprotocol_fails_browsers() {
    let mut report = open([ended(1, 1000, ClosedBy::Client)]);
    assert_eq!(explain(&report), []);
    assert!(report.browser().opens);
    report.subprotocols = vec!["chat".to_owned()];
    assert_eq!(rows(&explain(&report)), ["C10", "C9"]);
    assert_eq!(
        (report.browser().opens, report.browser().code),
        (false, Some(1006))
    );
}

#[test]
fn error_frames_are_explained_once_per_kind() {
    let expected = [
        ("Forbidden", "M3"),
        ("Internal server error", "M4"),
        ("Endpoint request timed out", "M5"),
        ("Bad request body", "M6"),
        ("Too Many Requests", "M19"),
    ];
    let report = open(
        expected
            .iter()
            .chain(&expected)
            .map(|(message, _)| (1, received(message))),
    );
    let rows: Vec<_> = explain(&report)
        .iter()
        .map(|explanation| explanation.rows[0].clone())
        .collect();
    assert_eq!(rows, expected.map(|(_, row)| row));
    assert!(explain(&report)[0].evidence[0].starts_with("2 × \"Forbidden\""));
}

#[test]
fn rows_m7_and_m8_silence_means_a_one_way_route() {
    let waited = Duration::from_secs(5);
    let report = open([(0, sent(2)), (5, ObservationKind::Silence { waited })]);
    assert_eq!(rows(&explain(&report)), ["M7", "M8"]);
}

/// Observations and the rows that explain them.
type Case<'a> = (&'a [(u64, ObservationKind)], &'a [&'a str]);

#[test]
fn close_codes_are_explained_by_code_and_age() {
    let expected: [Case<'_>; 14] = [
        (&[ended(9, 1000, ClosedBy::Server)], &["M15", "X4"]),
        (&[ended(600, 1001, ClosedBy::Server)], &["M13", "X4"]),
        (
            &[(30, sent(2)), ended(631, 1001, ClosedBy::Server)],
            &["M13", "X4"],
        ),
        (
            &[
                (9, ObservationKind::PingSent),
                ended(601, 1001, ClosedBy::Server),
            ],
            &["M13", "M12", "X4"],
        ),
        (
            &[(7000, sent(2)), ended(7200, 1001, ClosedBy::Server)],
            &["M14", "X4"],
        ),
        (&[ended(17, 1001, ClosedBy::Server)], &["M13", "X4"]),
        (&[ended(1, 1003, ClosedBy::Server)], &["M10", "X4"]),
        (&[ended(1, 1005, ClosedBy::Server)], &["X1"]),
        (
            &[(0, sent(40_000)), ended(1, 1009, ClosedBy::Server)],
            &["M11", "X4"],
        ),
        (&[ended(1, 1011, ClosedBy::Server)], &["X4"]),
        (&[ended(20, 1006, ClosedBy::Network)], &["X3"]),
        (&[ended(600, 1006, ClosedBy::Network)], &["X3", "M13"]),
        (&[ended(7201, 1006, ClosedBy::Network)], &["X3", "M14"]),
        (
            &[(0, sent(40_000)), ended(1, 1006, ClosedBy::Network)],
            &["M11", "X3"],
        ),
    ];
    for (observations, expected) in expected {
        let report = open(observations.iter().cloned());
        assert_eq!(rows(&explain(&report)), expected, "{observations:?}");
    }
    assert_eq!(
        explain(&open([ended(5, 1005, ClosedBy::Client)])),
        [],
        "the client closed it"
    );
}

#[test]
fn every_connect_error_is_explained() {
    let address = "127.0.0.1:1".parse().unwrap();
    let (host, reason) = (|| "h.invalid".to_owned(), || "because".to_owned());
    let mut errors = vec![
        ConnectError::Dns {
            host: host(),
            reason: reason(),
        },
        ConnectError::Dns {
            host: "x.execute-api.y.amazonaws.com".to_owned(),
            reason: reason(),
        },
        ConnectError::Refused { address },
        ConnectError::Unreachable {
            address,
            reason: reason(),
        },
        ConnectError::Certificate {
            host: host(),
            reason: reason(),
        },
        ConnectError::NoRoots { reason: reason() },
        ConnectError::Tls {
            host: host(),
            reason: reason(),
        },
        ConnectError::Dropped {
            after_bytes: 0,
            reason: reason(),
        },
        ConnectError::NotHttp { reason: reason() },
    ];
    let after = Duration::from_secs(30);
    errors.extend(
        [
            ConnectStep::Dns,
            ConnectStep::Tcp,
            ConnectStep::Tls,
            ConnectStep::Upgrade,
        ]
        .map(|step| ConnectError::TimedOut { step, after }),
    );
    for error in errors {
        let explanations = explain(&report(HandshakeOutcome::Error(error.clone())));
        assert_eq!(explanations.len(), 1, "{error}");
        assert_eq!(explanations[0].evidence, [error.to_string()]);
        assert!(!explanations[0].next_step.is_empty());
    }
    assert_eq!(
        explain(&report(HandshakeOutcome::Error(ConnectError::Interrupted))),
        []
    );
}

#[test]
fn every_row_is_in_the_reference_and_every_doubt_is_its_tag() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let reference =
        fs::read_to_string(root.join("docs/reference/api-gateway-websocket.md")).unwrap();
    let mut cited = BTreeSet::new();
    for (rows, doubts) in all_rows_and_doubts() {
        for row in rows {
            let anchor = format!("<a id=\"{}\">", row.to_lowercase());
            let line = reference.lines().find(|line| line.contains(&anchor));
            let line = line.unwrap_or_else(|| panic!("row {row} is not in the reference"));
            let tagged = ["[D", "[F", "[I]"].iter().any(|tag| line.contains(tag));
            let doubted = doubts
                .iter()
                .any(|doubt| doubt.starts_with(&format!("row {row}:")));
            assert_eq!(doubted, tagged, "{line}");
            cited.insert(row);
        }
    }
    assert!(cited.len() > 25, "{cited:?}");
}

/// Returns the rows and doubts of every explanation that these tests can produce.
fn all_rows_and_doubts() -> Vec<(Vec<Cow<'static, str>>, Vec<String>)> {
    let mut reports: Vec<ProbeReport> = (100..600)
        .map(|status| report(HandshakeOutcome::Handshake(handshake(status, &[], ""))))
        .collect();
    for body in ["not authorized", "signature"] {
        let body = format!(r#"{{"message":"{body}"}}"#);
        reports.push(report(HandshakeOutcome::Handshake(handshake(
            403,
            &[],
            &body,
        ))));
    }
    reports.push(report(HandshakeOutcome::Error(ConnectError::TimedOut {
        step: ConnectStep::Upgrade,
        after: Duration::from_secs(30),
    })));
    for code in 1000..1016 {
        for (seconds, by) in [
            (5, ClosedBy::Server),
            (600, ClosedBy::Server),
            (7200, ClosedBy::Server),
            (600, ClosedBy::Network),
            (7200, ClosedBy::Network),
        ] {
            let mut report = open([(1, ObservationKind::PingSent), ended(seconds, code, by)]);
            report.subprotocols = vec!["chat".to_owned()];
            reports.push(report);
        }
    }
    let frames = [
        "Forbidden",
        "Internal server error",
        "Endpoint request timed out",
        "Bad request body",
    ];
    reports.push(open(frames.map(|message| (1, received(message)))));
    reports.push(open([
        (1, received("Too Many Requests")),
        (2, received("What")),
    ]));
    reports.push(open([(
        1,
        ObservationKind::Silence {
            waited: Duration::from_secs(1),
        },
    )]));
    let explanations = reports.iter().flat_map(explain);
    explanations
        .map(|explanation| (explanation.rows, explanation.doubts))
        .collect()
}
