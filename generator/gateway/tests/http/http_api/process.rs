//! HTTP APIs with a real function: a process that uses the Runtime API.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{ArnScope, Events, Settings};
use stackgen_gateway_lambda::functions::{Code, Configuration, Functions, PermissionStatement};

use super::HttpApiBuilder;
use crate::puppet::puppet;

/// Returns a Lambda with the function `f`, which API Gateway may call only for paths under `/sessions`.
async fn lambda() -> Functions {
    let logs = Arc::new(Logs::default());
    let functions = Functions::new(
        Settings::default().into(),
        Arc::default(),
        logs,
        Events::default(),
    );
    let functions = functions.unwrap();
    let configuration = Configuration {
        role: ArnScope::default().role("f"),
        timeout: Duration::from_secs(20),
        ..Configuration::default()
    };
    let code = Code::Bootstrap(puppet());
    functions
        .create_or_update("f", configuration, code)
        .await
        .unwrap();
    let permission = PermissionStatement {
        statement_id: "api".to_owned(),
        action: "lambda:InvokeFunction".to_owned(),
        principal: "apigateway.amazonaws.com".to_owned(),
        source_arn: Some(
            "arn:aws:execute-api:us-east-1:000000000000:http1/*/*/sessions/{id}".to_owned(),
        ),
        source_account: None,
    };
    functions
        .add_permission("f", None, permission, None)
        .unwrap();
    functions
}

#[tokio::test]
async fn a_process_gets_the_event_and_its_answer_reaches_the_client() {
    let builder = HttpApiBuilder::with_routes(&["GET /sessions/{id}"]);
    let running = builder.run(lambda().await, Arc::default()).await;
    let response = running.get("/sessions/7?do=echo").await;
    assert_eq!(response.status(), 200);
    let event: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(event["pathParameters"]["id"], "7");
    assert_eq!(running.get("/sessions/7?do=status:418").await.status(), 418);
    assert_eq!(running.get("/sessions/7?do=throw:x").await.status(), 500);
    assert_eq!(running.get("/sessions/7?do=exit").await.status(), 500);
    assert_eq!(running.get("/sessions/7?do=null").await.body(), "null");
}

#[tokio::test]
async fn row_c7_a_route_without_permission_to_call_the_function_is_500() {
    let builder = HttpApiBuilder::with_routes(&["GET /sessions/{id}", "GET /others"]);
    let mut running = builder.run(lambda().await, Arc::default()).await;
    assert_eq!(running.get("/others").await.status(), 500);
    let reason = running.next_event().await.3.unwrap();
    assert!(reason.contains("http1/$default/GET/others"), "{reason}");
}
