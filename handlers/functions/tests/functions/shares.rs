//! Tests of audio for more listeners than one invocation serves.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use stackgen_websocket::ConnectionId;
use stackgen_websocket_testing::ConnectionBehavior;
use tokio::sync::Mutex;

use crate::stack::{AUDIO, CONNECTION, Stack, answer, line, lines, nowhere, socket, users_socket};

/// Lambda's Invoke operation. Records the invocations.
#[derive(Clone, Default)]
struct Lambda(Arc<Mutex<Vec<Invoked>>>);

#[derive(Clone, Debug, PartialEq)]
struct Invoked {
    function: String,
    query: Option<String>,
    kind: String,
    payload: Value,
}

impl Lambda {
    async fn start(self) -> String {
        let routes = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .with_state(self);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }
}

async fn invoke(
    State(Lambda(invoked)): State<Lambda>,
    Path(function): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    payload: Bytes,
) -> StatusCode {
    invoked.lock().await.push(Invoked {
        function,
        query,
        kind: headers["x-amz-invocation-type"]
            .to_str()
            .unwrap()
            .to_owned(),
        payload: serde_json::from_slice(&payload).unwrap(),
    });
    StatusCode::ACCEPTED
}

async fn room(stack: &Stack) -> String {
    let session = stack.session("ada").await;
    let mut connection = stack.function(CONNECTION).await;
    for socket in [
        users_socket("mic", "ada"),
        socket("one"),
        socket("two"),
        socket("three"),
    ] {
        let event = socket.connect(&[("sessionId", &session)], &[]);
        assert_eq!(
            answer(&mut connection, &event).await,
            json!({"statusCode": 200})
        );
    }
    session
}

fn chunk(session: &str) -> Value {
    let body = json!({"action": "sendAudio", "sessionId": session, "audioData": "QUJD".repeat(50), "timestamp": 1,
                      "format": "pcm", "chunkIndex": 1});
    users_socket("mic", "ada").message("sendAudio", &body.to_string())
}

fn received(stack: &Stack) -> Vec<usize> {
    ["one", "two", "three"]
        .map(|id| stack.posted(id).len())
        .to_vec()
}

#[tokio::test]
async fn shares_are_handed_to_invocations_of_the_same_version() {
    let stack = Stack::start().await;
    let session = room(&stack).await;
    let lambda = Lambda::default();
    let url = lambda.clone().start().await;
    let variables = [
        ("AWS_ENDPOINT_URL_LAMBDA", url.as_str()),
        ("LISTENERS_PER_INVOCATION", "1"),
    ];
    let mut audio = stack.function_with(AUDIO, &variables).await;
    answer(&mut audio, &chunk(&session)).await;
    assert_eq!(
        received(&stack).iter().sum::<usize>(),
        1,
        "one is served at once"
    );
    let invoked = lambda.0.lock().await.clone();
    assert_eq!(invoked.len(), 2);
    for other in invoked {
        let what = (
            other.function.as_str(),
            other.query.as_deref(),
            other.kind.as_str(),
        );
        assert_eq!(what, ("under-test", Some("Qualifier=%24LATEST"), "Event"));
        assert_eq!(
            answer(&mut audio, &other.payload).await,
            json!({"statusCode": 200})
        );
    }
    assert_eq!(received(&stack), [1, 1, 1]);
    // A share's lines name the request that brought the chunk, and the chunk.
    let lines = lines(&audio.stop().await);
    let request = &line(&lines, "Audio sent")["requestId"];
    assert!(request.is_string());
    let share = line(&lines, "Share sent");
    assert_eq!(
        (&share["requestId"], &share["chunkIndex"]),
        (request, &json!(1))
    );
}

#[tokio::test]
async fn the_removal_of_gone_listeners_is_handed_to_another_invocation_once() {
    let stack = Stack::start().await;
    let session = room(&stack).await;
    let gone = ConnectionId::new("two");
    stack.management.set(&gone, ConnectionBehavior::Gone);
    make_old(&stack, "two").await;
    let lambda = Lambda::default();
    let url = lambda.clone().start().await;
    let variables = [("AWS_ENDPOINT_URL_LAMBDA", url.as_str())];
    let mut audio = stack.function_with(AUDIO, &variables).await;
    for _ in 0..3 {
        answer(&mut audio, &chunk(&session)).await;
    }
    let invoked = lambda.0.lock().await.clone();
    let expected = json!({"gone": {"sessionId": session, "connectionIds": ["two"]}});
    assert_eq!(
        invoked.iter().map(|one| &one.payload).collect::<Vec<_>>(),
        [&expected]
    );
    assert_eq!(stack.management.requests().len(), 3 + 2 + 2);
    answer(&mut audio, &invoked[0].payload).await;
    let records = stack
        .database
        .scan(&stack.database.tables.connections)
        .await;
    assert_eq!(records.len(), 3);
}

/// Makes a connection older than a handshake takes, so that 410 means that it is closed.
async fn make_old(stack: &Stack, id: &str) {
    let table = &stack.database.tables.connections;
    let records = stack.database.scan(table).await;
    let record = records
        .into_iter()
        .find(|record| record["connectionId"].as_s().unwrap() == id);
    let mut record = record.unwrap();
    let connected_at = &record["connectedAt"]
        .as_n()
        .unwrap()
        .parse::<u64>()
        .unwrap();
    let earlier = AttributeValue::N((connected_at - 60_000).to_string());
    record.insert("connectedAt".to_owned(), earlier);
    stack.database.put(table, record).await;
}

#[tokio::test]
async fn shares_that_lambda_does_not_accept_are_sent_by_this_invocation() {
    let stack = Stack::start().await;
    let session = room(&stack).await;
    let (_port, nowhere) = nowhere();
    let variables = [
        ("AWS_ENDPOINT_URL_LAMBDA", nowhere.as_str()),
        ("LISTENERS_PER_INVOCATION", "2"),
    ];
    let mut audio = stack.function_with(AUDIO, &variables).await;
    answer(&mut audio, &chunk(&session)).await;
    assert_eq!(received(&stack), [1, 1, 1]);
}
