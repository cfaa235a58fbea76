//! An open connection.

use std::fmt;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::dial::{Stream, reason};
use crate::secret::Secrets;

/// How long the other side has to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long a message may wait for the other side to read it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that was accepted. Dropping it cuts the TCP connection: the server sees 1006.
pub struct Connection {
    stream: WebSocketStream<Stream>,
    secrets: Secrets,
    /// How it ended, once it has.
    closed: Option<Close>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(Text),
    /// A binary message, which API Gateway never sends on its own account.
    Binary(usize),
    /// A ping; it is answered already.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The connection ended.
    Closed(Close),
    /// Nothing, until the deadline.
    Nothing,
}

/// A message's text. Its `Debug` tells its length alone: messages hold what is nobody's business.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// This side's close frame was first.
    Client,
    /// The server's was.
    Server,
    /// No close frame: TCP ended.
    Network,
}

/// How a connection ended. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Close {
    /// What a browser's `CloseEvent` says: 1005 for a close frame without a status (row X1), 1006 for none at all.
    pub code: u16,
    /// The close frame's reason, or what the system says of TCP.
    pub reason: String,
    /// Who ended it.
    pub by: Side,
    /// True when both sides said so.
    pub clean: bool,
}

/// How to end a connection.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Closing {
    /// A close frame without a status, as a bare `close()` sends it: 1005 on the other side (rows X1, M16).
    #[default]
    Bare,
    /// A close frame with a code.
    Code(u16),
}

impl Closing {
    /// The code that says that all is well.
    pub const NORMAL: Closing = Closing::Code(1000);

    /// True for a code that a close frame may carry.
    pub fn can_be_sent(code: u16) -> bool {
        matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999)
    }

    fn frame(&self) -> Option<CloseFrame> {
        match self {
            Closing::Bare => None,
            Closing::Code(code) => Some(CloseFrame {
                code: (*code).into(),
                reason: "".into(),
            }),
        }
    }

    fn code(&self) -> u16 {
        match self {
            Closing::Bare => 1005,
            Closing::Code(code) => *code,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection whose handshake is done; `read` came behind it.
    pub(crate) async fn new(stream: Stream, read: Vec<u8>, secrets: Secrets) -> Self {
        Connection {
            stream: WebSocketStream::from_partially_read(stream, read, Role::Client, None).await,
            secrets,
            closed: None,
        }
    }

    /// How it ended, if it has.
    pub fn closed(&self) -> Option<&Close> {
        self.closed.as_ref()
    }

    /// Sends a text message, in one frame.
    ///
    /// # Errors
    ///
    /// How the connection ended, if it has.
    pub async fn send(&mut self, text: &str) -> Result<(), Close> {
        self.put(Message::text(text)).await
    }

    /// Sends a binary message, in one frame; API Gateway closes the connection for it (row M10).
    ///
    /// # Errors
    ///
    /// How the connection ended, if it has.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), Close> {
        self.put(Message::binary(bytes)).await
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// How the connection ended, if it has.
    pub async fn ping(&mut self) -> Result<(), Close> {
        self.put(Message::Ping(Bytes::new())).await
    }

    /// The next thing that comes in until the deadline. Nothing is lost when this is not waited for to its end.
    pub async fn receive(&mut self, deadline: Instant) -> Incoming {
        if let Some(close) = &self.closed {
            return Incoming::Closed(close.clone());
        }
        loop {
            let Ok(next) = timeout_at(deadline, self.stream.next()).await else {
                return Incoming::Nothing;
            };
            return match next {
                Some(Ok(Message::Text(text))) => Incoming::Text(Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => Incoming::Binary(bytes.len()),
                Some(Ok(Message::Ping(_))) => {
                    // The pong waits to be sent with whatever is next. If it cannot be sent, the next read says why.
                    let _ = timeout_at(deadline, self.stream.flush()).await;
                    Incoming::Ping
                }
                Some(Ok(Message::Pong(_))) => Incoming::Pong,
                Some(Ok(Message::Close(frame))) => Incoming::Closed(self.farewell(frame).await),
                // Raw frames are never read.
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(error)) => Incoming::Closed(self.failed(&error)),
                None => Incoming::Closed(self.lost("the server closed TCP")),
            };
        }
    }

    /// Ends the connection and waits for the other side to agree. What comes in meanwhile is not looked at.
    pub async fn close(mut self, closing: &Closing) -> Close {
        if let Some(close) = self.closed.take() {
            return close;
        }
        let clean = timeout(FAREWELL, async {
            self.stream.send(Message::Close(closing.frame())).await?;
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
        Close {
            code: closing.code(),
            reason: String::new(),
            by: Side::Client,
            clean,
        }
    }

    async fn put(&mut self, message: Message) -> Result<(), Close> {
        if let Some(close) = &self.closed {
            return Err(close.clone());
        }
        match timeout(PATIENCE, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(self.lost("the other side does not read")),
            // Whoever closed may have said why before: that is read first.
            Ok(Err(error)) => match self.stream.next().await {
                Some(Ok(Message::Close(frame))) => Err(self.farewell(frame).await),
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// The server's close frame is answered, and it closes TCP.
    async fn farewell(&mut self, frame: Option<CloseFrame>) -> Close {
        let clean = timeout(FAREWELL, async {
            while let Some(Ok(_)) = self.stream.next().await {}
        });
        let (code, reason) = match frame {
            Some(frame) => (frame.code.into(), self.secrets.hide(frame.reason.as_str())),
            None => (1005, String::new()),
        };
        let clean = clean.await.is_ok();
        self.ended(Close {
            code,
            reason,
            by: Side::Server,
            clean,
        })
    }

    fn failed(&mut self, error: &Error) -> Close {
        match error {
            Error::Io(error) => {
                let reason = reason(error);
                self.lost(&reason)
            }
            // What the server sent is no WebSocket frame, or too much: this side gives up, as a browser would.
            error => {
                let reason = error.to_string();
                self.lost(&reason)
            }
        }
    }

    fn lost(&mut self, reason: &str) -> Close {
        let reason = self.secrets.hide(reason);
        self.ended(Close {
            code: 1006,
            reason,
            by: Side::Network,
            clean: false,
        })
    }

    fn ended(&mut self, close: Close) -> Close {
        self.closed = Some(close.clone());
        close
    }
}
