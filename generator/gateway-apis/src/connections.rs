//! Open connections: what the sockets hold and what @connections asks for.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use stackgen_gateway_common::{ApiId, ConnectionId, StageName, Timestamp};
use thiserror::Error;

/// All connections that are open.
#[derive(Debug, Default)]
pub struct Connections {
    open: Mutex<HashMap<ConnectionId, Arc<Connection>>>,
}

/// A connection whose handshake was answered with 101.
#[derive(Debug)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its api.
    pub api: ApiId,
    /// Its stage.
    pub stage: StageName,
    /// Where the client is.
    pub source_ip: IpAddr,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// When it was accepted.
    pub connected_at: Timestamp,
    last_active_at: AtomicU64,
    outbound: Outbound,
}

/// What waits for a client.
#[derive(Debug)]
struct Outbound {
    /// The weight that may wait.
    capacity: usize,
    queue: Mutex<Queue>,
    wake: AtomicWaker,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Outgoing>,
    /// The weight of what waits, and of what was taken and is not sent.
    weight: usize,
    /// Nothing more is taken: the connection ends.
    closed: bool,
}

/// What goes to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message.
    Text(Bytes),
    /// A close frame, after all that waits (row M15).
    Delete,
    /// A close frame because the gateway stops, after all that waits.
    Stop,
}

/// What a message takes here beside its bytes: a queue of empty ones has its bound, too.
const BESIDE: usize = 64;

impl Outgoing {
    /// How much of the client's buffer it takes.
    pub fn weight(&self) -> usize {
        match self {
            Outgoing::Text(text) => text.len() + BESIDE,
            Outgoing::Delete | Outgoing::Stop => 0,
        }
    }
}

/// Why something could not be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PostError {
    /// The connection is closed or never was (row K4).
    #[error("the connection is gone")]
    Gone,
    /// The client does not read, and its buffer is full (row K7).
    #[error("the client's buffer is full")]
    Full,
}

impl Connections {
    /// The connection of that id, if it is open.
    pub fn get(&self, id: &str) -> Option<Arc<Connection>> {
        self.all().get(id).cloned()
    }

    /// Adds an open connection.
    pub fn insert(&self, connection: Arc<Connection>) {
        self.all().insert(connection.id.clone(), connection);
    }

    /// Takes a connection out; posts to it find it gone.
    pub fn remove(&self, id: &ConnectionId) -> Option<Arc<Connection>> {
        let connection = self.all().remove(id)?;
        connection.outbound.queue().closed = true;
        Some(connection)
    }

    /// Asks all connections of an api to end because the gateway stops.
    pub(crate) fn stop(&self, api: &ApiId) {
        for connection in self.all().values().filter(|it| it.api == *api) {
            connection.stop();
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.all().len()
    }

    /// True when none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A connection that is accepted now, for which so many bytes may wait.
    pub fn new(
        id: ConnectionId,
        api: ApiId,
        stage: StageName,
        source_ip: IpAddr,
        user_agent: Option<String>,
        connected_at: Timestamp,
        capacity: usize,
    ) -> Self {
        Connection {
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

    /// Notes that data went one way or the other (row M13).
    pub fn touch(&self, at: Timestamp) {
        self.last_active_at
            .fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    /// When data last went one way or the other (row K2).
    pub fn last_active_at(&self) -> Timestamp {
        Timestamp::from_millis(self.last_active_at.load(Ordering::Relaxed))
    }

    /// Puts a message into the client's buffer.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the buffer is full. A single message is taken into an empty buffer whatever its size.
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

    /// Asks the connection to end after what waits was sent (row M15).
    ///
    /// # Errors
    ///
    /// If it ends already.
    pub fn delete(&self) -> Result<(), PostError> {
        self.end(Outgoing::Delete)
    }

    /// Asks the connection to end because the gateway stops. One that ends already does so anyway.
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

    /// Puts what a message is answered with into the client's buffer, full or not: whoever answers takes no further
    /// message before there [is room](Connection::has_room). A connection that ends takes nothing more.
    pub(crate) fn answer(&self, text: Bytes) {
        let mut queue = self.outbound.queue();
        if !queue.closed {
            queue.push(Outgoing::Text(text));
        }
    }

    /// False while the client's buffer is full.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.queue().weight < self.outbound.capacity
    }

    /// How the connection is to end, once somebody asked for it and what waits is not sent yet.
    pub(crate) fn ending(&self) -> Option<Outgoing> {
        let queue = self.outbound.queue();
        let last = queue.waiting.back().filter(|_| queue.closed);
        last.filter(|it| !matches!(it, Outgoing::Text(_))).cloned()
    }

    /// Lets the task that holds the socket know when there is something to send, or the connection is to end.
    pub(crate) fn register(&self, cx: &mut Context<'_>) {
        self.outbound.wake.register(cx.waker());
    }

    /// What goes next to the client. For the one task that holds the socket. It counts as waiting until [`Connection::sent`]
    /// says otherwise.
    pub(crate) fn poll_outgoing(&self, cx: &mut Context<'_>) -> Poll<Outgoing> {
        self.register(cx);
        match self.outbound.queue().waiting.pop_front() {
            Some(outgoing) => Poll::Ready(outgoing),
            None => Poll::Pending,
        }
    }

    /// What goes next to the client; waits for it.
    pub async fn next_outgoing(&self) -> Outgoing {
        std::future::poll_fn(|cx| self.poll_outgoing(cx)).await
    }

    /// Notes that what had this weight left for the client.
    pub fn sent(&self, weight: usize) {
        let mut queue = self.outbound.queue();
        queue.weight = queue.weight.saturating_sub(weight);
    }
}

impl Queue {
    fn push(&mut self, outgoing: Outgoing) {
        self.weight += outgoing.weight();
        self.waiting.push_back(outgoing);
    }
}

impl Outbound {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn connection(capacity: usize) -> Connection {
        Connection::new(
            ConnectionId::generate(),
            ApiId::new("api1"),
            StageName::new("prod"),
            Ipv4Addr::LOCALHOST.into(),
            None,
            Timestamp::now(),
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
    fn row_k7_one_message_is_taken_whatever_its_size() {
        let connection = connection(16);
        let large = Bytes::from_static(&[b'x'; 1000]);
        connection.post(large.clone()).unwrap();
        assert_eq!(connection.post(Bytes::new()), Err(PostError::Full));
        connection.sent(Outgoing::Text(large).weight());
        connection.post(Bytes::new()).unwrap();
    }

    #[test]
    fn row_m15_an_answer_that_comes_after_the_end_was_asked_for_does_not_hide_it() {
        let connection = connection(1024);
        connection.answer(Bytes::from_static(b"before"));
        assert_eq!(connection.ending(), None);
        connection.delete().unwrap();
        connection.answer(Bytes::from_static(b"after"));
        assert_eq!(connection.ending(), Some(Outgoing::Delete));
    }
}
