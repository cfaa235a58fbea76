//! Events that are kept within a fixed memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::{Event, RecordedEvent};
use crate::{ConnectionId, EpochMillis};

/// Maximum memory of the latest events, in bytes. Older handshakes take as much again.
pub(super) const MAX_WEIGHT: usize = 32 * 1024 * 1024;

/// The latest events, and older handshakes that explain them.
#[derive(Debug)]
pub(super) struct KeptEvents {
    capacity: usize,
    events: VecDeque<Arc<RecordedEvent>>,
    /// Memory of the latest events.
    weight: usize,
    /// Number of the next event.
    next: u64,
    /// Handshakes that were dropped from the latest events before the close of their connection.
    handshakes: HashMap<ConnectionId, Arc<RecordedEvent>>,
    /// Memory of these handshakes.
    handshakes_weight: usize,
}

impl KeptEvents {
    /// Keeps `capacity` events, but at least one.
    pub(super) fn new(capacity: usize) -> Self {
        KeptEvents {
            capacity: capacity.max(1),
            events: VecDeque::new(),
            weight: 0,
            next: 1,
            handshakes: HashMap::new(),
            handshakes_weight: 0,
        }
    }

    /// Returns the number of the next event.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the number of the oldest of the latest events.
    pub(super) fn oldest(&self) -> u64 {
        self.next - self.events.len() as u64
    }

    /// Returns the event with this number if it is one of the latest.
    pub(super) fn get(&self, id: u64) -> Option<Arc<RecordedEvent>> {
        let at = usize::try_from(id.checked_sub(self.oldest())?).ok()?;
        self.events.get(at).cloned()
    }

    /// Returns the older handshakes from a number on, in their order.
    pub(super) fn handshakes_from(&self, id: u64) -> Vec<Arc<RecordedEvent>> {
        let handshakes = self.handshakes.values();
        let mut found: Vec<_> = handshakes.filter(|it| it.id >= id).cloned().collect();
        found.sort_unstable_by_key(|it| it.id);
        found
    }

    /// Adds an event, and returns its number.
    pub(super) fn push(&mut self, at: EpochMillis, event: Event) -> u64 {
        let id = self.next;
        self.next += 1;
        self.weight += event.weight();
        self.events
            .push_back(Arc::new(RecordedEvent { id, at, event }));
        while self.events.len() > self.capacity || self.weight > MAX_WEIGHT && self.events.len() > 1
        {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.weight -= oldest.event.weight();
            self.drop_event(oldest);
        }
        id
    }

    /// Drops one of the latest events. A handshake is kept while the close of its connection may still be read.
    fn drop_event(&mut self, event: Arc<RecordedEvent>) {
        match &event.event {
            Event::Connected { connection, .. } => {
                let weight = self.handshakes_weight + event.event.weight();
                if weight <= MAX_WEIGHT {
                    self.handshakes_weight = weight;
                    self.handshakes.insert(connection.clone(), event);
                }
            }
            Event::Closed { connection, .. } => {
                if let Some(handshake) = self.handshakes.remove(connection) {
                    self.handshakes_weight -= handshake.event.weight();
                }
            }
            _ => {}
        }
    }
}
