//! Events as they come, several at a time where they come fast.

use std::time::Duration;

use stackgen_gateway::{Event, Events};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep_until};

/// How long events are collected after some were told. Under load, waking and writing for each of them would take more time
/// than serving what they tell of.
const PAUSE: Duration = Duration::from_millis(10);
/// How many are told at once at most, so that Ctrl-C is heard in between.
const MOST: usize = 4096;

/// Events from when it was made on.
pub(super) struct Feed {
    events: Receiver<Event>,
    not_before: Instant,
}

/// Events that follow each other.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// How many before them came too fast to be kept.
    pub(super) missed: u64,
}

impl Feed {
    pub(super) fn new(events: &Events) -> Self {
        Feed {
            events: events.subscribe(),
            not_before: Instant::now(),
        }
    }

    /// The next events; `None` when there are none any more. Nothing is lost when this is dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Batch> {
        sleep_until(self.not_before).await;
        let mut batch = Batch::default();
        match self.events.recv().await {
            Ok(event) => batch.events.push(event),
            Err(RecvError::Lagged(missed)) => batch.missed = missed,
            Err(RecvError::Closed) => return None,
        }
        self.take(&mut batch);
        self.not_before = Instant::now() + PAUSE;
        Some(batch)
    }

    /// Those that are here already.
    pub(super) fn here(&mut self) -> Batch {
        let mut batch = Batch::default();
        self.take(&mut batch);
        batch
    }

    fn take(&mut self, batch: &mut Batch) {
        while batch.events.len() < MOST {
            match self.events.try_recv() {
                Ok(event) => batch.events.push(event),
                Err(TryRecvError::Lagged(missed)) => batch.missed += missed,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> Event {
        Event::Log {
            function: "echo".to_owned(),
            line: number.to_string(),
        }
    }

    fn numbers(batch: &Batch) -> Vec<String> {
        let line = |event: &Event| match event {
            Event::Log { line, .. } => line.clone(),
            other => panic!("{other:?}"),
        };
        batch.events.iter().map(line).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_event_is_told_at_once_and_those_of_the_next_moment_together() {
        let events = Events::default();
        let mut feed = Feed::new(&events);
        events.send(|| event(0));
        let began = Instant::now();
        assert_eq!(numbers(&feed.next().await.unwrap()), ["0"]);
        assert_eq!(began.elapsed(), Duration::ZERO);
        events.send(|| event(1));
        events.send(|| event(2));
        assert_eq!(numbers(&feed.next().await.unwrap()), ["1", "2"]);
        assert_eq!(began.elapsed(), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn events_that_came_too_fast_are_counted() {
        let events = Events::new(4);
        let mut feed = Feed::new(&events);
        (0..10).for_each(|number| events.send(|| event(number)));
        let batch = feed.next().await.unwrap();
        assert_eq!((batch.missed, numbers(&batch).len()), (6, 4));
        drop(events);
        assert!(feed.next().await.is_none());
    }
}
