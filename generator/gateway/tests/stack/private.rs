//! Routes under /_stackgen/, over a real socket.

use std::time::Duration;

use stackgen_gateway::gateway::{RemoteError, RemoteGateway, TokenRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{gateway, template};

/// Sends a raw request and returns the status of the answer.
async fn status(authority: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(authority).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_key_allows_applying_templates_and_minting_tokens() {
    let gateway = gateway().await;
    let endpoint = gateway.state().await.endpoint;
    let remote = RemoteGateway::new(&endpoint, gateway.key());
    let applied = remote
        .apply(&template("out/dev/template.yaml"))
        .await
        .expect("applied");
    assert!(!applied.changes.is_empty());
    let state = remote.state().await.expect("a state");
    assert_eq!(state, gateway.state().await);
    assert_eq!(state.stack.as_deref(), Some("stack"));
    let request = TokenRequest {
        subject: "ada".to_owned(),
        ..TokenRequest::default()
    };
    let token = remote.mint(&request).await.expect("a token");
    assert_eq!(token.split('.').count(), 3);
    let first = remote.rotate(false).await.expect("a key");
    assert_ne!(first, remote.rotate(true).await.expect("a key"));
    let broken = remote
        .apply(&crate::support::template_from_text("Resources: 1"))
        .await;
    assert!(matches!(broken, Err(RemoteError::Problems(problems)) if problems.len() == 1));
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_key_allows_reading_why_a_handshake_failed() {
    let gateway = gateway().await;
    let template = template("out/dev/template.yaml");
    gateway.apply(template).await.expect("applied");
    let state = gateway.state().await;
    let remote = RemoteGateway::new(&state.endpoint, gateway.key());
    let socket = state
        .apis
        .iter()
        .find(|api| api.endpoint.starts_with("ws://"));
    let authority = socket
        .expect("a WebSocket API")
        .endpoint
        .trim_start_matches("ws://");
    let mut stream = TcpStream::connect(authority).await.expect("a connection");
    let request = format!(
        "GET /nowhere HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let id = body["requestId"].as_str().expect("a request id");
    let failures = remote.failures(id).await.expect("an answer");
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].reason, "there is no stage `nowhere`");
    assert_eq!(remote.failures("other").await.expect("an answer"), []);
    let refused = RemoteGateway::new(&state.endpoint, "guess")
        .failures(id)
        .await;
    assert!(matches!(refused, Err(RemoteError::Refused(_))));
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_the_key_only_the_issuers_keys_are_readable() {
    let gateway = gateway().await;
    let state = gateway.state().await;
    let authority = state.endpoint.trim_start_matches("http://").to_owned();
    let get = |path: &str, host: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
    };
    let key = format!("x-stackgen-key: {}\r\n", gateway.key());
    let wrong = "x-stackgen-key: guess\r\n";
    let path = "/_stackgen/state";
    assert_eq!(
        status(&authority, &get(path, &authority, &key)).await,
        "200"
    );
    assert_eq!(status(&authority, &get(path, &authority, "")).await, "403");
    assert_eq!(
        status(&authority, &get(path, &authority, wrong)).await,
        "403"
    );
    // DNS rebinding: a foreign host name may resolve to loopback.
    assert_eq!(
        status(&authority, &get(path, "rebound.example", &key)).await,
        "403"
    );
    let page = format!("{key}Origin: https://page.example\r\n");
    assert_eq!(
        status(&authority, &get(path, &authority, &page)).await,
        "403"
    );
    let keys = "/_stackgen/issuer/.well-known/jwks.json";
    assert_eq!(status(&authority, &get(keys, &authority, "")).await, "200");
    let refused = RemoteGateway::new(&state.endpoint, "guess").state().await;
    assert!(matches!(refused, Err(RemoteError::Refused(_))));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_template_is_applied_completely_when_its_client_disconnects() {
    let gateway = gateway().await;
    let state = gateway.state().await;
    let authority = state.endpoint.trim_start_matches("http://").to_owned();
    let body = serde_json::to_string(&template("out/dev/template.yaml")).expect("JSON");
    let request = format!(
        "POST /_stackgen/apply HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         x-stackgen-key: {}\r\nContent-Length: {}\r\n\r\n{body}",
        gateway.key(),
        body.len()
    );
    let mut stream = TcpStream::connect(&authority).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let applies = async {
        while gateway.account().functions.list().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(stream);
        while gateway.state().await.stack.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let applied = tokio::time::timeout(Duration::from_secs(60), applies).await;
    assert!(applied.is_ok(), "the stack was never applied");
    gateway.shutdown().await;
}
