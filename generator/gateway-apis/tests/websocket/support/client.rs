//! A WebSocket client that reads handshakes byte by byte.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::within_timeout;

/// The example key of RFC 6455 and the matching `Sec-WebSocket-Accept`.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Response to a request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Response that refuses a handshake.
pub(crate) type RefusedHandshake = Response;

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self
            .headers
            .iter()
            .filter(|(it, _)| it.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) answer: Response,
    pub(crate) socket: WebSocketStream<TcpStream>,
}

/// Opens a TCP connection and requests an upgrade.
pub(crate) async fn handshake(
    port: u16,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<Client, RefusedHandshake> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    upgrade(stream, target, headers).await
}

/// Requests an upgrade of a TCP connection.
pub(crate) async fn upgrade(
    mut stream: TcpStream,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<Client, RefusedHandshake> {
    stream.write_all(&request(target, headers)).await.unwrap();
    let (answer, rest) = within_timeout(read(&mut stream)).await;
    if answer.status != 101 {
        return Err(answer);
    }
    let socket = WebSocketStream::from_partially_read(stream, rest, Role::Client, None).await;
    Ok(Client { answer, socket })
}

/// Returns an upgrade request.
pub(crate) fn request(target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut request = format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.into_bytes()
}

/// Sends bytes and leaves the connection open.
pub(crate) async fn send(mut stream: TcpStream, bytes: Vec<u8>) -> TcpStream {
    stream.write_all(&bytes).await.unwrap();
    stream
}

/// Sends bytes and reads the response.
pub(crate) async fn raw(port: u16, request: &[u8]) -> Response {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request).await.unwrap();
    within_timeout(read(&mut stream)).await.0
}

async fn read(stream: &mut TcpStream) -> (Response, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        if let httparse::Status::Complete(taken) = response.parse(&bytes).unwrap() {
            let status = response.code.unwrap();
            let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
            let headers: Vec<(String, String)> = response
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), text(header.value)))
                .collect();
            let mut body = bytes[taken..].to_vec();
            if status == 101 {
                let response = Response {
                    status,
                    headers,
                    body: Vec::new(),
                };
                return (response, body);
            }
            let length = headers
                .iter()
                .find(|(it, _)| it.eq_ignore_ascii_case("content-length"));
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            while body.len() < length {
                assert_ne!(
                    stream.read_buf(&mut body).await.unwrap(),
                    0,
                    "the response is incomplete"
                );
            }
            return (
                Response {
                    status,
                    headers,
                    body,
                },
                Vec::new(),
            );
        }
        assert_ne!(
            stream.read_buf(&mut bytes).await.unwrap(),
            0,
            "no response: {bytes:?}"
        );
    }
}

impl Client {
    /// Sends a text message.
    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends a message of any type.
    pub(crate) async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends raw bytes.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// Waits for the next text message.
    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("{other:?} is not a text message"),
        }
    }

    /// Waits for the next message of any type; `None` if the connection ended.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        within_timeout(self.socket.next()).await?.ok()
    }

    /// Waits for the gateway's close frame.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => {
                    return frame
                        .map(|CloseFrame { code, reason }| (code.into(), reason.to_string()));
                }
                Some(_) => {}
                None => panic!("the connection ended without a close frame"),
            }
        }
    }

    /// Sends a ping and waits for the pong. Everything sent before has been read by then.
    pub(crate) async fn ping(&mut self) {
        self.send_message(Message::Ping(Bytes::from_static(b"?")))
            .await;
        loop {
            match self.next().await {
                Some(Message::Pong(_)) => return,
                Some(_) => {}
                None => panic!("the connection ended"),
            }
        }
    }

    /// Closes with or without a code and a reason.
    pub(crate) async fn close(&mut self, frame: Option<(u16, &str)>) {
        let frame = frame.map(|(code, reason)| CloseFrame {
            code: code.into(),
            reason: reason.into(),
        });
        self.socket.send(Message::Close(frame)).await.unwrap();
        while self.next().await.is_some() {}
    }

    /// Encodes a masked frame.
    pub(crate) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first_byte];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        frame
    }
}
