//! CloudWatch Logs: requests, and the event stream of live tail.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Value, json};
use stackgen_deploy::{AccountErrorKind, ApiId, FunctionName, StageName};
use stackgen_diagnose::logs::{
    EventsRequest, ExecutionLevel, InsightsRequest, InsightsStatus, LiveTailSession as _,
    LogService, LogSettingsReader, StoredEvent,
};

use crate::replay::{Replay, connect, error, get, sent};

#[tokio::test]
async fn log_groups_are_read_page_by_page() {
    let replay = Replay::of([
        sent(
            "POST /",
            json!({ "logGroupNamePrefix": "/aws/" }),
            200,
            json!({ "nextToken": "n", "logGroups": [{
                "logGroupName": "/aws/a", "arn": "arn:aws:logs:r:1:log-group:/aws/a:*", "storedBytes": 7, "retentionInDays": 3,
                "creationTime": 5,
            }] }),
        ),
        sent(
            "POST /",
            json!({ "logGroupNamePrefix": "/aws/", "nextToken": "n" }),
            200,
            json!({ "logGroups": [{ "logGroupName": "/aws/b", "logGroupArn": "arn:b" }] }),
        ),
    ])
    .await;
    let groups = replay.aws.log_groups("/aws/").await.unwrap();
    let found: Vec<_> = groups
        .iter()
        .map(|group| (group.name.as_str(), group.arn.as_str(), group.stored_bytes))
        .collect();
    assert_eq!(
        found,
        [
            ("/aws/a", "arn:aws:logs:r:1:log-group:/aws/a", 7),
            ("/aws/b", "arn:b", 0)
        ]
    );
    assert_eq!((groups[0].retention_days, groups[0].created), (Some(3), 5));
    replay.end();
}

#[tokio::test]
async fn events_are_read_with_their_token_and_a_repeated_token_is_refused() {
    let body = |token: Option<&str>| {
        let mut body =
            json!({ "logGroupIdentifier": "g", "startTime": 1, "endTime": 9, "limit": 10000 });
        if let Some(token) = token {
            body["nextToken"] = json!(token);
        }
        body
    };
    let event = json!({ "eventId": "e", "logStreamName": "s", "timestamp": 2, "ingestionTime": 3, "message": "m" });
    let replay = Replay::of([
        sent(
            "POST /",
            body(None),
            200,
            json!({ "events": [event], "nextToken": "n" }),
        ),
        sent(
            "POST /",
            body(Some("n")),
            200,
            json!({ "events": [], "nextToken": "n" }),
        ),
        error("POST /", body(None), 400, "AccessDeniedException", "no"),
    ])
    .await;
    let mut request = EventsRequest {
        group: "g".to_owned(),
        start: 1,
        end: Some(9),
        pattern: None,
        token: None,
    };
    let page = replay.aws.events(&request).await.unwrap();
    let expected = StoredEvent {
        id: Some("e".to_owned()),
        stream: "s".to_owned(),
        at: 2,
        ingested: 3,
        message: "m".to_owned(),
    };
    assert_eq!(page.events, [expected]);
    request.token = page.next;
    let endless = replay.aws.events(&request).await.unwrap_err();
    assert_eq!(endless.kind, AccountErrorKind::Refused);
    request.token = None;
    let denied = replay.aws.events(&request).await.unwrap_err();
    assert_eq!(
        denied.hint().unwrap(),
        "the caller needs logs:FilterLogEvents on log group g"
    );
    replay.end();
}

#[tokio::test]
async fn a_query_is_started_and_its_results_are_read() {
    let query = json!({ "logGroupNames": ["g"], "startTime": 1, "endTime": 2, "queryString": "q", "limit": 3 });
    let row = json!([{ "field": "@message", "value": "m" }]);
    let replay = Replay::of([
        sent("POST /", query, 200, json!({ "queryId": "id" })),
        sent("POST /", json!({ "queryId": "id" }), 200, json!({ "status": "Running", "results": [] })),
        sent(
            "POST /",
            json!({ "queryId": "id" }),
            200,
            json!({ "status": "Complete", "results": [row], "statistics": { "bytesScanned": 12.0 } }),
        ),
        sent("POST /", json!({ "queryId": "id" }), 200, json!({ "success": true })),
    ])
    .await;
    let request = InsightsRequest {
        groups: vec!["g".to_owned()],
        start: 1,
        end: 2,
        query: "q".to_owned(),
        limit: 3,
    };
    let id = replay.aws.start_query(&request).await.unwrap();
    let running = replay.aws.query_results(&id).await.unwrap();
    assert_eq!(running.status, InsightsStatus::Running);
    let results = replay.aws.query_results(&id).await.unwrap();
    assert_eq!(
        (results.status, results.scanned_bytes),
        (InsightsStatus::Complete, 12)
    );
    assert_eq!(results.rows, [[("@message".to_owned(), "m".to_owned())]]);
    replay.aws.stop_query(&id).await.unwrap();
    replay.end();
}

