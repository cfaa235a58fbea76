//! Open sockets while their stage is pointed at another deployment (row D21).

use serde_json::{Value, json};
use stackgen_gateway_common::ArnScope;

use crate::support::{Client, Reply, TestApi, TestGateway};

/// Returns a deployment whose routes call their own functions: `old-send`, `new-send`.
fn deployment(name: &str, routes: &[&str]) -> TestApi {
    let test_api = TestApi::with(routes).authorizer(&[]);
    routes.iter().fold(test_api, |test_api, route| {
        let function = format!("{name}-{}", route.trim_start_matches('$'));
        let uri = ArnScope::default().function(function).invocation_uri();
        test_api.change_integration(route, |integration| {
            integration.integration_uri = Some(uri);
        })
    })
}

/// Starts a gateway whose stage serves the old deployment, and opens a socket.
async fn open_old_deployment() -> (TestGateway, Client) {
    let routes = &["$connect", "$disconnect", "send", "removed"];
    let gateway = deployment("old", routes).two_way("send").start().await;
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    let output = json!({"principalId": "alice", "policyDocument": policy});
    gateway.functions.always("authorize", Reply::Json(output));
    let client = gateway.connect().await;
    gateway.functions.event("old-connect").await;
    (gateway, client)
}

fn move_stage(gateway: &TestGateway) {
    let routes = &["$connect", "$disconnect", "send", "added"];
    deployment("new", routes).serve(&gateway.plane);
}

#[tokio::test]
async fn row_d21_the_next_message_of_an_open_socket_is_routed_by_the_new_deployment() {
    let (gateway, mut client) = open_old_deployment().await;
    move_stage(&gateway);
    client.send(r#"{"action":"send"}"#).await;
    let event = gateway.functions.event("new-send").await;
    assert_eq!(
        event["requestContext"]["authorizer"]["principalId"],
        "alice"
    );
    client.send(r#"{"action":"added"}"#).await;
    gateway.functions.event("new-added").await;
    client.send(r#"{"action":"removed"}"#).await;
    let frame: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(frame["message"], "Forbidden");
    assert_eq!(gateway.plane.connections.len(), 1);
    assert_eq!(gateway.functions.calls("old-send"), 0);
}

#[tokio::test]
async fn row_d21_connect_is_not_called_again_and_the_new_deployment_handles_the_disconnect() {
    let (gateway, mut client) = open_old_deployment().await;
    let calls = gateway.functions.calls("authorize");
    move_stage(&gateway);
    client.close(Some((1000, ""))).await;
    gateway.functions.event("new-disconnect").await;
    assert_eq!(gateway.functions.calls("authorize"), calls);
    assert_eq!(gateway.functions.calls("new-connect"), 0);
    assert_eq!(gateway.functions.calls("old-disconnect"), 0);
}

#[tokio::test]
async fn row_d21_a_message_in_progress_is_answered_by_the_old_deployment() {
    let (gateway, mut client) = open_old_deployment().await;
    let held = Reply::Held(json!({"statusCode": 200, "body": "old"}));
    gateway.functions.always("old-send", held);
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("old-send").await;
    move_stage(&gateway);
    gateway.functions.release(1);
    assert_eq!(client.text().await, "old");
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("new-send").await;
}
