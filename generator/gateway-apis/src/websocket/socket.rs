//! Socket of a connection: reading, writing and closing.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use stackgen_gateway_common::{Limits, Timestamp};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::close::Ending;
use super::frames::Frames;
use crate::connections::{Connection, Outgoing};

use crate::server;

/// Size of the read buffer, which also limits the memory of idle connections.
const READ_BUFFER: usize = 4 * 1024;

/// Size of the write buffer.
const WRITE_BUFFER: usize = 16 * 1024;

/// Time that a client has to read the waiting messages before a close frame, and again to answer the close frame.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

/// A WebSocket with the messages that wait for its client.
pub(super) struct Socket {
    stream: WebSocketStream<Frames<TcpStream>>,
    connection: Arc<Connection>,
    /// Weight of posts and answers that are written but not flushed.
    unflushed: usize,
    dirty: bool,
    /// A ping was received whose pong may not be flushed yet.
    ponging: bool,
    /// A close was requested and reported to the session.
    leaving: bool,
}

/// Event of a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// A text message was received.
    Text(Utf8Bytes),
    /// All waiting messages were flushed.
    Flushed,
    /// The connection is to close after the waiting messages. The client has [`GOODBYE`] to read them.
    Leaves(Ending),
    /// The connection ends.
    Ends(Ending),
}

impl Socket {
    /// Takes over a stream after the handshake. `rest` was read from it already.
    pub(super) async fn new(
        stream: TcpStream,
        mut rest: Vec<u8>,
        connection: Arc<Connection>,
        limits: &Limits,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(limits.frame))
            .max_message_size(Some(limits.message));
        let role = Role::Server;
        let frames = Frames::new(stream, &mut rest);
        Socket {
            stream: WebSocketStream::from_partially_read(frames, rest, role, Some(config)).await,
            connection,
            unflushed: 0,
            dirty: false,
            ponging: false,
            leaving: false,
        }
    }

    /// Writes waiting messages, and reads messages if `reading` is true.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<Happened> {
        // Registered even if the socket is not writable, because a close may be requested meanwhile.
        self.connection.register(cx);
        if let Some(ending) = self.connection.ending().filter(|_| !self.leaving) {
            self.leaving = true;
            return Poll::Ready(Happened::Leaves(of_outgoing(&ending)));
        }
        if let Poll::Ready(ending) = self.poll_write(cx) {
            return Poll::Ready(Happened::Ends(ending));
        }
        if self.dirty {
            match self.stream.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => {
                    self.dirty = false;
                    self.connection.sent(std::mem::take(&mut self.unflushed));
                    self.connection.touch(Timestamp::now());
                    return Poll::Ready(Happened::Flushed);
                }
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Happened::Ends(Ending::of_error(&error)));
                }
                Poll::Pending => {}
            }
        }
        if reading {
            self.poll_read(cx)
        } else {
            Poll::Pending
        }
    }

    /// Writes waiting messages until the socket is full.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            if let Err(error) = ready!(self.stream.poll_ready_unpin(cx)) {
                return Poll::Ready(Ending::of_error(&error));
            }
            let outgoing = ready!(self.connection.poll_outgoing(cx));
            self.unflushed += outgoing.weight();
            let Outgoing::Text(text) = outgoing else {
                return Poll::Ready(of_outgoing(&outgoing));
            };
            self.dirty = true;
            if let Err(error) = self.stream.start_send_unpin(Message::Text(utf8(text))) {
                return Poll::Ready(Ending::of_error(&error));
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        loop {
            // tungstenite answers pings itself, and buffers pongs without limit while the client does not read them. So
            // nothing more is read from that client.
            if self.ponging {
                if let Err(error) = ready!(self.stream.poll_flush_unpin(cx)) {
                    return Poll::Ready(Happened::Ends(Ending::of_error(&error)));
                }
                self.ponging = false;
            }
            let ending = match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => return Poll::Ready(Happened::Text(text)),
                // Pings and pongs do not count as data (row M12).
                Some(Ok(Message::Ping(_))) => {
                    self.ponging = true;
                    continue;
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(_))) => Ending::Binary,
                Some(Ok(Message::Close(frame))) => Ending::Client(
                    frame.map(|frame| (u16::from(frame.code), frame.reason.to_string())),
                ),
                Some(Err(error)) => Ending::of_error(&error),
                None => Ending::Lost,
            };
            return Poll::Ready(Happened::Ends(ending));
        }
    }

    /// Closes the connection as its ending requires, within a time limit.
    pub(super) async fn goodbye(mut self: Box<Self>, ending: &Ending) {
        if *ending == Ending::Lost {
            return;
        }
        let _ = tokio::time::timeout(GOODBYE, self.part(ending)).await;
    }

    async fn part(&mut self, ending: &Ending) {
        if let Some(frame) = ending.frame() {
            let _ = self.stream.send(Message::Close(Some(frame))).await;
        }
        let mut answered = matches!(ending, Ending::Client(_));
        while let Some(Ok(message)) = self.stream.next().await {
            answered |= message.is_close();
        }
        let stream = self.stream.get_mut().stream();
        if answered {
            let _ = stream.shutdown().await;
        } else {
            server::part(stream).await;
        }
    }
}

fn of_outgoing(outgoing: &Outgoing) -> Ending {
    match outgoing {
        Outgoing::Delete => Ending::Deleted,
        Outgoing::Stop | Outgoing::Text(_) => Ending::Stopped,
    }
}

/// Posts are sent as text. Bytes that are not UTF-8 become replacement characters.
fn utf8(bytes: Bytes) -> Utf8Bytes {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}
