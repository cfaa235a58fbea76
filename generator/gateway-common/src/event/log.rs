//! The latest events, for readers at their own pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;

use super::Event;
use crate::{EpochMillis, resource_id};

/// Maximum memory of the events that are kept, in bytes.
const MAX_WEIGHT: usize = 32 * 1024 * 1024;

/// An event with its number and its time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecordedEvent {
    /// Number, from 1 and without gaps.
    pub id: u64,
    /// Time in milliseconds since 1970, UTC.
    #[schemars(with = "u64")]
    pub at: EpochMillis,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// The latest events. A full log drops its oldest event; the gateway never waits for a reader.
#[derive(Clone, Debug)]
pub struct Events(Arc<EventLog>);

#[derive(Debug)]
struct EventLog {
    /// Name of this log in the IDs of its events.
    run: String,
    kept: Arc<Mutex<KeptEvents>>,
    /// Number of the last event. Readers wait for its change.
    last: watch::Sender<u64>,
}

#[derive(Debug)]
struct KeptEvents {
    capacity: usize,
    events: VecDeque<Arc<RecordedEvent>>,
    /// Memory of the events.
    weight: usize,
    /// Number of the next event.
    next: u64,
}

/// A reader of events.
#[derive(Debug)]
pub struct EventReceiver {
    kept: Arc<Mutex<KeptEvents>>,
    last: watch::Receiver<u64>,
    /// Number of the next event to read.
    next: u64,
}

impl Events {
    /// Number of events that are kept by default.
    pub const CAPACITY: usize = 8192;

    /// Creates a log that keeps `capacity` events.
    pub fn new(capacity: usize) -> Self {
        let kept = KeptEvents {
            capacity: capacity.max(1),
            events: VecDeque::new(),
            weight: 0,
            next: 1,
        };
        Events(Arc::new(EventLog {
            run: resource_id(8),
            kept: Arc::new(Mutex::new(kept)),
            last: watch::Sender::new(0),
        }))
    }

    /// Returns a random name, which distinguishes the numbers of these events from those of another run.
    pub fn run(&self) -> &str {
        &self.0.run
    }

    /// Records an event.
    pub fn send(&self, event: impl FnOnce() -> Event) {
        let (event, at) = (event(), EpochMillis::now());
        let id = lock(&self.0.kept).push(at, event);
        self.0.last.send_replace(id);
    }

    /// Returns a receiver of all events from now on.
    pub fn subscribe(&self) -> EventReceiver {
        let next = lock(&self.0.kept).next;
        self.subscribe_from(next)
    }

    /// Returns a receiver of the events after the one with a number, as far as they are kept; 0 for all.
    pub fn subscribe_after(&self, id: u64) -> EventReceiver {
        self.subscribe_from(id.saturating_add(1))
    }

    fn subscribe_from(&self, next: u64) -> EventReceiver {
        EventReceiver {
            kept: self.0.kept.clone(),
            last: self.0.last.subscribe(),
            next,
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Events::new(Self::CAPACITY)
    }
}

impl KeptEvents {
    fn push(&mut self, at: EpochMillis, event: Event) -> u64 {
        let id = self.next;
        self.next += 1;
        self.weight += event.weight();
        self.events
            .push_back(Arc::new(RecordedEvent { id, at, event }));
        while self.events.len() > self.capacity || self.weight > MAX_WEIGHT && self.events.len() > 1
        {
            let oldest = self.events.pop_front();
            self.weight -= oldest.map_or(0, |oldest| oldest.event.weight());
        }
        id
    }

    /// Returns the event with this number. An older one was dropped if the error is a number of events.
    fn get(&self, id: u64) -> Result<Arc<RecordedEvent>, TryRecvError> {
        let oldest = self.next - self.events.len() as u64;
        if id < oldest {
            return Err(TryRecvError::Lagged(oldest - id));
        }
        let at = usize::try_from(id - oldest).unwrap_or(usize::MAX);
        self.events.get(at).cloned().ok_or(TryRecvError::Empty)
    }
}

impl EventReceiver {
    /// Returns the next event if it is there.
    ///
    /// # Errors
    ///
    /// If there is none, or events were dropped before this reader got them. The next call returns the oldest one that is kept.
    pub fn try_recv_recorded(&mut self) -> Result<Arc<RecordedEvent>, TryRecvError> {
        let found = lock(&self.kept).get(self.next);
        match &found {
            Ok(_) => self.next += 1,
            Err(TryRecvError::Lagged(dropped)) => self.next += dropped,
            Err(_) => {}
        }
        found
    }

