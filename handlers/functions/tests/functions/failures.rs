//! Tests of failures and of the errors that are reported.

use serde_json::json;
use stackgen_websocket::ConnectionId;
use stackgen_websocket_testing::{ConnectionBehavior, InvocationResult};

use crate::stack::{
    AUDIO, AUTHORIZER, CONNECTION, DISCONNECT, HTTP, Stack, answer, line, lines, nowhere, socket,
    users_socket,
};
use stackgen_websocket_testing::Function;
use stackgen_websocket_testing::events::Socket;

#[tokio::test]
async fn every_refused_handshake_has_its_status() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let mut function = stack.function(CONNECTION).await;
    let mut status = async |id: &str, query: &[(&str, &str)]| {
        let event = socket(id).connect(query, &[]);
        answer(&mut function, &event).await
    };
    let id = session.as_str();
    assert_eq!(status("a", &[]).await, json!({"statusCode": 400}));
    assert_eq!(
        status("a", &[("sessionId", "no")]).await,
        json!({"statusCode": 400})
    );
    assert_eq!(
        status("a", &[("sessionId", id), ("targetLanguage", "GERMAN")]).await,
        json!({"statusCode": 400})
    );
    assert_eq!(
        status("a", &[("sessionId", "no-where-100-k7dq2m9x4hw3t")]).await,
        json!({"statusCode": 404})
    );
    for name in ["a", "b", "c", "c"] {
        assert_eq!(
            status(name, &[("sessionId", id)]).await,
            json!({"statusCode": 200})
        );
    }
    assert_eq!(
        status("d", &[("sessionId", id)]).await,
        json!({"statusCode": 403}),
        "three are in"
    );
    assert_eq!(
        status("d", &[("sessionId", id), ("previousConnectionId", "b")]).await,
        json!({"statusCode": 200})
    );
    // Seven tokens are used, and there is another every six seconds.
    let mut more = 0;
    while status("e", &[("sessionId", id)]).await != json!({"statusCode": 429}) {
        more += 1;
        assert!(more < 20, "ten from here in a minute");
    }
    assert!(more >= 3, "ten from here in a minute");
}

#[tokio::test]
async fn a_caller_without_authorizer_context_is_a_listener() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let mut function = stack.function(CONNECTION).await;
    let event = Socket::new("bm9ib2R5").connect(&[("sessionId", &session)], &[]);
    assert_eq!(event["requestContext"].get("authorizer"), None);
    assert_eq!(
        answer(&mut function, &event).await,
        json!({"statusCode": 200})
    );
    let lines = lines(&function.stop().await);
    assert_eq!(
        line(&lines, "Connection record created")["role"],
        "listener"
    );
}

#[tokio::test]
async fn an_offered_subprotocol_is_echoed_without_the_token() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let mut function = stack.function(CONNECTION).await;
    let event = users_socket("bWlj", "ada").connect(
        &[("sessionId", &session)],
        &[("Sec-WebSocket-Protocol", "bearer, aaa.bbb.ccc")],
    );
    let expected = json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "bearer"}});
    assert_eq!(answer(&mut function, &event).await, expected);
}