#[tokio::test]
async fn log_settings_of_stages_and_functions_are_read() {
    let stage = json!({
        "stageName": "prod", "accessLogSettings": { "destinationArn": "arn:g", "format": "f" },
        "defaultRouteSettings": { "loggingLevel": "ERROR", "dataTraceEnabled": true },
        "routeSettings": { "say": { "loggingLevel": "INFO" } },
    });
    let logging = json!({ "LogGroup": "own", "LogFormat": "JSON", "ApplicationLogLevel": "WARN", "SystemLogLevel": "INFO" });
    let replay = Replay::of([
        get("GET /v2/apis/a1/stages/prod", stage),
        get("GET /v2/apis/a1/stages/dev", json!({ "stageName": "dev" })),
        get(
            "GET /2015-03-31/functions/f/configuration",
            json!({ "LoggingConfig": logging }),
        ),
        get("GET /2015-03-31/functions/g/configuration", json!({})),
    ])
    .await;
    let api = ApiId::new("a1");
    let found = replay
        .aws
        .stage_logs(&api, &StageName::new("prod"))
        .await
        .unwrap();
    assert_eq!(found.access_log_arn.as_deref(), Some("arn:g"));
    assert_eq!(found.access_log_format.as_deref(), Some("f"));
    assert_eq!(found.execution_level, ExecutionLevel::Error);
    assert!(found.execution_differs);
    let off = replay
        .aws
        .stage_logs(&api, &StageName::new("dev"))
        .await
        .unwrap();
    assert_eq!(off, Default::default());
    let own = replay
        .aws
        .function_logs(&FunctionName::new("f"))
        .await
        .unwrap();
    assert_eq!((own.group.as_str(), own.json), ("own", true));
    assert_eq!(own.application_level.as_deref(), Some("WARN"));
    let usual = replay
        .aws
        .function_logs(&FunctionName::new("g"))
        .await
        .unwrap();
    assert_eq!(usual.group, "/aws/lambda/g");
    replay.end();
}

/// Encodes a message of an event stream, as AWS documents it.
fn message(headers: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let mut encoded = Vec::new();
    for (name, value) in headers {
        encoded.push(u8::try_from(name.len()).unwrap());
        encoded.extend(name.as_bytes());
        // A string, with its length in two bytes.
        encoded.push(7);
        encoded.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        encoded.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let total = u32::try_from(12 + encoded.len() + payload.len() + 4).unwrap();
    let mut message = total.to_be_bytes().to_vec();
    message.extend(u32::try_from(encoded.len()).unwrap().to_be_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message.extend(encoded);
    message.extend(payload.as_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xEDB8_8320 & mask);
        }
    }
    !crc
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    let headers = [
        (":message-type", "event"),
        (":event-type", kind),
        (":content-type", "application/json"),
    ];
    message(&headers, payload)
}

fn exception(kind: &str) -> Vec<u8> {
    let headers = [
        (":message-type", "exception"),
        (":exception-type", kind),
        (":content-type", "application/json"),
    ];
    message(&headers, &json!({ "message": "over" }))
}

async fn tail_of(frames: Vec<Vec<u8>>) -> String {
    let body = Bytes::from(frames.concat());
    let answer = move |headers: HeaderMap, sent: String| {
        let body = body.clone();
        async move {
            assert_eq!(headers["x-amz-target"], "Logs_20140328.StartLiveTail");
            assert!(headers["host"].to_str().unwrap().starts_with("127.0.0.1:"));
            let sent: Value = serde_json::from_str(&sent).unwrap();
            assert_eq!(sent, json!({ "logGroupIdentifiers": ["arn:g"] }));
            let response =
                Response::builder().header("content-type", "application/vnd.amazon.eventstream");
            response.body(Body::from(body)).unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn live_tail_sends_updates_until_its_time_out() {
    let result = json!({ "logStreamName": "s", "logGroupIdentifier": "arn:g", "message": "m", "timestamp": 2, "ingestionTime": 3 });
    let update = |sampled: bool, results: Value| {
        event(
            "sessionUpdate",
            &json!({ "sessionMetadata": { "sampled": sampled }, "sessionResults": results }),
        )
    };
    let endpoint = tail_of(vec![
        event("initial-response", &json!({})),
        event("sessionStart", &json!({ "sessionId": "s" })),
        update(false, json!([result])),
        update(true, json!([])),
        exception("SessionTimeoutException"),
    ])
    .await;
    let aws = connect(&endpoint).await;
    let mut session = aws.live_tail(&["arn:g".to_owned()]).await.unwrap();
    let first = session.next().await.unwrap().unwrap();
    assert_eq!((first.sampled, first.events.len()), (false, 1));
    assert_eq!(
        (
            first.events[0].group.as_str(),
            first.events[0].event.message.as_str()
        ),
        ("arn:g", "m")
    );
    assert!(session.next().await.unwrap().unwrap().sampled);
    assert_eq!(session.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_broken_live_tail_is_an_error() {
    let endpoint = tail_of(vec![exception("SessionStreamingException")]).await;
    let aws = connect(&endpoint).await;
    let mut session = aws.live_tail(&["arn:g".to_owned()]).await.unwrap();
    let broken = session.next().await.unwrap_err();
    assert_eq!(
        (broken.kind, broken.operation),
        (AccountErrorKind::Unclear, "StartLiveTail")
    );
}
