//! Server that reads the head of a handshake and then runs the test's script.

use std::future::Future;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Connection to a client, as the server sees it.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// Head of the request.
    pub(crate) head: String,
}

/// Unmasked frame of the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// Runs the script for every connection and returns the server's URL.
pub(crate) async fn serve<F, S>(script: S) -> String
where
    S: Fn(Peer) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/prod", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let peer = Peer::read(stream).await;
            tokio::spawn(script(peer));
        }
    });
    url
}

/// Starts a server that answers every handshake with these bytes and closes. Returns its URL.
pub(crate) async fn serve_bytes(bytes: impl Into<Vec<u8>>) -> String {
    let bytes = bytes.into();
    serve(move |mut peer| {
        let bytes = bytes.clone();
        async move { peer.write(&bytes).await }
    })
    .await
}

/// Starts a server that answers every handshake with this status, headers and body. Returns its URL.
pub(crate) async fn serve_refusal(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    serve_bytes(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    ))
    .await
}

impl Peer {
    async fn read(mut stream: TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        Peer { stream, head }
    }

    /// Returns the value of a request header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The client may have closed already. The test notices if that is wrong.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Accepts the handshake with 101 and these headers.
    pub(crate) async fn accept(&mut self, headers: &str) {
        let key = derive_accept_key(self.header("Sec-WebSocket-Key").unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n{headers}\r\n"
        );
        self.write(answer.as_bytes()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes()).await;
    }

    /// Sends a close frame and ends TCP once the client has answered.
    pub(crate) async fn close(mut self, code: u16, reason: &str) {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        self.frame(0x88, &payload).await;
        while self.next().await.is_some_and(|frame| frame.opcode != 8) {}
    }

    pub(crate) async fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut bytes = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => bytes.push(length),
            _ => {
                bytes.push(126);
                bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend_from_slice(payload);
        self.write(&bytes).await;
    }

    /// Returns the client's next frame, or `None` at the end of TCP.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let opcode = self.stream.read_u8().await.ok()? & 0x0f;
        let length = self.stream.read_u8().await.ok()?;
        assert!(length >= 0x80, "clients must mask their frames");
        let length = match length & 0x7f {
            126 => u64::from(self.stream.read_u16().await.ok()?),
            127 => self.stream.read_u64().await.ok()?,
            length => u64::from(length),
        };
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).await.ok()?;
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= mask[index % 4];
        }
        Some(Frame { opcode, payload })
    }
}
