//! Tests of the reconciler's binary. The rules have tests on simulated time.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use stackgen_websocket::{Clock, SystemClock};

use crate::stack::{CONNECTION, DISCONNECT, RECONCILER, Stack, answer, nowhere, socket};
use stackgen_websocket_testing::InvocationResult;

#[tokio::test]
async fn a_run_probes_quiet_connections_and_keeps_those_that_are_open() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let mut connection = stack.function(CONNECTION).await;
    for id in ["cXVpZXQ=", "YWxpdmU="] {
        let event = socket(id).connect(&[("sessionId", &session)], &[]);
        assert_eq!(answer(&mut connection, &event).await["statusCode"], 200);
    }
    let table = &stack.database.tables.connections;
    let an_hour_ago = SystemClock.now().as_millis() - 3_600_000;
    for mut record in stack.database.scan(table).await {
        if record["connectionId"].as_s().unwrap() == "cXVpZXQ=" {
            let time = AttributeValue::N(an_hour_ago.to_string());
            record.insert("connectedAt".to_owned(), time.clone());
            record.insert("lastSeenAt".to_owned(), time);
            stack.database.put(table, record).await;
        }
    }
    let mut reconciler = stack.function(RECONCILER).await;
    let report = answer(&mut reconciler, &json!({"source": "aws.scheduler"})).await;
    let expected =
        json!({"records": 2, "probed": 1, "removed": 0, "corrected": 0, "isComplete": true});
    assert_eq!(report, expected);
    let requests = stack.management.requests();
    let probes: Vec<_> = requests
        .iter()
        .map(|request| (request.method.as_str(), request.connection_id.as_str()))
        .collect();
    assert_eq!(probes, [("GET", "cXVpZXQ=")]);
    // It is no longer quiet.
    let report = answer(&mut reconciler, &json!({})).await;
    assert_eq!(report["probed"], 0);
    let mut disconnect = stack.function(DISCONNECT).await;
    let closed = socket("cXVpZXQ=").disconnect(1001, "");
    answer(&mut disconnect, &closed).await;
    assert_eq!(stack.database.scan(table).await.len(), 1);
}

#[tokio::test]
async fn a_run_that_cannot_read_the_tables_fails_so_that_its_alarm_is_raised() {
    let stack = Stack::start().await;
    let (_port, nowhere) = nowhere();
    let unreachable = [("AWS_ENDPOINT_URL_DYNAMODB", nowhere.as_str())];
    let mut reconciler = stack.function_with(RECONCILER, &unreachable).await;
    let result = reconciler.invoke(&json!({})).await.unwrap();
    let InvocationResult::Error { message, .. } = result else {
        panic!("{result:?}");
    };
    assert!(
        message.contains("cannot reconcile connections"),
        "{message}"
    );
}
