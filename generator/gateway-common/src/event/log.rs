//! The latest events, for readers at their own pace.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;

use super::kept::KeptEvents;
use super::{Event, RecordedEvent};
use crate::{EpochMillis, resource_id};

/// The latest events, and the handshakes of connections whose close is not dropped yet. A full log drops its oldest event; the
/// gateway never waits for a reader.
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

/// A reader of events.
#[derive(Debug)]
pub struct EventReceiver {
    kept: Arc<Mutex<KeptEvents>>,
    last: watch::Receiver<u64>,
    /// Handshakes to read first, which are older than the next event.
    handshakes: vec::IntoIter<Arc<RecordedEvent>>,
    /// Number of the next event to read.
    next: u64,
}

impl Events {
    /// Number of events that are kept by default.
    pub const CAPACITY: usize = 8192;

    /// Creates a log that keeps `capacity` events.
    pub fn new(capacity: usize) -> Self {
        Events(Arc::new(EventLog {
            run: resource_id(8),
            kept: Arc::new(Mutex::new(KeptEvents::new(capacity))),
            last: watch::Sender::new(0),
        }))
    }

    /// Returns a random name, which distinguishes the numbers of these events from those of another run.
    pub fn run(&self) -> &str {
        &self.0.run
    }

    /// Records an event.
    pub fn send(&self, event: Event) {
        let id = lock(&self.0.kept).push(EpochMillis::now(), event);
        self.0.last.send_replace(id);
    }

    /// Returns a receiver of all events from now on.
    pub fn subscribe(&self) -> EventReceiver {
        let next = lock(&self.0.kept).next();
        self.subscribe_from(next)
    }

    /// Returns a receiver of all events that are kept, and of those that follow. It does not report older ones as dropped.
    pub fn subscribe_to_kept(&self) -> EventReceiver {
        let mut receiver = self.subscribe_from(1);
        receiver.skip_dropped();
        receiver
    }

    /// Returns a receiver of the events after the one with a number. It reports those that are no longer kept as dropped.
    pub fn subscribe_after(&self, id: u64) -> EventReceiver {
        self.subscribe_from(id.saturating_add(1))
    }

    fn subscribe_from(&self, next: u64) -> EventReceiver {
        EventReceiver {
            kept: self.0.kept.clone(),
            last: self.0.last.subscribe(),
            handshakes: Vec::new().into_iter(),
            next,
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Events::new(Self::CAPACITY)
    }
}

impl EventReceiver {
    /// Returns the next event if it is there.
    ///
    /// # Errors
    ///
    /// If there is none, or events were dropped before this reader got them. The next call goes on with those that are kept.
    pub fn try_recv_recorded(&mut self) -> Result<Arc<RecordedEvent>, TryRecvError> {
        if let Some(handshake) = self.handshakes.next() {
            return Ok(handshake);
        }
        let kept = lock(&self.kept);
        if let Some(event) = kept.get(self.next) {
            self.next += 1;
            return Ok(event);
        }
        drop(kept);
        match self.skip_dropped() {
            0 => self.handshakes.next().ok_or(TryRecvError::Empty),
            dropped => Err(TryRecvError::Lagged(dropped)),
        }
    }

    /// Goes on to the oldest event that is kept. Returns the number of events that were dropped before this reader got them.
    fn skip_dropped(&mut self) -> u64 {
        let kept = lock(&self.kept);
        let oldest = kept.oldest();
        if self.next >= oldest {
            return 0;
        }
        let handshakes = kept.handshakes_from(self.next);
        let dropped = oldest - self.next - handshakes.len() as u64;
        self.handshakes = handshakes.into_iter();
        self.next = oldest;
        dropped
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
    use std::time::Duration;

    use super::*;
    use crate::event::HandshakeDetails;
    use crate::event::kept::MAX_WEIGHT;
    use crate::{ApiId, ConnectionId, StageName};

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
        (0..6).for_each(|number| events.send(log(number)));
        assert_eq!(all(&mut events.subscribe_after(0)), (2, vec![3, 4, 5, 6]));
        let kept = all(&mut events.subscribe_to_kept());
        assert_eq!(kept, (0, vec![3, 4, 5, 6]));
        assert_eq!(all(&mut events.subscribe_after(4)), (0, vec![5, 6]));
        assert_eq!(all(&mut events.subscribe_after(6)), (0, vec![]));
        assert_eq!(all(&mut events.subscribe_after(u64::MAX)), (0, vec![]));
        assert_eq!(all(&mut events.subscribe()), (0, vec![]));
    }

