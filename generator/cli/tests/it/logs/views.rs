//! Output for people: lines, the table of connections, and one life.

use serde_json::{Value, json};

use super::{EIGHT, LoggedApi, access};

const RANGE: &str = "--since 2026-11-30T07:00:00Z --until 2026-11-30T09:00:00Z";
const LAMBDA: &str = "71952965-d5cc-4974-ae08-6e2138b2275c";

/// A line: the group's short name, the stream, the time and the message.
type Line = (&'static str, &'static str, i64, String);

fn connect(connection: &str, at: i64, more: Value) -> Line {
    let mut values = json!({
        "requestId": format!("R1-{connection}"), "eventType": "CONNECT", "routeKey": "$connect", "status": 200,
        "connectionId": connection, "connectedAt": EIGHT + at, "sourceIp": "203.0.113.7", "principalId": "alice",
        "authorizerStatus": 200, "authorizerLatency": 21, "integrationStatus": 200, "integrationLatency": 16,
    });
    extend(&mut values, more);
    ("access", "s", EIGHT + at + 60, access(&values))
}

fn request(connection: &str, at: i64, route: &str, latency: u64, more: Value) -> Line {
    let mut values = json!({
        "requestId": format!("R-{connection}-{at}"), "eventType": "MESSAGE", "routeKey": route, "status": 200,
        "connectionId": connection, "integrationLatency": latency,
    });
    extend(&mut values, more);
    ("access", "s", EIGHT + at, access(&values))
}

fn extend(values: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        panic!("{more}");
    };
    values.as_object_mut().unwrap().extend(more);
}

/// Writes the lives of three connections: a healthy one, one that the client closes after a second, and a refused one.
fn put_lives(logged: &LoggedApi) {
    let (healthy, bare, refused) = ("HealthyConnec00=", "BareClose000000=", "Refused00000000=");
    let closed = json!({
        "level": "INFO", "message": "Connection closed", "connectionId": bare, "routeKey": "$disconnect", "code": 1005,
        "reason": "Client-side close frame status not set", "sessionId": "s1",
    });
    let unauthorized = json!({
        "status": 401, "principalId": null, "authorizerStatus": null, "authorizerLatency": null, "integrationStatus": null,
        "integrationLatency": null, "errorMessage": "Unauthorized",
    });
    let forbidden = json!({ "status": 403, "errorMessage": "Forbidden" });
    let message = |at: i64, text: String| ("message", "m", EIGHT + at, text);
    logged.put(&[
        connect(healthy, 0, json!({})),
        request(healthy, 5_000, "say", 12, json!({})),
        request(healthy, 6_000, "say", 30, json!({})),
        request(healthy, 7_000, "say", 14, json!({})),
        request(healthy, 8_000, "shout", 0, forbidden),
        connect(bare, 60_000, json!({ "principalId": "bob" })),
        request(bare, 61_000, "$disconnect", 8, json!({ "eventType": "DISCONNECT" })),
        ("connection", "e", EIGHT + 61_000, closed.to_string()),
        connect(refused, 120_000, unauthorized),
        message(5_001, format!("START RequestId: {LAMBDA} Version: $LATEST\n")),
        message(5_002, format!("2026-11-30T08:00:05.002Z\t{LAMBDA}\tWARN\tslow: {{ connectionId: '{healthy}' }}")),
        message(5_003, "plain text of the same invocation".to_owned()),
        message(5_012, format!("END RequestId: {LAMBDA}\n")),
        message(5_013, format!("REPORT RequestId: {LAMBDA}\tDuration: 11.20 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\n")),
        message(70_000, "nobody knows whose line this is".to_owned()),
    ]);
}

fn filled() -> Option<LoggedApi> {
    let logged = LoggedApi::create()?;
    put_lives(&logged);
    Some(logged)
}