#[tokio::test]
async fn with_unreachable_tables_connecting_is_500_and_disconnecting_200() {
    let stack = Stack::start().await;
    let (_port, nowhere) = nowhere();
    let unreachable = [("AWS_ENDPOINT_URL_DYNAMODB", nowhere.as_str())];
    let mut connection = stack.function_with(CONNECTION, &unreachable).await;
    let mut disconnect = stack.function_with(DISCONNECT, &unreachable).await;
    let socket = socket("YQ==");
    let connect = socket.connect(&[("sessionId", "a-b-100-k7dq2m9x4hw3t")], &[]);
    let message = socket.message("heartbeat", r#"{"action":"heartbeat"}"#);
    let closed = socket.disconnect(1001, "");
    let (connected, disconnected) = tokio::join!(
        answer(&mut connection, &connect),
        answer(&mut disconnect, &closed)
    );
    assert_eq!(connected, json!({"statusCode": 500}));
    assert_eq!(disconnected, json!({"statusCode": 200}));
    assert_eq!(
        answer(&mut connection, &message).await,
        json!({"statusCode": 200})
    );
    let posted = stack.posted("YQ==");
    assert_eq!(
        (&posted[0]["code"], &posted[0]["message"]),
        (
            &json!("UNAVAILABLE"),
            &json!("the server failed: try again")
        )
    );
    assert_eq!(
        line(
            &lines(&disconnect.stop().await),
            "Cannot remove the connection's record"
        )["level"],
        "ERROR"
    );
}

#[tokio::test]
async fn a_gone_sender_is_no_failure() {
    let stack = Stack::start().await;
    let mut function = stack.function(CONNECTION).await;
    stack
        .management
        .set(&ConnectionId::new("YQ=="), ConnectionBehavior::Gone);
    let event = socket("YQ==").message("$default", "hello");
    assert_eq!(
        answer(&mut function, &event).await,
        json!({"statusCode": 200})
    );
}

#[tokio::test]
async fn an_event_of_another_type_is_refused_with_a_hint() {
    let stack = Stack::start().await;
    let mut function = stack.function(CONNECTION).await;
    let event = socket("YQ==").disconnect(1000, "");
    let InvocationResult::Error {
        message,
        error_type,
    } = function.invoke(&event).await.unwrap()
    else {
        panic!("it is for the disconnect handler");
    };
    assert_eq!(error_type, "EventError");
    assert_eq!(
        message,
        "this function does not handle events of type \"DISCONNECT\": check the integrations of the API's routes"
    );
}

#[tokio::test]
async fn a_function_that_lacks_variables_names_all_of_them_and_ends() {
    let required = [
        (AUTHORIZER, &["JWT_ISSUER", "JWT_AUDIENCE"][..]),
        (
            CONNECTION,
            &[
                "SESSIONS_TABLE",
                "CONNECTIONS_TABLE",
                "RATE_LIMITS_TABLE",
                "MANAGEMENT_ENDPOINT",
            ],
        ),
        (
            DISCONNECT,
            &["SESSIONS_TABLE", "CONNECTIONS_TABLE", "MANAGEMENT_ENDPOINT"],
        ),
        (
            AUDIO,
            &[
                "SESSIONS_TABLE",
                "CONNECTIONS_TABLE",
                "RATE_LIMITS_TABLE",
                "MANAGEMENT_ENDPOINT",
            ],
        ),
        (
            HTTP,
            &[
                "SESSIONS_TABLE",
                "CONNECTIONS_TABLE",
                "RATE_LIMITS_TABLE",
                "MANAGEMENT_ENDPOINT",
            ],
        ),
    ];
    for (binary, names) in required {
        let exited = Function::start(binary, &[]).await.unwrap().exited().await;
        assert_eq!(exited.code, Some(1));
        let lines = lines(&exited.logs);
        let stopped = line(&lines, "Function stopped")["error"].as_str().unwrap();
        for name in names {
            assert!(
                stopped.contains(&format!("{name} is not set")),
                "{binary}: {stopped}"
            );
        }
    }
}

#[tokio::test]
async fn a_management_endpoint_for_clients_is_refused_with_a_hint() {
    let stack = Stack::start().await;
    let mut function = stack
        .function_with(
            DISCONNECT,
            &[("MANAGEMENT_ENDPOINT", "wss://example.com/prod")],
        )
        .await;
    let exited = function.exited().await;
    let lines = lines(&exited.logs);
    let stopped = line(&lines, "Function stopped")["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        stopped.contains("MANAGEMENT_ENDPOINT is a wss:// URL"),
        "{stopped}"
    );
    assert!(stopped.contains("https://"), "{stopped}");
}

#[tokio::test]
async fn a_connection_that_floods_the_api_is_closed() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let few = [("CONTROL_MESSAGES_PER_10_SECONDS", "2")];
    let mut function = stack.function_with(CONNECTION, &few).await;
    let eve = socket("ZXZl");
    answer(&mut function, &eve.connect(&[("sessionId", &session)], &[])).await;
    let event = eve.message("getSessionStatus", r#"{"action":"getSessionStatus"}"#);
    for _ in 0..110 {
        answer(&mut function, &event).await;
    }
    let posted = stack.posted("ZXZl");
    let errors: Vec<_> = posted.iter().filter(|one| one["type"] == "error").collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["code"], "TOO_OFTEN");
    assert_eq!(stack.management.deleted(), [ConnectionId::new("ZXZl")]);
    let logs = function.stop().await;
    let closed = logs
        .iter()
        .filter(|line| line.contains("\"Reason\":\"closed\""));
    assert_eq!(closed.count(), 1);
}
