//! Open connections: what the sockets hold and what @connections asks for.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use thiserror::Error;

use crate::{ApiId, ConnectionId, StageName, Timestamp};

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
    /// Bytes that may wait.
    capacity: usize,
    queue: Mutex<Queue>,
    wake: AtomicWaker,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
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
        if queue.bytes > 0 && queue.bytes + text.len() > self.outbound.capacity {
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
        queue.waiting.push_back(with);
        drop(queue);
        self.outbound.wake.wake();
        Ok(())
    }

    /// Puts what a message is answered with into the client's buffer, full or not: whoever answers takes no further
    /// message before there [is room](Connection::has_room).
    pub(crate) fn answer(&self, text: Bytes) {
        self.outbound.queue().push(text);
    }

    /// False while the client's buffer is full.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.queue().bytes < self.outbound.capacity
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

    /// What goes next to the client. For the one task that holds the socket. Bytes count as waiting until
    /// [`Connection::sent`] says otherwise.
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

    /// Notes that so many bytes left for the client.
    pub fn sent(&self, bytes: usize) {
        let mut queue = self.outbound.queue();
        queue.bytes = queue.bytes.saturating_sub(bytes);
    }
}

impl Queue {
    fn push(&mut self, text: Bytes) {
        self.bytes += text.len();
        self.waiting.push_back(Outgoing::Text(text));
    }
}

impl Outbound {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
