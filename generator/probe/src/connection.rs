//! An open connection.

use std::fmt;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::secret::Secrets;
use crate::stream::{Stream, error_text};

/// Timeout for the other side's answer to a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout for sending a message to a server that does not read.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Size of the read buffer of one connection of many.
const SMALL_BUFFER: usize = 4 * 1024;

/// Open WebSocket connection. Dropping it ends TCP without a close frame: the server sees 1006.
pub struct ClientConnection {
    stream: WebSocketStream<Stream>,
    secrets: Secrets,
    /// Set once the connection has ended.
    closed: Option<ConnectionEnd>,
}

/// Result of waiting for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(MessageText),
    /// A binary message of this size. API Gateway never sends one.
    Binary(usize),
    /// A ping, which was already answered.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The connection ended.
    Closed(ConnectionEnd),
    /// Nothing arrived before the deadline.
    Nothing,
}

/// Text of a message. Its `Debug` output shows only the length, because messages may be confidential.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Party that ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ClosedBy {
    /// The client sent the first close frame.
    Client,
    /// The server sent the first close frame.
    Server,
    /// TCP ended without a close frame.
    Network,
}

/// End of a connection. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionEnd {
    /// Code as in a browser's `CloseEvent`: 1005 for a close frame without a status (row X1), 1006 without a close frame.
    pub code: u16,
    /// Reason of the close frame, or the operating system's error.
    pub reason: String,
    /// Party that ended it.
    pub by: ClosedBy,
    /// True if both sides sent a close frame.
    pub clean: bool,
}

/// Close frame that the client sends.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ClientClose {
    /// Close frame without a status, as a bare `close()` sends it: the server sees 1005 (rows X1, M16).
    #[default]
    Bare,
    /// Close frame with this code.
    Code(u16),
}

impl ClientClose {
    /// Normal closure, code 1000.
    pub const NORMAL: ClientClose = ClientClose::Code(1000);

    /// Returns true if a close frame may carry this code.
    pub fn is_valid_code(code: u16) -> bool {
        matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999)
    }

    fn frame(&self) -> Option<CloseFrame> {
        match self {
            ClientClose::Bare => None,
            ClientClose::Code(code) => Some(CloseFrame {
                code: (*code).into(),
                reason: "".into(),
            }),
        }
    }

    fn code(&self) -> u16 {
        match self {
            ClientClose::Bare => 1005,
            ClientClose::Code(code) => *code,
        }
    }
}

impl fmt::Debug for ClientConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl ClientConnection {
    /// Creates a connection after its handshake. `read` holds the bytes that arrived after the handshake's answer.
    pub(crate) async fn new(
        stream: Stream,
        read: Vec<u8>,
        secrets: Secrets,
        has_small_buffers: bool,
    ) -> Self {
        let small = WebSocketConfig::default()
            .read_buffer_size(SMALL_BUFFER)
            .write_buffer_size(0);
        let config = has_small_buffers.then_some(small);
        ClientConnection {
            stream: WebSocketStream::from_partially_read(stream, read, Role::Client, config).await,
            secrets,
            closed: None,
        }
    }

    /// Returns how the connection ended, if it has ended.
    pub fn end(&self) -> Option<&ConnectionEnd> {
        self.closed.as_ref()
    }

    /// Sends a text message in one frame.
    ///
    /// # Errors
    ///
    /// If the connection has ended or ends while sending.
    pub async fn send(&mut self, text: &str) -> Result<(), ConnectionEnd> {
        self.send_message(Message::text(text)).await
    }

    /// Sends a binary message in one frame. API Gateway then closes the connection (row M10).
    ///
    /// # Errors
    ///
    /// If the connection has ended or ends while sending.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), ConnectionEnd> {
        self.send_message(Message::binary(bytes)).await
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// If the connection has ended or ends while sending.
    pub async fn ping(&mut self) -> Result<(), ConnectionEnd> {
        self.send_message(Message::Ping(Bytes::new())).await
    }

