//! WebSocket APIs whose functions are real processes: one test per group of rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{ArnScope, Event, Events, RoleStore, Settings};
use stackgen_gateway_lambda::functions::{Code, Configuration, Functions, PermissionStatement};

use crate::puppet::puppet;
use crate::support::{TestApi, TestGateway};

/// Starts a gateway whose routes all call puppets. API Gateway may call functions for the routes that `permitted`
/// matches.
async fn start(test_api: TestApi, permitted: &str) -> (TestGateway, Arc<Functions>, Events) {
    let settings = Settings::default();
    let events = Events::default();
    let functions = Functions::new(
        Arc::new(settings.clone()),
        Arc::new(RoleStore::default()),
        Arc::new(Logs::default()),
        events.clone(),
    );
    let functions = Arc::new(functions.unwrap());
    for name in ["connect", "default", "disconnect", "authorize"] {
        let configuration = Configuration {
            role: ArnScope::default().role("puppet"),
            timeout: Duration::from_secs(20),
            environment: BTreeMap::from([("PUPPET".to_owned(), format!("print:{name} ran;ok"))]),
            ..Configuration::default()
        };
        functions
            .create_or_update(name, configuration, Code::Bootstrap(puppet()))
            .await
            .unwrap();
        let permission = PermissionStatement {
            statement_id: "apigateway".to_owned(),
            action: "lambda:InvokeFunction".to_owned(),
            principal: "apigateway.amazonaws.com".to_owned(),
            source_arn: Some(format!(
                "arn:aws:execute-api:us-east-1:000000000000:{permitted}"
            )),
            source_account: None,
        };
        functions
            .add_permission(name, None, permission, None)
            .unwrap();
    }
    let gateway =
        TestGateway::start_with(test_api, settings, Arc::default(), functions.clone()).await;
    let endpoint = format!("http://127.0.0.1:{}/prod", gateway.port);
    functions.set_environment_variables(BTreeMap::from([(
        "MANAGEMENT_ENDPOINT".to_owned(),
        endpoint,
    )]));
    (gateway, functions, events)
}

fn test_api() -> TestApi {
    TestApi::with(&["$connect", "$default", "$disconnect"])
}

#[tokio::test]
async fn rows_c5_to_c8_handshakes_with_processes() {
    let (gateway, functions, _) = start(test_api(), "a1b2c3d4e5/*/*").await;
    for (command, status) in [
        ("ok", 101),
        ("status:401", 401),
        ("throw:x", 502),
        ("null", 502),
        ("exit:1", 502),
    ] {
        assert_eq!(
            gateway.status(&format!("/prod?do={command}"), &[]).await,
            status,
            "{command}"
        );
    }
    let client = gateway
        .handshake("/prod?do=subprotocol:chat", &[])
        .await
        .unwrap();
    assert_eq!(client.answer.header("sec-websocket-protocol"), Some("chat"));
    test_api()
        .change_integration("$connect", |it| it.timeout_in_millis = 50)
        .serve(&gateway.plane);
    assert_eq!(gateway.status("/prod?do=sleep:20000", &[]).await, 504);
    functions.stop().await;
}

#[tokio::test]
async fn rows_c7_and_a16_without_permission_nothing_is_invoked() {
    let (mut gateway, functions, _) = start(test_api(), "a1b2c3d4e5/*/other").await;
    assert_eq!(gateway.status("/prod", &[]).await, 500);
    assert_eq!(gateway.refusal().await.1, "C7");
    test_api().authorizer(&[]).serve(&gateway.plane);
    assert_eq!(gateway.status("/prod", &[]).await, 500);
    assert_eq!(gateway.refusal().await.1, "A16");
    functions.stop().await;
}

#[tokio::test]
async fn rows_a5_to_a10_an_authorizer_with_processes() {
    let test_api = test_api()
        .authorizer(&["route.request.querystring.auth"])
        .two_way("$default");
    let (gateway, functions, _) = start(test_api, "a1b2c3d4e5/*").await;
    for (command, status) in [
        ("", 401),
        ("allow", 101),
        ("deny", 403),
        ("allow:arn:aws:execute-api:*/prod/*/*", 403),
        ("unauthorized", 401),
        ("throw:x", 500),
        ("null", 500),
    ] {
        assert_eq!(
            gateway.status(&format!("/prod?auth={command}"), &[]).await,
            status,
            "{command}"
        );
    }
    let target = "/prod?auth=context:%7B%22role%22%3A%22speaker%22%7D";
    let mut client = gateway.handshake(target, &[]).await.unwrap();
    client.send(r#"{"do":"echo"}"#).await;
    let event: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(event["requestContext"]["authorizer"]["role"], "speaker");
    functions.stop().await;
}

#[tokio::test]
async fn rows_m4_to_m8_messages_with_processes() {
    let test_api = test_api().two_way("$default");
    let (gateway, functions, _) = start(test_api, "a1b2c3d4e5/*/*").await;
    let mut client = gateway.connect().await;
    for _ in 0..50 {
        client.send(r#"{"do":"mirror"}"#).await;
    }
    for _ in 0..50 {
        assert_eq!(client.text().await, r#"{"do":"mirror"}"#);
    }
    for command in ["throw:x", "exit:1"] {
        client.send(format!(r#"{{"do":"{command}"}}"#)).await;
        let frame = client.text().await;
        assert!(
            frame.starts_with(r#"{"message": "Internal server error", "#),
            "{command}: {frame}"
        );
    }
    client.send(r#"{"do":"post:first;body:second"}"#).await;
    let mut both = [client.text().await, client.text().await];
    both.sort();
    assert_eq!(both, ["first", "second"]);
    functions.stop().await;
}

#[tokio::test]
async fn rows_m15_and_m18_a_function_deletes_its_connection_and_disconnect_runs() {
    let (gateway, functions, events) = start(test_api(), "a1b2c3d4e5/*/*").await;
    let mut lines = events.subscribe();
    let mut client = gateway.connect().await;
    client.send(r#"{"do":"delete"}"#).await;
    let closed = client.closed().await;
    assert_eq!(
        closed,
        Some((1000, "Connection Closed Normally".to_owned()))
    );
    assert_eq!(client.next().await, None);
    let ran = async {
        loop {
            if let Event::Log { line, .. } = lines.recv().await.unwrap()
                && line.contains("disconnect ran")
            {
                return;
            }
        }
    };
    crate::support::within_timeout(ran).await;
    functions.stop().await;
}
