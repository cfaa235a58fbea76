//! One port with and without TLS.

use futures_util::{SinkExt, StreamExt};
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::{address, client_of, connect, template, trusting};
use crate::support::{api, apply, gateway};

/// Starts a gateway with the template's API. Its function has no code.
async fn serving() -> Gateway {
    let gateway = gateway().await;
    let folder = tempfile::tempdir().expect("a folder");
    apply(&gateway, template("provided.al2023", folder.path())).await;
    gateway
}

/// Sends bytes and returns the response up to its end.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("written");
    let mut response = Vec::new();
    // Without a close_notify the end is an error.
    let _ = stream.read_to_end(&mut response).await;
    String::from_utf8_lossy(&response).into_owned()
}

fn get(path: &str, host: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn row_c4_a_port_answers_http_and_https() {
    let gateway = serving().await;
    let (client, address) = (client_of(&gateway), address(&gateway));
    let request = get("/prod", &address.to_string());
    let plain = TcpStream::connect(address).await.expect("a connection");
    let plain = exchange(plain, &request).await;
    assert!(plain.starts_with("HTTP/1.1 426 "), "{plain}");
    for name in ["127.0.0.1", "localhost", "app.localhost"] {
        let secure = connect(&client, address, name).await.expect(name);
        let secure = exchange(secure, &request).await;
        assert!(secure.starts_with("HTTP/1.1 426 "), "{name}: {secure}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_websocket_can_be_opened_with_tls() {
    let gateway = serving().await;
    let (client, address) = (client_of(&gateway), address(&gateway));
    let stream = connect(&client, address, "127.0.0.1").await;
    let url = format!("wss://{address}/prod");
    let opened = tokio_tungstenite::client_async(url, stream.expect("TLS")).await;
    let (mut socket, _) = opened.expect("a handshake");
    assert_eq!(gateway.connections(), 1);
    socket.send("hello".into()).await.expect("sent");
    // The function has no code.
    let answer = socket.next().await.expect("an answer").expect("a frame");
    let answer = answer.into_text().expect("text");
    assert!(answer.contains("Internal server error"), "{answer}");
    let stopping = tokio::spawn(gateway.shutdown());
    let close = socket.next().await.expect("a close").expect("a frame");
    let Message::Close(Some(frame)) = close else {
        panic!("{close:?}");
    };
    assert_eq!(u16::from(frame.code), 1012);
    assert!(socket.next().await.is_none());
    stopping.await.expect("stopped");
}

#[tokio::test]
async fn the_host_of_an_api_is_served_with_tls_only() {
    let gateway = serving().await;
    let (client, address) = (client_of(&gateway), address(&gateway));
    let id = &api(&gateway, "socket").api_id;
    let host = format!("{id}.execute-api.us-east-1.amazonaws.com");
    let request = get("/prod", &host);
    let secure = connect(&client, address, &host).await.expect("TLS");
    let secure = exchange(secure, &request).await;
    assert!(secure.starts_with("HTTP/1.1 426 "), "{secure}");
    let stream = connect(&client, address, &host).await.expect("TLS");
    let opened = tokio_tungstenite::client_async(format!("wss://{host}/prod"), stream).await;
    assert!(opened.is_ok(), "{opened:?}");
    let plain = TcpStream::connect(address).await.expect("a connection");
    let plain = exchange(plain, &request).await;
    assert!(plain.starts_with("HTTP/1.1 403 "), "{plain}");
    let secure = connect(&client, address, &host).await.expect("TLS");
    let foreign = exchange(secure, &get("/prod", "evil.example")).await;
    assert!(foreign.starts_with("HTTP/1.1 403 "), "{foreign}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn row_d22_a_disabled_default_endpoint_is_refused_after_a_deployment() {
    let gateway = gateway().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut disabled = template("provided.al2023", folder.path());
    let protocol = "ProtocolType: WEBSOCKET";
    assert!(disabled.text.contains(protocol));
    let disable = format!("{protocol}\n      DisableExecuteApiEndpoint: true");
    disabled.text = disabled.text.replace(protocol, &disable);
    apply(&gateway, disabled).await;
    let (client, address) = (client_of(&gateway), address(&gateway));
    let id = &api(&gateway, "socket").api_id;
    let host = format!("{id}.execute-api.us-east-1.amazonaws.com");
    let stream = connect(&client, address, &host).await.expect("TLS");
    let url = format!("wss://{host}/prod");
    let refused = tokio_tungstenite::client_async(url, stream).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("403")));
    for path in ["/prod", "/prod/@connections/abc%3D"] {
        let secure = connect(&client, address, &host).await.expect("TLS");
        let refused = exchange(secure, &get(path, &host)).await;
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    }
    // The port on loopback stands for a custom domain.
    let secure = connect(&client, address, "localhost").await.expect("TLS");
    let allowed = exchange(secure, &get("/prod", "localhost")).await;
    assert!(allowed.starts_with("HTTP/1.1 426 "), "{allowed}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn no_certificate_is_issued_for_hosts_that_the_gateway_does_not_stand_for() {
    let gateway = serving().await;
    let (client, address) = (client_of(&gateway), address(&gateway));
    for name in [
        "example.com",
        "other.execute-api.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com.evil.example",
        "chat-1.us-east-1.elb.amazonaws.com",
    ] {
        assert!(connect(&client, address, name).await.is_err(), "{name}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_certificate_for_clients_is_not_trusted_for_hosts_of_aws() {
    let gateway = serving().await;
    let address = address(&gateway);
    let host = format!(
        "{}.execute-api.us-east-1.amazonaws.com",
        api(&gateway, "socket").api_id
    );
    let client = trusting(&gateway.state().await.certificate);
    assert!(connect(&client, address, "localhost").await.is_ok());
    for name in [host.as_str(), "sqs.us-east-1.amazonaws.com"] {
        assert!(connect(&client, address, name).await.is_err(), "{name}");
        let functions = connect(&client_of(&gateway), address, name).await;
        assert!(functions.is_ok(), "{name}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_unsigned_request_to_a_host_of_aws_is_refused_with_the_name_of_the_host() {
    let gateway = gateway().await;
    let endpoint = gateway.state().await.endpoint.replace("http://", "");
    let address = endpoint.parse().expect("an address");
    let host = "sqs.us-east-1.amazonaws.com";
    let secure = connect(&client_of(&gateway), address, host)
        .await
        .expect("TLS");
    let response = exchange(secure, &get("/", host)).await;
    let (_, body) = response.split_once("\r\n\r\n").expect("a body");
    insta::assert_snapshot!(body, @r#"{"message":"Missing Authentication Token: requests must be signed, with any credentials, also those to sqs.us-east-1.amazonaws.com, which lead to the local gateway in functions","__type":"MissingAuthenticationTokenException"}"#);
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_authority_is_kept_for_the_next_start_and_another_one_is_not_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = GatewayOptions {
        authority: Some(folder.path().join("tls")),
        ..GatewayOptions::default()
    };
    let start = async |options: &GatewayOptions| {
        let gateway = Gateway::start(options.clone()).await.expect("a gateway");
        let address = gateway.state().await.endpoint.replace("http://", "");
        (gateway, address.parse().expect("an address"))
    };
    let (first, _) = start(&options).await;
    let client = trusting(&first.state().await.certificate);
    first.shutdown().await;
    let (second, address) = start(&options).await;
    assert!(connect(&client, address, "localhost").await.is_ok());
    second.shutdown().await;
    let (other, address) = start(&GatewayOptions::default()).await;
    assert!(connect(&client, address, "localhost").await.is_err());
    let own = trusting(&other.state().await.certificate);
    assert!(connect(&own, address, "localhost").await.is_ok());
    other.shutdown().await;
}

#[tokio::test]
async fn a_connection_that_starts_neither_tls_nor_http_is_refused() {
    let gateway = serving().await;
    let stream = TcpStream::connect(address(&gateway)).await;
    let response = exchange(stream.expect("a connection"), "\u{1}\u{2}\u{3}\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    let stream = TcpStream::connect(address(&gateway)).await;
    // A record that is no handshake.
    let response = exchange(
        stream.expect("a connection"),
        "\u{16}GET / HTTP/1.1\r\n\r\n",
    )
    .await;
    assert!(!response.contains("HTTP"), "{response}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn clients_that_send_nothing_do_not_delay_others() {
    let gateway = serving().await;
    let (client, address) = (client_of(&gateway), address(&gateway));
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        if silent.len() % 2 == 0 {
            stream.write_all(&[22]).await.expect("written");
        }
        silent.push(stream);
    }
    let secure = connect(&client, address, "localhost").await.expect("TLS");
    let response = exchange(secure, &get("/prod", "localhost")).await;
    assert!(response.starts_with("HTTP/1.1 426 "), "{response}");
    gateway.shutdown().await;
}
