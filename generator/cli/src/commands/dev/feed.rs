//! Events of the gateway in batches.

use std::sync::Arc;
use std::time::Duration;

use stackgen_gateway::{EventReceiver, Events, RecordedEvent};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep_until};

/// Time to collect events after a batch. Under load, a write per event would take longer than serving the event.
const PAUSE: Duration = Duration::from_millis(10);
/// Maximum size of a batch, so that Ctrl-C is handled in between.
const MAX_BATCH: usize = 4096;

/// Subscription to events.
pub(super) struct EventFeed {
    events: EventReceiver,
    not_before: Instant,
}

/// Consecutive events.
#[derive(Debug, Default)]
pub(super) struct EventBatch {
    pub(super) events: Vec<Arc<RecordedEvent>>,
    /// Number of events before them that were dropped, because they came too fast.
    pub(super) dropped: u64,
}

impl EventFeed {
    pub(super) fn new(events: &Events) -> Self {
        EventFeed {
            events: events.subscribe(),
            not_before: Instant::now(),
        }
    }

    /// Waits for the next events; `None` after the last. Dropping the future loses no event.
    pub(super) async fn next(&mut self) -> Option<EventBatch> {
        sleep_until(self.not_before).await;
        let mut batch = EventBatch::default();
        match self.events.recv_recorded().await {
            Ok(event) => batch.events.push(event),
            Err(RecvError::Lagged(dropped)) => batch.dropped = dropped,
            Err(RecvError::Closed) => return None,
        }
        self.take(&mut batch);
        self.not_before = Instant::now() + PAUSE;
        Some(batch)
    }

    /// Returns the events that arrived already.
    pub(super) fn arrived(&mut self) -> EventBatch {
        let mut batch = EventBatch::default();
        self.take(&mut batch);
        batch
    }

    fn take(&mut self, batch: &mut EventBatch) {
        while batch.events.len() < MAX_BATCH {
            match self.events.try_recv_recorded() {
                Ok(event) => batch.events.push(event),
                Err(TryRecvError::Lagged(dropped)) => batch.dropped += dropped,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use stackgen_gateway::Event;

    use super::*;

    fn event(number: usize) -> Event {
        Event::Log {
            function: "echo".to_owned(),
            line: number.to_string(),
        }
    }

    fn numbers(batch: &EventBatch) -> Vec<String> {
        let line = |recorded: &Arc<RecordedEvent>| match &recorded.event {
            Event::Log { line, .. } => line.clone(),
            other => panic!("{other:?}"),
        };
        batch.events.iter().map(line).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_event_comes_at_once_and_later_ones_in_batches() {
        let events = Events::default();
        let mut feed = EventFeed::new(&events);
        events.send(event(0));
        let began = Instant::now();
        assert_eq!(numbers(&feed.next().await.unwrap()), ["0"]);
        assert_eq!(began.elapsed(), Duration::ZERO);
        events.send(event(1));
        events.send(event(2));
        assert_eq!(numbers(&feed.next().await.unwrap()), ["1", "2"]);
        assert_eq!(began.elapsed(), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_events_are_counted() {
        let events = Events::new(4);
        let mut feed = EventFeed::new(&events);
        (0..10).for_each(|number| events.send(event(number)));
        let batch = feed.next().await.unwrap();
        assert_eq!((batch.dropped, numbers(&batch).len()), (6, 4));
        drop(events);
        assert!(feed.next().await.is_none());
    }
}
