//! Tests of the binary, run as Lambda runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use stackgen_websocket_testing::Function;
use stackgen_websocket_testing::events::Socket;

#[tokio::test]
async fn a_message_comes_back_and_is_not_logged() {
    let binary = env!("CARGO_BIN_EXE_echo");
    let mut function = Function::start(binary, &[("LOG_LEVEL", "debug")])
        .await
        .unwrap();
    let socket = Socket::new("L0SM9cOFvHcCIhw=");
    for body in ["Is anybody there?", "", r#"{"action":"ping"}"#, "„Grüße“"] {
        let answer = function
            .invoke(&socket.message("$default", body))
            .await
            .unwrap();
        assert_eq!(answer.response(), json!({"statusCode": 200, "body": body}));
    }
    let logs = function.stop().await.join("\n");
    assert!(
        logs.contains(r#""connectionId":"L0SM9cOFvHcCIhw=""#),
        "{logs}"
    );
    assert!(!logs.contains("anybody"), "{logs}");
}
