//! Open connections, shared by the sockets and the management API.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use stackgen_gateway_common::{ApiId, ConnectionId, EpochMillis, StageName};
use thiserror::Error;

/// All open connections.
#[derive(Debug, Default)]
pub struct OpenConnections {
    open: Mutex<HashMap<ConnectionId, Arc<OpenConnection>>>,
}

/// A connection whose handshake was answered with 101.
#[derive(Debug)]
pub struct OpenConnection {
    /// Connection ID.
    pub id: ConnectionId,
    /// API of the connection.
    pub api: ApiId,
    /// Stage of the connection.
    pub stage: StageName,
    /// Client's IP address.
    pub source_ip: IpAddr,
    /// Client's `User-Agent` header.
    pub user_agent: Option<String>,
    /// Time of the handshake.
    pub connected_at: EpochMillis,
    last_active_at: AtomicU64,
    outbound: Outbound,
}

/// Messages that wait for a client to read.
#[derive(Debug)]
struct Outbound {
    /// Total weight of the messages that may wait.
    capacity: usize,
    queue: Mutex<MessageQueue>,
    wake: AtomicWaker,
}

#[derive(Debug, Default)]
struct MessageQueue {
    waiting: VecDeque<Outgoing>,
    /// Weight of the messages that wait or are being sent.
    weight: usize,
    /// True once the connection is closing: no more messages are accepted.
    closed: bool,
}

/// Something to send to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message.
    Text(Bytes),
    /// Close frame that follows the waiting messages, because `DeleteConnection` was called (row M15).
    Delete,
    /// Close frame that follows the waiting messages, because the gateway stops.
    Stop,
}

/// Weight of a message in addition to its bytes. With it, a queue of empty messages is limited, too.
const MESSAGE_OVERHEAD: usize = 64;

impl Outgoing {
    /// Returns the share of the client's buffer that this takes.
    pub fn weight(&self) -> usize {
        match self {
            Outgoing::Text(text) => text.len() + MESSAGE_OVERHEAD,
            Outgoing::Delete | Outgoing::Stop => 0,
        }
    }
}

/// Reason why a message could not be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PostError {
    /// The connection is closed or never existed (row K4).
    #[error("the connection is gone")]
    Gone,
    /// The client does not read and its buffer is full (row K7).
    #[error("the client's buffer is full")]
    Full,
}

impl OpenConnections {
    /// Returns the open connection with this ID.
    pub fn get(&self, id: &str) -> Option<Arc<OpenConnection>> {
        self.all().get(id).cloned()
    }

    /// Adds an open connection.
    pub fn insert(&self, connection: Arc<OpenConnection>) {
        self.all().insert(connection.id.clone(), connection);
    }

    /// Removes a connection. Later posts to it fail with [`PostError::Gone`].
    pub fn remove(&self, id: &ConnectionId) -> Option<Arc<OpenConnection>> {
        let connection = self.all().remove(id)?;
        connection.outbound.queue().closed = true;
        Some(connection)
    }

    /// Closes all connections of an API because the gateway stops.
    pub(crate) fn stop(&self, api: &ApiId) {
        for connection in self.all().values().filter(|it| it.api == *api) {
            connection.stop();
        }
    }

    /// Returns the number of open connections.
    pub fn len(&self) -> usize {
        self.all().len()
    }

    /// Returns true if no connection is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<OpenConnection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnection {
    /// Creates a connection whose buffer holds `capacity` bytes.
    pub fn new(
        id: ConnectionId,
        api: ApiId,
        stage: StageName,
        source_ip: IpAddr,
        user_agent: Option<String>,
        connected_at: EpochMillis,
        capacity: usize,
    ) -> Self {
        OpenConnection {
            id,
            api,
            stage,
            source_ip,
            user_agent,
            connected_at,
            last_active_at: AtomicU64::new(connected_at.as_millis()),
            outbound: Outbound {
                capacity,
                queue: Mutex::default(),
                wake: AtomicWaker::new(),
            },
        }
    }

