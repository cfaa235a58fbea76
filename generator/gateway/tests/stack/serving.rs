//! Served templates, with real sockets and processes, and with the roles and variables of the templates.

use futures_util::{SinkExt, StreamExt};
use stackgen_cfn::Sources;
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway_stack::{StackCode, StackTemplate};
use stackgen_model::{Inputs, Model};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::puppet::puppet;
use crate::support::{api, apply, gateway, template};

/// Makes every function of the template the puppet.
pub(crate) fn with_puppets(template: StackTemplate) -> StackTemplate {
    let mut sources = Sources::new();
    let source = sources.add(template.file.as_str(), template.text.as_str());
    let node = stackgen_cfn::parse(source).expect("a template");
    let model = Model::from_template(&node, &Inputs::none());
    let functions = model.functions.iter();
    let code = functions.map(|function| {
        let id = function.resource.logical_id.to_string();
        (id, StackCode::Program(puppet()))
    });
    StackTemplate {
        code: code.collect(),
        ..template
    }
}

pub(crate) type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

pub(crate) async fn connect(gateway: &Gateway, name: &str, path: &str) -> Socket {
    let endpoint = api(gateway, name).api_endpoint.clone().expect("a port");
    let authority = endpoint.trim_start_matches("ws://");
    let stream = tokio::net::TcpStream::connect(authority).await;
    let stream = tokio_tungstenite::MaybeTlsStream::Plain(stream.expect("a connection"));
    let url = format!("{endpoint}{path}");
    let connected = tokio_tungstenite::client_async(url, stream).await;
    connected.expect("a handshake").0
}

pub(crate) async fn receive(socket: &mut Socket) -> String {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Asserts that the authorizer allows, that a route's function posts to its connection with its role, and that the shutdown
/// closes the connection with 1012.
async fn assert_serves(file: &str, name: &str, path: &str) {
    let gateway = gateway().await;
    apply(&gateway, with_puppets(template(file))).await;
    let mut socket = connect(&gateway, name, path).await;
    let message = r#"{"action":"sendAudio","do":"post:heard"}"#;
    socket.send(message.into()).await.expect("sent");
    assert_eq!(receive(&mut socket).await, "heard", "{file}");
    assert_eq!(gateway.connections(), 1);

    let ended = tokio::spawn(gateway.shutdown());
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.code, CloseCode::Restart),
        other => panic!("{other:?}"),
    }
    drop(socket);
    ended.await.expect("the gateway stops");
}

#[tokio::test]
async fn row_k1_the_flagships_functions_reach_their_connections() {
    let path = "/prod?auth=allow&do=ok";
    assert_serves("out/dev/template.yaml", "session-websocket-api-dev", path).await;
}

#[tokio::test]
async fn row_d19_the_pinned_flagship_serves_versions() {
    let path = "/prod?auth=allow&do=ok";
    assert_serves("out/prod/template.yaml", "session-websocket-api-prod", path).await;
}

#[tokio::test]
async fn templates_of_sam_and_cdk_are_served() {
    let path = "/prod?auth=allow&do=ok";
    let cdk = "generator/model/tests/fixtures/cdk/dev.template.json";
    assert_serves(cdk, "session-websocket-api-dev", path).await;
    assert_serves("out/dev/sam.yaml", "session-websocket-api-dev", path).await;
}

#[tokio::test]
async fn row_d1_changed_code_is_live_and_a_pinned_stage_calls_the_old_version() {
    for (file, name, live) in [
        ("out/dev/template.yaml", "session-websocket-api-dev", true),
        (
            "out/prod/template.yaml",
            "session-websocket-api-prod",
            false,
        ),
    ] {
        let gateway = gateway().await;
        let first = with_puppets(template(file));
        apply(&gateway, first.clone()).await;
        let path = "/prod?auth=allow&do=ok";
        let mut socket = connect(&gateway, name, path).await;
        // The same program with another environment variable, which a version contains.
        let changed = first.text.replace("LISTENERS_PER_INVOCATION", "PUPPET");
        let changed = changed.replace("'250'", "'post:changed'");
        assert_ne!(changed, first.text);
        let changed = StackTemplate {
            text: changed,
            ..first
        };
        apply(&gateway, crate::support::without_deployments(changed)).await;
        let plain = r#"{"action":"sendAudio"}"#;
        socket.send(plain.into()).await.expect("sent");
        let with_command = r#"{"action":"sendAudio","do":"post:command"}"#;
        socket.send(with_command.into()).await.expect("sent");
        let first = if live { "changed" } else { "command" };
        assert_eq!(receive(&mut socket).await, first, "{file}");
        drop(socket);
        gateway.shutdown().await;
    }
}