    fn connected(connection: &ConnectionId, size: usize) -> Event {
        let handshake = HandshakeDetails {
            path: "x".repeat(size),
            ..HandshakeDetails::default()
        };
        Event::Connected {
            api: ApiId::new("api1"),
            stage: StageName::new("prod"),
            connection: connection.clone(),
            principal: None,
            handshake: Box::new(handshake),
            took: Duration::ZERO,
        }
    }

    fn closed(connection: &ConnectionId) -> Event {
        Event::Closed {
            connection: connection.clone(),
            code: 1005,
            reason: String::new(),
            meaning: "",
            row: "M16",
            age: Duration::ZERO,
        }
    }

    #[test]
    fn handshakes_are_kept_until_the_close_is_dropped() {
        let events = Events::new(3);
        let (one, two) = (ConnectionId::generate(), ConnectionId::generate());
        events.send(connected(&one, 0));
        let mut slow = events.subscribe_after(1);
        events.send(log(2));
        events.send(connected(&two, 0));
        (4..8).for_each(|number| events.send(log(number)));
        let kept = all(&mut events.subscribe_to_kept());
        assert_eq!(kept, (0, vec![1, 3, 5, 6, 7]));
        assert_eq!(all(&mut slow), (2, vec![3, 5, 6, 7]));
        assert_eq!(all(&mut events.subscribe_after(3)), (1, vec![5, 6, 7]));
        events.send(closed(&one));
        let kept = all(&mut events.subscribe_to_kept());
        assert_eq!(kept, (0, vec![1, 3, 6, 7, 8]));
        (9..12).for_each(|number| events.send(log(number)));
        let kept = all(&mut events.subscribe_to_kept());
        assert_eq!(kept, (0, vec![3, 9, 10, 11]));
    }

    #[test]
    fn a_reader_that_falls_behind_again_gets_every_handshake_once() {
        let events = Events::new(2);
        let ids: Vec<_> = (0..3).map(|_| ConnectionId::generate()).collect();
        let mut reader = events.subscribe();
        ids.iter().for_each(|id| events.send(connected(id, 0)));
        events.send(log(4));
        assert_eq!(reader.try_recv_recorded().unwrap().id, 1);
        (5..8).for_each(|number| events.send(log(number)));
        assert_eq!(all(&mut reader), (2, vec![2, 3, 6, 7]));
    }

    #[test]
    fn handshakes_are_kept_within_the_memory() {
        let events = Events::new(1);
        let ids: Vec<_> = (0..10).map(|_| ConnectionId::generate()).collect();
        ids.iter()
            .for_each(|id| events.send(connected(id, MAX_WEIGHT / 4)));
        events.send(log(11));
        let kept = all(&mut events.subscribe_to_kept());
        assert_eq!(kept, (0, vec![1, 2, 3, 11]));
        events.send(closed(&ids[0]));
        events.send(connected(&ids[9], MAX_WEIGHT / 4));
        events.send(log(14));
        let kept = all(&mut events.subscribe_to_kept());
        assert_eq!(kept, (0, vec![2, 3, 13, 14]));
    }

    #[test]
    fn large_events_are_kept_within_the_memory() {
        let events = Events::default();
        let large = "x".repeat(MAX_WEIGHT / 4);
        (0..10).for_each(|_| events.send(log(&large)));
        let (dropped, ids) = all(&mut events.subscribe_after(0));
        assert_eq!((dropped, ids), (7, vec![8, 9, 10]));
        events.send(log("x".repeat(2 * MAX_WEIGHT)));
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
        events.send(log(1));
        tokio::task::yield_now().await;
        drop(events);
        assert_eq!(waiting.await.unwrap(), (log(1), RecvError::Closed));
    }
}