    /// Waits for the next event. Dropping the future loses no event.
    ///
    /// # Errors
    ///
    /// If events were dropped before this reader got them, or if no gateway can send another one.
    pub async fn recv_recorded(&mut self) -> Result<Arc<RecordedEvent>, RecvError> {
        loop {
            // Marked as seen first: an event that follows wakes the wait below.
            self.last.borrow_and_update();
            match self.try_recv_recorded() {
                Ok(event) => return Ok(event),
                Err(TryRecvError::Lagged(dropped)) => return Err(RecvError::Lagged(dropped)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => {}
            }
            if self.last.changed().await.is_err() {
                return Err(RecvError::Closed);
            }
        }
    }

    /// Waits for the next event, without its number and time.
    ///
    /// # Errors
    ///
    /// As [`EventReceiver::recv_recorded`].
    pub async fn recv(&mut self) -> Result<Event, RecvError> {
        Ok(self.recv_recorded().await?.event.clone())
    }

    /// Returns the next event if it is there, without its number and time.
    ///
    /// # Errors
    ///
    /// As [`EventReceiver::try_recv_recorded`].
    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        Ok(self.try_recv_recorded()?.event.clone())
    }
}

fn lock(kept: &Mutex<KeptEvents>) -> MutexGuard<'_, KeptEvents> {
    // An event is complete before it is added, so a panic elsewhere cannot leave half an event.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: impl ToString) -> Event {
        Event::Log {
            function: "echo".to_owned(),
            line: text.to_string(),
        }
    }

    fn all(reader: &mut EventReceiver) -> (u64, Vec<u64>) {
        let (mut dropped, mut ids) = (0, Vec::new());
        loop {
            match reader.try_recv_recorded() {
                Ok(event) => ids.push(event.id),
                Err(TryRecvError::Lagged(count)) => dropped += count,
                Err(_) => return (dropped, ids),
            }
        }
    }

    #[test]
    fn a_reader_resumes_after_an_event_that_is_kept() {
        let events = Events::new(4);
        (0..6).for_each(|number| events.send(|| log(number)));
        assert_eq!(all(&mut events.subscribe_after(0)), (2, vec![3, 4, 5, 6]));
        assert_eq!(all(&mut events.subscribe_after(4)), (0, vec![5, 6]));
        assert_eq!(all(&mut events.subscribe_after(6)), (0, vec![]));
        assert_eq!(all(&mut events.subscribe_after(u64::MAX)), (0, vec![]));
        assert_eq!(all(&mut events.subscribe()), (0, vec![]));
    }

    #[test]
    fn large_events_are_kept_within_the_memory() {
        let events = Events::default();
        let large = "x".repeat(MAX_WEIGHT / 4);
        (0..10).for_each(|_| events.send(|| log(&large)));
        let (dropped, ids) = all(&mut events.subscribe_after(0));
        assert_eq!((dropped, ids), (7, vec![8, 9, 10]));
        events.send(|| log("x".repeat(2 * MAX_WEIGHT)));
        assert_eq!(all(&mut events.subscribe_after(0)), (10, vec![11]));
    }

    #[tokio::test]
    async fn a_waiting_reader_gets_the_next_event_and_learns_of_the_end() {
        let events = Events::default();
        let mut reader = events.subscribe();
        let waiting = tokio::spawn(async move {
            let event = reader.recv().await.unwrap();
            (event, reader.recv().await.unwrap_err())
        });
        tokio::task::yield_now().await;
        events.send(|| log(1));
        tokio::task::yield_now().await;
        drop(events);
        assert_eq!(waiting.await.unwrap(), (log(1), RecvError::Closed));
    }
}
