//! Socket of a connection: reading, writing and closing.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use stackgen_gateway_common::{ClientEventKind, EpochMillis, Limits, Traffic};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::close::CloseCause;
use super::frames::CheckedFrames;
use crate::connections::{OpenConnection, Outgoing};
use crate::server::{self, ClientStream};

/// Size of the read buffer, which also limits the memory of idle connections.
const READ_BUFFER: usize = 4 * 1024;

/// Size of the write buffer.
const WRITE_BUFFER: usize = 16 * 1024;

/// Time that a client has to read the waiting messages before a close frame, and again to answer the close frame.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A WebSocket with the messages that wait for its client.
pub(super) struct Socket {
    stream: WebSocketStream<CheckedFrames<ClientStream>>,
    connection: Arc<OpenConnection>,
    traffic: Traffic,
    /// Weight of posts and answers that are written but not flushed.
    unflushed: usize,
    needs_flush: bool,
    /// A ping was received whose pong may not be flushed yet.
    pong_pending: bool,
    /// A close was requested and reported to the session.
    closing: bool,
}

/// Event of a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SocketEvent {
    /// A text message was received.
    Text(Utf8Bytes),
    /// All waiting messages were flushed.
    Flushed,
    /// The connection is to close after the waiting messages. The client has [`CLOSE_TIMEOUT`] to read them.
    CloseRequested(CloseCause),
    /// The connection ends.
    Ended(CloseCause),
}

impl Socket {
    /// Takes over a stream after the handshake. `rest` was read from it already.
    pub(super) async fn new(
        stream: ClientStream,
        mut rest: Vec<u8>,
        connection: Arc<OpenConnection>,
        traffic: Traffic,
        limits: &Limits,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(limits.frame))
            .max_message_size(Some(limits.message));
        let role = Role::Server;
        let frames = CheckedFrames::new(stream, &mut rest);
        Socket {
            stream: WebSocketStream::from_partially_read(frames, rest, role, Some(config)).await,
            connection,
            traffic,
            unflushed: 0,
            needs_flush: false,
            pong_pending: false,
            closing: false,
        }
    }

    /// Writes waiting messages, and reads messages if `reading` is true.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<SocketEvent> {
        // Registered even if the socket is not writable, because a close may be requested meanwhile.
        self.connection.register(cx);
        if let Some(requested) = self.connection.requested_close().filter(|_| !self.closing) {
            self.closing = true;
            return Poll::Ready(SocketEvent::CloseRequested(cause_of(&requested)));
        }
        if let Poll::Ready(cause) = self.poll_write(cx) {
            return Poll::Ready(SocketEvent::Ended(cause));
        }
        if self.needs_flush {
            match self.stream.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => {
                    self.needs_flush = false;
                    self.connection.sent(std::mem::take(&mut self.unflushed));
                    self.connection.touch(EpochMillis::now());
                    return Poll::Ready(SocketEvent::Flushed);
                }
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(SocketEvent::Ended(CloseCause::from_error(&error)));
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
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<CloseCause> {
        loop {
            if let Err(error) = ready!(self.stream.poll_ready_unpin(cx)) {
                return Poll::Ready(CloseCause::from_error(&error));
            }
            let outgoing = ready!(self.connection.poll_outgoing(cx));
            self.unflushed += outgoing.weight();
            let Outgoing::Text(text) = outgoing else {
                return Poll::Ready(cause_of(&outgoing));
            };
            self.needs_flush = true;
            self.traffic.send(&self.connection.id, || {
                ClientEventKind::Received(text.clone())
            });
            if let Err(error) = self.stream.start_send_unpin(Message::Text(utf8(text))) {
                return Poll::Ready(CloseCause::from_error(&error));
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        loop {
            // tungstenite answers pings itself, and buffers pongs without limit while the client does not read them. So
            // nothing more is read from that client.
            if self.pong_pending {
                if let Err(error) = ready!(self.stream.poll_flush_unpin(cx)) {
                    return Poll::Ready(SocketEvent::Ended(CloseCause::from_error(&error)));
                }
                self.pong_pending = false;
            }
            let cause = match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => {
                    self.traffic.send(&self.connection.id, || {
                        ClientEventKind::Sent(Bytes::from(text.clone()))
                    });
                    return Poll::Ready(SocketEvent::Text(text));
                }
                // Pings and pongs do not count as data (row M12).
                Some(Ok(Message::Ping(_))) => {
                    self.pong_pending = true;
                    continue;
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(bytes))) => {
                    let sent = || ClientEventKind::SentBinary(bytes.len());
                    self.traffic.send(&self.connection.id, sent);
                    CloseCause::Binary
                }
                Some(Ok(Message::Close(frame))) => CloseCause::Client(
                    frame.map(|frame| (u16::from(frame.code), frame.reason.to_string())),
                ),
                Some(Err(error)) => CloseCause::from_error(&error),
                None => CloseCause::Lost,
            };
            return Poll::Ready(SocketEvent::Ended(cause));
        }
    }

    /// Closes the connection as its ending requires, within a time limit.
    pub(super) async fn close(mut self: Box<Self>, cause: &CloseCause) {
        if *cause == CloseCause::Lost {
            return;
        }
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.exchange_close_frames(cause)).await;
    }

    async fn exchange_close_frames(&mut self, cause: &CloseCause) {
        if let Some(frame) = cause.frame() {
            let _ = self.stream.send(Message::Close(Some(frame))).await;
        }
        let mut answered = matches!(cause, CloseCause::Client(_));
        while let Some(Ok(message)) = self.stream.next().await {
            answered |= message.is_close();
        }
        let stream = self.stream.get_mut().stream();
        if answered {
            let _ = stream.shutdown().await;
        } else {
            server::close_gracefully(stream).await;
        }
    }
}

fn cause_of(outgoing: &Outgoing) -> CloseCause {
    match outgoing {
        Outgoing::Delete => CloseCause::Deleted,
        Outgoing::Stop | Outgoing::Text(_) => CloseCause::Stopped,
    }
}

/// Posts are sent as text. Bytes that are not UTF-8 become replacement characters.
fn utf8(bytes: Bytes) -> Utf8Bytes {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}
