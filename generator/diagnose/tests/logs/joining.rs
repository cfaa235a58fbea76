//! Joining lines to connections.

use std::sync::Arc;

use stackgen_diagnose::logs::{
    AccessFormat, ConnectionLives, LifeFilter, LogLine, LogSource, SourceKind, connection_lives,
};

const ONE: &str = "11111111-d5cc-4974-ae08-6e2138b2275c";
const TWO: &str = "22222222-d5cc-4974-ae08-6e2138b2275c";
const FORMAT: &str = "$context.requestId,$context.connectionId,$context.routeKey,$context.status,$context.integration.requestId";

fn sources() -> Vec<LogSource> {
    let of_kind = |name: &str, kind: SourceKind| LogSource {
        kind,
        ..LogSource::named(name)
    };
    vec![
        of_kind("access", SourceKind::Access(AccessFormat::parse(FORMAT))),
        of_kind("execution", SourceKind::Execution),
        of_kind("authorizer", SourceKind::Authorizer),
        of_kind("function", SourceKind::Function),
    ]
}

/// Joins lines of sources and streams, one millisecond apart.
fn joined(lines: &[(usize, &str, &str)]) -> (Vec<String>, ConnectionLives) {
    let entries: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(at, (source, stream, message))| LogLine {
            source: *source,
            at: i64::try_from(at).unwrap(),
            ingested: 0,
            stream: Arc::from(*stream),
            message: (*message).into(),
        })
        .collect();
    let lives = connection_lives(&sources(), &entries, &LifeFilter::default());
    let ids = lives.life_of_entry.iter().map(|life| match life {
        Some(life) => lives.lives[*life as usize].id.clone(),
        None => "-".to_owned(),
    });
    (ids.collect(), lives)
}

#[test]
fn lines_without_ids_belong_to_the_invocation_of_their_stream() {
    let start = |id: &str| format!("START RequestId: {id} Version: 1");
    let report =
        |id: &str| format!("REPORT RequestId: {id}\tDuration: 1.00 ms\tBilled Duration: 1 ms");
    let (ids, _) = joined(&[
        (3, "x", &start(ONE)),
        (3, "y", &start(TWO)),
        (3, "x", "no id"),
        (3, "y", "another"),
        (3, "x", r#"{"connectionId":"A="}"#),
        (3, "y", "connectionId: 'BBBBBBBB='"),
        (3, "x", &report(ONE)),
        (3, "x", "after the report"),
        (3, "y", &report(TWO)),
    ]);
    assert_eq!(
        ids,
        [
            "A=",
            "BBBBBBBB=",
            "A=",
            "BBBBBBBB=",
            "A=",
            "BBBBBBBB=",
            "A=",
            "-",
            "BBBBBBBB="
        ]
    );
}

#[test]
fn requests_of_the_access_log_join_execution_log_and_functions() {
    let (ids, lives) = joined(&[
        (1, "e", "(R1) WebSocket Request Route: [say]"),
        (
            1,
            "e",
            &format!("(R1) AWS Integration Endpoint RequestId : {ONE}"),
        ),
        (
            3,
            "x",
            &format!("2026-11-30T08:00:00.000Z\t{ONE}\tINFO\thello"),
        ),
        (
            3,
            "x",
            &format!("2026-11-30T08:00:00.000Z\t{TWO}\tERROR\tbroken"),
        ),
        (0, "a", "R1,C1=,say,200,-"),
        (0, "a", &format!("R2,C2=,say,500,{TWO}")),
        (1, "e", "(R9) nobody's"),
    ]);
    assert_eq!(ids, ["C1=", "C1=", "C1=", "C2=", "C1=", "C2=", "-"]);
    assert_eq!(lives.unjoined, [0, 1, 0, 0]);
    assert_eq!(lives.lives[0].id, "C2=");
    assert_eq!(lives.lives[0].problems[0].summary, "say 500");
}

#[test]
fn a_broadcast_belongs_to_its_sender_and_each_line_to_the_connection_that_it_names() {
    let line = |text: &str| format!(r#"{{"lambdaRequestId":"{ONE}",{text}}}"#);
    let (ids, _) = joined(&[
        (3, "x", &line(r#""requestId":"R1","message":"begin""#)),
        (3, "x", &line(r#""connectionId":"B=","message":"gone""#)),
        (3, "x", &line(r#""connectionId":"C=","message":"gone""#)),
        (3, "x", &line(r#""message":"end""#)),
        (0, "a", "R1,A=,say,200,-"),
    ]);
    assert_eq!(ids, ["A=", "B=", "C=", "A=", "A="]);
    // Without the request, nobody knows whose invocation it is.
    let (ids, _) = joined(&[
        (3, "x", &line(r#""connectionId":"B=","message":"gone""#)),
        (3, "x", &line(r#""connectionId":"C=","message":"gone""#)),
        (3, "x", &line(r#""message":"end""#)),
    ]);
    assert_eq!(ids, ["B=", "C=", "-"]);
}

#[test]
fn a_life_without_an_access_log_is_read_from_the_execution_log() {
    let (_, lives) = joined(&[
        (1, "e", "(R1) WebSocket Request Route: [$connect]"),
        (
            1,
            "e",
            "(R1) Client [Connection Id: C=] connected to API [a] successfully.",
        ),
        (1, "e", "(R2) WebSocket Request Route: [say]"),
        (
            1,
            "e",
            "(R2) WebSocket API [a] received message from client [Connection Id: C=].",
        ),
        (1, "e", "(R2) Method completed with status: 500"),
        (
            1,
            "e",
            "(R3) Client [Connection Id: C=] disconnected from API [a]. Close reason: [1005: Client-side close frame status not set]",
        ),
    ]);
    let life = &lives.lives[0];
    assert_eq!(life.handshake().unwrap().status, Some(101));
    assert_eq!(
        life.messages().map(|step| step.status).collect::<Vec<_>>(),
        [Some(500)]
    );
    assert_eq!(life.close.as_ref().unwrap().code, Some(1005));
    let problems: Vec<_> = life
        .problems
        .iter()
        .map(|problem| problem.summary.as_str())
        .collect();
    assert_eq!(problems, ["say 500", "closed with 1005 after 5 ms"]);
}