    /// Records the time at which a frame with data was sent or received (row M13).
    pub fn touch(&self, at: EpochMillis) {
        self.last_active_at
            .fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    /// Returns the time at which data was last sent or received (row K2).
    pub fn last_active_at(&self) -> EpochMillis {
        EpochMillis::from_millis(self.last_active_at.load(Ordering::Relaxed))
    }

    /// Adds a message to the client's buffer. An empty buffer takes a message of any size.
    ///
    /// # Errors
    ///
    /// If the connection is closing, or the buffer is full.
    pub fn post(&self, text: Bytes) -> Result<(), PostError> {
        let mut queue = self.outbound.queue();
        if queue.closed {
            return Err(PostError::Gone);
        }
        let text = Outgoing::Text(text);
        if queue.weight > 0 && queue.weight + text.weight() > self.outbound.capacity {
            return Err(PostError::Full);
        }
        queue.push(text);
        drop(queue);
        self.outbound.wake.wake();
        Ok(())
    }

    /// Closes the connection after the waiting messages are sent (row M15).
    ///
    /// # Errors
    ///
    /// If it is closing already.
    pub fn delete(&self) -> Result<(), PostError> {
        self.end(Outgoing::Delete)
    }

    /// Closes the connection because the gateway stops. Does nothing if it is closing already.
    pub(crate) fn stop(&self) {
        let _ = self.end(Outgoing::Stop);
    }

    fn end(&self, with: Outgoing) -> Result<(), PostError> {
        let mut queue = self.outbound.queue();
        if queue.closed {
            return Err(PostError::Gone);
        }
        queue.closed = true;
        queue.push(with);
        drop(queue);
        self.outbound.wake.wake();
        Ok(())
    }

    /// Adds the answer to a message to the client's buffer, even if it is full. The caller must not read the next
    /// message until there [is room](Connection::has_room). A closing connection takes no answer.
    pub(crate) fn answer(&self, text: Bytes) {
        let mut queue = self.outbound.queue();
        if !queue.closed {
            queue.push(Outgoing::Text(text));
        }
    }

    /// Returns true unless the client's buffer is full.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.queue().weight < self.outbound.capacity
    }

    /// Returns the requested close, until it is taken from the queue.
    pub(crate) fn requested_close(&self) -> Option<Outgoing> {
        let queue = self.outbound.queue();
        let last = queue.waiting.back().filter(|_| queue.closed);
        last.filter(|it| !matches!(it, Outgoing::Text(_))).cloned()
    }

    /// Wakes the task that owns the socket when there is something to send or the connection is to close.
    pub(crate) fn register(&self, cx: &mut Context<'_>) {
        self.outbound.wake.register(cx.waker());
    }

    /// Returns what is to be sent next. Only the task that owns the socket may call this. The weight counts until
    /// [`OpenConnection::sent`] releases it.
    pub(crate) fn poll_outgoing(&self, cx: &mut Context<'_>) -> Poll<Outgoing> {
        self.register(cx);
        match self.outbound.queue().waiting.pop_front() {
            Some(outgoing) => Poll::Ready(outgoing),
            None => Poll::Pending,
        }
    }

    /// Waits for what is to be sent next.
    pub async fn next_outgoing(&self) -> Outgoing {
        std::future::poll_fn(|cx| self.poll_outgoing(cx)).await
    }

    /// Releases the weight of something that was sent.
    pub fn sent(&self, weight: usize) {
        let mut queue = self.outbound.queue();
        queue.weight = queue.weight.saturating_sub(weight);
    }
}

impl MessageQueue {
    fn push(&mut self, outgoing: Outgoing) {
        self.weight += outgoing.weight();
        self.waiting.push_back(outgoing);
    }
}

impl Outbound {
    fn queue(&self) -> MutexGuard<'_, MessageQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn connection(capacity: usize) -> OpenConnection {
        OpenConnection::new(
            ConnectionId::generate(),
            ApiId::new("api1"),
            StageName::new("prod"),
            Ipv4Addr::LOCALHOST.into(),
            None,
            EpochMillis::now(),
            capacity,
        )
    }

    #[test]
    fn row_k7_empty_messages_fill_the_buffer_too() {
        let connection = connection(64 * 1024);
        let posted = (0..100_000).take_while(|_| connection.post(Bytes::new()).is_ok());
        assert_eq!(posted.count(), 1024);
        assert_eq!(connection.post(Bytes::new()), Err(PostError::Full));
        assert!(!connection.has_room());
    }

    #[test]
    fn row_k7_an_empty_buffer_takes_a_message_of_any_size() {
        let connection = connection(16);
        let large = Bytes::from_static(&[b'x'; 1000]);
        connection.post(large.clone()).unwrap();
        assert_eq!(connection.post(Bytes::new()), Err(PostError::Full));
        connection.sent(Outgoing::Text(large).weight());
        connection.post(Bytes::new()).unwrap();
    }

    #[test]
    fn row_m15_a_late_answer_does_not_hide_a_requested_close() {
        let connection = connection(1024);
        connection.answer(Bytes::from_static(b"before"));
        assert_eq!(connection.requested_close(), None);
        connection.delete().unwrap();
        connection.answer(Bytes::from_static(b"after"));
        assert_eq!(connection.requested_close(), Some(Outgoing::Delete));
    }
}
