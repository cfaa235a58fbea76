//! Open sockets while their stage is pointed at another deployment (row D21).

use serde_json::{Value, json};
use stackgen_gateway_common::Place;

use crate::support::{Client, Reply, Stack, World};

/// Returns a deployment whose routes call their own functions: `old-send`, `new-send`.
fn deployment(name: &str, routes: &[&str]) -> Stack {
    let stack = Stack::with(routes).authorizer(&[]);
    routes.iter().fold(stack, |stack, route| {
        let function = format!("{name}-{}", route.trim_start_matches('$'));
        let uri = Place::default().function(function).invocation_uri();
        stack.change_integration(route, |integration| {
            integration.integration_uri = Some(uri);
        })
    })
}

/// Starts a gateway whose stage serves the old deployment, and opens a socket.
async fn opened() -> (World, Client) {
    let routes = &["$connect", "$disconnect", "send", "removed"];
    let world = deployment("old", routes).two_way("send").start().await;
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    let output = json!({"principalId": "alice", "policyDocument": policy});
    world.functions.always("authorize", Reply::Json(output));
    let client = world.connect().await;
    world.functions.event("old-connect").await;
    (world, client)
}

fn move_stage(world: &World) {
    let routes = &["$connect", "$disconnect", "send", "added"];
    deployment("new", routes).serve(&world.plane);
}

#[tokio::test]
async fn row_d21_an_open_socket_stays_and_its_next_message_takes_a_route_of_the_new_deployment() {
    let (world, mut client) = opened().await;
    move_stage(&world);
    client.send(r#"{"action":"send"}"#).await;
    let event = world.functions.event("new-send").await;
    assert_eq!(
        event["requestContext"]["authorizer"]["principalId"],
        "alice"
    );
    client.send(r#"{"action":"added"}"#).await;
    world.functions.event("new-added").await;
    client.send(r#"{"action":"removed"}"#).await;
    let frame: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(frame["message"], "Forbidden");
    assert_eq!(world.plane.connections.len(), 1);
    assert_eq!(world.functions.calls("old-send"), 0);
}

#[tokio::test]
async fn row_d21_connect_is_not_asked_again_and_the_new_deployment_gets_the_disconnect() {
    let (world, mut client) = opened().await;
    let asked = world.functions.calls("authorize");
    move_stage(&world);
    client.close(Some((1000, ""))).await;
    world.functions.event("new-disconnect").await;
    assert_eq!(world.functions.calls("authorize"), asked);
    assert_eq!(world.functions.calls("new-connect"), 0);
    assert_eq!(world.functions.calls("old-disconnect"), 0);
}

#[tokio::test]
async fn row_d21_a_message_that_a_function_has_meanwhile_is_answered_by_the_old_deployment() {
    let (world, mut client) = opened().await;
    let held = Reply::Held(json!({"statusCode": 200, "body": "old"}));
    world.functions.always("old-send", held);
    client.send(r#"{"action":"send"}"#).await;
    world.functions.event("old-send").await;
    move_stage(&world);
    world.functions.release(1);
    assert_eq!(client.text().await, "old");
    client.send(r#"{"action":"send"}"#).await;
    world.functions.event("new-send").await;
}