    /// Waits until the deadline for the next message, ping, pong or close. Dropping the future loses no message.
    pub async fn receive(&mut self, deadline: Instant) -> Incoming {
        if let Some(close) = &self.closed {
            return Incoming::Closed(close.clone());
        }
        loop {
            let Ok(next) = timeout_at(deadline, self.stream.next()).await else {
                return Incoming::Nothing;
            };
            return match next {
                Some(Ok(Message::Text(text))) => {
                    Incoming::Text(MessageText(text.as_str().to_owned()))
                }
                Some(Ok(Message::Binary(bytes))) => Incoming::Binary(bytes.len()),
                Some(Ok(Message::Ping(_))) => {
                    // tungstenite only queues the pong. If the flush fails, the next read reports the error.
                    let _ = timeout_at(deadline, self.stream.flush()).await;
                    Incoming::Ping
                }
                Some(Ok(Message::Pong(_))) => Incoming::Pong,
                Some(Ok(Message::Close(frame))) => {
                    Incoming::Closed(self.closed_by_server(frame).await)
                }
                // tungstenite returns raw frames only when writing.
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(error)) => Incoming::Closed(self.failed(&error)),
                None => Incoming::Closed(self.lost("the server closed TCP")),
            };
        }
    }

    /// Sends a close frame and waits for the server's. Messages that arrive meanwhile are dropped.
    pub async fn close(mut self, how: &ClientClose) -> ConnectionEnd {
        if let Some(close) = self.closed.take() {
            return close;
        }
        let clean = timeout(CLOSE_TIMEOUT, async {
            self.stream.send(Message::Close(how.frame())).await?;
            let mut answered = false;
            while let Some(Ok(message)) = self.stream.next().await {
                answered |= matches!(message, Message::Close(_));
            }
            Ok(answered)
        });
        let clean = match clean.await {
            Ok(Err(error)) => return self.failed(&error),
            Ok(Ok(answered)) => answered,
            Err(_) => false,
        };
        ConnectionEnd {
            code: how.code(),
            reason: String::new(),
            by: ClosedBy::Client,
            clean,
        }
    }

    async fn send_message(&mut self, message: Message) -> Result<(), ConnectionEnd> {
        if let Some(close) = &self.closed {
            return Err(close.clone());
        }
        match timeout(SEND_TIMEOUT, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(self.lost("the other side does not read")),
            // The server may have sent a close frame before TCP ended; its code explains more than the error.
            Ok(Err(error)) => match self.stream.next().await {
                Some(Ok(Message::Close(frame))) => Err(self.closed_by_server(frame).await),
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// Answers the server's close frame and waits for the end of TCP.
    async fn closed_by_server(&mut self, frame: Option<CloseFrame>) -> ConnectionEnd {
        let clean = timeout(CLOSE_TIMEOUT, async {
            while let Some(Ok(_)) = self.stream.next().await {}
        });
        let (code, reason) = match frame {
            Some(frame) => (frame.code.into(), self.secrets.hide(frame.reason.as_str())),
            None => (1005, String::new()),
        };
        let clean = clean.await.is_ok();
        self.ended(ConnectionEnd {
            code,
            reason,
            by: ClosedBy::Server,
            clean,
        })
    }

    fn failed(&mut self, error: &Error) -> ConnectionEnd {
        match error {
            Error::Io(error) => {
                let reason = error_text(error);
                self.lost(&reason)
            }
            // The server broke the WebSocket protocol: give up, as a browser does.
            error => {
                let reason = error.to_string();
                self.lost(&reason)
            }
        }
    }

    fn lost(&mut self, reason: &str) -> ConnectionEnd {
        let reason = self.secrets.hide(reason);
        self.ended(ConnectionEnd {
            code: 1006,
            reason,
            by: ClosedBy::Network,
            clean: false,
        })
    }

    fn ended(&mut self, close: ConnectionEnd) -> ConnectionEnd {
        self.closed = Some(close.clone());
        close
    }
}