#[test]
fn lines_of_all_groups_are_one_stream_in_order() {
    let Some(logged) = filled() else {
        return;
    };
    let run = logged.run(RANGE);
    assert_eq!(run.code, Some(0), "{run}");
    insta::assert_snapshot!(run.stdout, @r#"
    2026-11-30 UTC
    08:00:00.060 access          INFO  HealthyConnec00= $connect 200 authorizer=21ms integration=16ms principalId=alice sourceIp=203.0.113.7
    08:00:05.000 access          INFO  HealthyConnec00= say 200 integration=12ms
    08:00:05.002 chat-message    WARN  HealthyConnec00= slow: { connectionId: 'HealthyConnec00=' }
    08:00:05.003 chat-message          HealthyConnec00= plain text of the same invocation
    08:00:05.013 chat-message    DEBUG HealthyConnec00= REPORT 11.2 ms, 30 MB
    08:00:06.000 access          INFO  HealthyConnec00= say 200 integration=30ms
    08:00:07.000 access          INFO  HealthyConnec00= say 200 integration=14ms
    08:00:08.000 access          ERROR HealthyConnec00= shout 403 Forbidden integration=0ms
    08:01:00.060 access          INFO  BareClose000000= $connect 200 authorizer=21ms integration=16ms principalId=bob sourceIp=203.0.113.7
    08:01:01.000 access          INFO  BareClose000000= $disconnect 200 integration=8ms
    08:01:01.000 chat-connection INFO  BareClose000000= Connection closed routeKey=$disconnect code=1005 reason="Client-side close frame status not set" sessionId=s1
    08:01:10.000 chat-message                           nobody knows whose line this is
    08:02:00.060 access          ERROR Refused00000000= $connect 401 Unauthorized sourceIp=203.0.113.7
    "#);
    let errors = logged.run(&format!("{RANGE} --level warn"));
    insta::assert_snapshot!(errors.stdout, @"
    2026-11-30 UTC
    08:00:05.002 chat-message    WARN  HealthyConnec00= slow: { connectionId: 'HealthyConnec00=' }
    08:00:08.000 access          ERROR HealthyConnec00= shout 403 Forbidden integration=0ms
    08:02:00.060 access          ERROR Refused00000000= $connect 401 Unauthorized sourceIp=203.0.113.7
    ");
    let raw = logged.run(&format!("{RANGE} --raw"));
    assert!(
        raw.stdout
            .contains(&format!("START RequestId: {LAMBDA} Version: $LATEST")),
        "{raw}"
    );
    assert!(
        raw.stdout
            .contains(r#"{"level":"INFO","message":"Connection closed""#),
        "{raw}"
    );
}

#[test]
fn the_table_of_connections_begins_with_the_unhealthy() {
    let Some(logged) = filled() else {
        return;
    };
    let run = logged.run(&format!("{RANGE} --connections"));
    assert_eq!(run.code, Some(0), "{run}");
    insta::assert_snapshot!(run, @"
    exit 0
    --- stdout
    connection        opened          age    handshake        messages     closed  user    problem
    Refused00000000=  11-30 08:02:00         401              0                            refused 401 Unauthorized
    BareClose000000=  11-30 08:01:00  1.0 s  200, auth 21 ms  0            1005    bob s1  closed with 1005 after 1.0 s
    HealthyConnec00=  11-30 08:00:00  8.0 s  200, auth 21 ms  4, 1 failed          alice   shout 403 Forbidden

    3 connections: 1 refused or failed, 2 with a warning; closed with 1005 ×1
    lines without a connection: chat-message 1
    ");
    let limited = logged.run(&format!("{RANGE} --connections --limit 1"));
    assert!(
        limited
            .stdout
            .contains("… and 2 more; `--limit 0` shows all"),
        "{limited}"
    );
    let why = logged.run(&format!("{RANGE} --connections --why"));
    insta::assert_snapshot!(why.stdout, @"
    connection        opened          age    handshake        messages     closed  user    problem
    Refused00000000=  11-30 08:02:00         401              0                            refused 401 Unauthorized
    BareClose000000=  11-30 08:01:00  1.0 s  200, auth 21 ms  0            1005    bob s1  closed with 1005 after 1.0 s
    HealthyConnec00=  11-30 08:00:00  8.0 s  200, auth 21 ms  4, 1 failed          alice   shout 403 Forbidden

    3 connections: 1 refused or failed, 2 with a warning; closed with 1005 ×1
    lines without a connection: chat-message 1

    refused 401 Unauthorized Refused00000000=
    likely (row A2)
      The access log has no result of the authorizer for this handshake: an identity source was missing
      or empty, so API Gateway answered 401 without invoking the authorizer.
      next: Compare the authorizer's IdentitySource with what the client sends. If some callers have no
            token, the list must be empty (`callers: mixed`).

    closed with 1005 after 1.0 s BareClose000000=
    likely (rows X1, M16)
      The client called `close()` without a code: its close frame had no status. It did so 1.0 s after
      the connection was opened, as the cleanup of a React effect or a reconnect loop does.
      next: Search the client's code for `close()`. The server is not the cause.

    shout 403 Forbidden HealthyConnec00=
    certain (rows M3, D1)
      No route of the stage's deployment matches the message, and the deployment has no $default route.
      The authorizer is never the cause: API Gateway calls it only at $connect.
      next: Compare the message with RouteSelectionExpression and the route keys, character by
            character. If the route exists, the stage serves an older deployment: run `stackgen status`,
            then `stackgen deploy --redeploy-stage`.
    ");
}

#[test]
fn one_life_has_its_handshake_messages_lines_and_end() {
    let Some(logged) = filled() else {
        return;
    };
    let healthy = logged.run(&format!("{RANGE} --connection HealthyConnec00="));
    insta::assert_snapshot!(healthy.stdout, @"
    connection HealthyConnec00=  2026-11-30 UTC, user alice, 203.0.113.7
      08:00:00.060  $connect            200  authorizer allowed in 21 ms, integration 16 ms
      08:00:05.000  say                 200  integration 12 ms
      08:00:05.002    WARN  chat-message slow: { connectionId: 'HealthyConnec00=' }
      08:00:06.000  say                 200  integration 14 to 30 ms, ×2 until 08:00:07.000
      08:00:08.000  shout               403  integration 0 ms, Forbidden
      no $disconnect in this range: it is open, or ended later

    shout 403 Forbidden (rows M3, D1; `--why` shows cause and next step)
    ");
    let by_user = logged.run(&format!("{RANGE} --user bob --why"));
    insta::assert_snapshot!(by_user.stdout, @r#"
    connection BareClose000000=  2026-11-30 UTC, user bob, session s1, 203.0.113.7
      08:01:00.060  $connect            200  authorizer allowed in 21 ms, integration 16 ms
      08:01:01.000  $disconnect         200  integration 8 ms, closed with 1005 "Client-side close frame status not set" after 1.0 s

    closed with 1005 after 1.0 s
    likely (rows X1, M16)
      The client called `close()` without a code: its close frame had no status. It did so 1.0 s after
      the connection was opened, as the cleanup of a React effect or a reconnect loop does.
      next: Search the client's code for `close()`. The server is not the cause.
    "#);
    let by_session = logged.run(&format!("{RANGE} --session s1 --verbose"));
    insta::assert_snapshot!(by_session.stdout, @r#"
    connection BareClose000000=  2026-11-30 UTC, user bob, session s1, 203.0.113.7
      08:01:00.060  $connect            200  authorizer allowed in 21 ms, integration 16 ms
      08:01:01.000  $disconnect         200  integration 8 ms, closed with 1005 "Client-side close frame status not set" after 1.0 s
      08:01:01.000    INFO  chat-connection Connection closed routeKey=$disconnect code=1005 reason="Client-side close frame status not set" sessionId=s1

    closed with 1005 after 1.0 s (rows X1, M16; `--why` shows cause and next step)
    "#);
    let by_field = logged.run(&format!(
        "{RANGE} --field errorMessage=Unauthorized --field status=401 --json"
    ));
    let found = by_field.json();
    assert_eq!(
        found["connections"].as_array().unwrap().len(),
        0,
        "the message is no field"
    );
    let by_status = logged
        .run(&format!("{RANGE} --field status=401 --json"))
        .json();
    assert_eq!(
        by_status["connections"][0]["connectionId"],
        "Refused00000000="
    );
    assert_eq!(
        by_status["connections"][0]["problems"][0]["causes"][0]["rows"],
        json!(["A2"])
    );
    let nobody = logged.run(&format!("{RANGE} --user nobody"));
    assert!(
        nobody
            .stderr
            .contains("stage prod belongs to such a connection"),
        "{nobody}"
    );
}

#[test]
fn bad_times_and_selections_are_refused() {
    let Some(logged) = LoggedApi::create() else {
        return;
    };
    for line in [
        "--since yesterday",
        "--since 2026-11-30",
        "--since 1h --until 2h",
        "--user=",
        "--field name",
        "--level loud",
        "--follow --connections",
        "--follow --until 1m",
        "--raw --why",
        "--connections --level warn",
        "--why --level warn",
        "--since 2026-11-30T99:99:99Z",
        "--insights",
    ] {
        let run = logged.run(line);
        assert_eq!(run.code, Some(2), "{line}: {run}");
    }
}

#[test]
fn logs_insights_finds_a_connection_and_tells_its_price() {
    let Some(logged) = filled() else {
        return;
    };
    let run = logged.run(&format!("{RANGE} --connection HealthyConnec00= --insights"));
    assert_eq!(run.code, Some(0), "{run}");
    let plain = logged.run(&format!("{RANGE} --connection HealthyConnec00="));
    assert_eq!(run.stdout, plain.stdout);
    insta::assert_snapshot!(run.stderr, @"
    each query of Logs Insights scans about 3.3 KB; the search ends at 5.0 GB, a price of $0.03 in us-east-1
    Logs Insights scanned 6.5 KB, at a price of less than $0.01, and found 9 lines
    look up a row: stackgen explain M3
    ");
}
