//! Waits for what arrives on the connections of a replay.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;

use futures_util::future::select_all;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::connection::{ClientConnection, ConnectionEnd, Incoming};
use crate::recording::frame_value;

/// A message that arrived and was not compared yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArrivedFrame {
    /// Number in the order of arrival.
    pub(super) arrival: u64,
    pub(super) content: FrameContent,
}

/// Content of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FrameContent {
    /// Text message: the text, and as a value.
    Text(String, Value),
    /// Size of a binary message.
    Binary(usize),
}

/// A connection of a replay.
#[derive(Debug, Default)]
pub(super) struct LiveConnection {
    /// `None` if the handshake was refused or the client closed.
    pub(super) socket: Option<ClientConnection>,
    pub(super) pending: VecDeque<ArrivedFrame>,
    /// How the server ended the connection, until it is compared.
    pub(super) end: Option<ConnectionEnd>,
    /// True if the handshake was answered as recorded.
    pub(super) opened_as_recorded: bool,
}

/// All connections of a replay by their numbers.
#[derive(Debug, Default)]
pub(super) struct LiveConnections {
    pub(super) all: BTreeMap<u32, LiveConnection>,
    arrived: u64,
}

impl LiveConnections {
    /// Waits until something arrives on any connection. Returns false if nothing does before the deadline.
    pub(super) async fn receive(&mut self, deadline: Instant) -> bool {
        let open = self
            .all
            .iter_mut()
            .filter(|(_, connection)| connection.end.is_none());
        let open = open.filter_map(|(number, connection)| {
            let socket = connection.socket.as_mut()?;
            Some((*number, socket))
        });
        type Receiving<'a> = Pin<Box<dyn Future<Output = (u32, Incoming)> + 'a>>;
        let receiving: Vec<Receiving<'_>> = open
            .map(|(number, socket)| {
                let receiving = async move { (number, socket.receive(deadline).await) };
                Box::pin(receiving) as Receiving<'_>
            })
            .collect();
        if receiving.is_empty() {
            sleep_until(deadline).await;
            return false;
        }
        let ((number, incoming), _, others) = select_all(receiving).await;
        drop(others);
        self.add(number, incoming)
    }

    fn add(&mut self, number: u32, incoming: Incoming) -> bool {
        let Some(connection) = self.all.get_mut(&number) else {
            return true;
        };
        let content = match incoming {
            Incoming::Text(text) => {
                FrameContent::Text(text.as_str().to_owned(), frame_value(text.as_str()))
            }
            Incoming::Binary(bytes) => FrameContent::Binary(bytes),
            Incoming::Ping | Incoming::Pong => return true,
            Incoming::Closed(end) => {
                connection.end = Some(end);
                return true;
            }
            Incoming::Nothing => return false,
        };
        self.arrived += 1;
        connection.pending.push_back(ArrivedFrame {
            arrival: self.arrived,
            content,
        });
        true
    }

    /// Returns the number for an event that is not a message.
    pub(super) fn next_arrival(&mut self) -> u64 {
        self.arrived += 1;
        self.arrived
    }
}
