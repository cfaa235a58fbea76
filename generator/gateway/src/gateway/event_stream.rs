//! Stream of events as server-sent events.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, header};
use stackgen_gateway_common::{EventReceiver, RecordedEvent, StreamLine, StreamNote};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep, sleep_until};

use super::Shared;

/// Interval of comments on a quiet stream, by which both sides notice that the other one is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Time to collect events after a part of the stream. Under load, a write per event would cost more than the event.
const PAUSE: Duration = Duration::from_millis(20);

/// Size at which a part of the stream is sent, in bytes.
const PART_BYTES: usize = 256 * 1024;

/// Streams events until the gateway stops or the client disconnects: those that are kept after `Last-Event-ID`, and new ones.
pub(super) async fn events(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok());
    let run = shared.plane.events.run();
    let after = last.and_then(|last| number_of(last, run));
    let begin = StreamNote::Started {
        run: run.to_owned(),
    };
    let mut first = b"retry: 1000\n".to_vec();
    write_line(&mut first, None, &StreamLine::Note(begin));
    let reader = PartReader {
        events: match after {
            Some(id) => shared.plane.events.subscribe_after(id),
            None => shared.plane.events.subscribe_to_kept(),
        },
        shared,
        first: Some(first),
        not_before: Instant::now(),
    };
    let parts = stream::unfold(reader, |mut reader| async move {
        let part = reader.next_part().await?;
        Some((Ok::<_, Infallible>(Bytes::from(part)), reader))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(parts)).into_response()
}

/// Returns the number of an ID, `{run}-{number}`, unless it is of another run.
fn number_of(id: &str, run: &str) -> Option<u64> {
    let (of, number) = id.rsplit_once('-')?;
    (of == run).then(|| number.parse().ok())?
}

/// ID of a server-sent event, which browsers send back.
struct EventId<'a> {
    run: &'a str,
    number: u64,
}

/// Reader of events for one client.
struct PartReader {
    events: EventReceiver,
    shared: Arc<Shared>,
    first: Option<Vec<u8>>,
    not_before: Instant,
}

impl PartReader {
    /// Waits for the next events; `None` if the gateway stops.
    async fn next_part(&mut self) -> Option<Vec<u8>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        sleep_until(self.not_before).await;
        let event = tokio::select! {
            () = self.shared.stop.cancelled() => return None,
            () = sleep(KEEP_ALIVE) => return Some(b": quiet\n\n".to_vec()),
            event = self.events.recv_recorded() => event,
        };
        let mut part = Vec::new();
        match event {
            Ok(event) => self.write(&mut part, &event),
            Err(RecvError::Lagged(count)) => write_dropped(&mut part, count),
            Err(RecvError::Closed) => return None,
        }
        while part.len() < PART_BYTES {
            match self.events.try_recv_recorded() {
                Ok(event) => self.write(&mut part, &event),
                Err(TryRecvError::Lagged(count)) => write_dropped(&mut part, count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.not_before = Instant::now() + PAUSE;
        Some(part)
    }

    fn write(&self, part: &mut Vec<u8>, event: &RecordedEvent) {
        let run = self.shared.plane.events.run();
        let id = EventId {
            run,
            number: event.id,
        };
        write_line(part, Some(id), &StreamLine::Recorded(event));
    }
}

fn write_dropped(part: &mut Vec<u8>, count: u64) {
    let note = StreamNote::Dropped { count };
    write_line(part, None, &StreamLine::Note(note));
}

/// Writes a server-sent event. JSON has no line breaks.
fn write_line(part: &mut Vec<u8>, id: Option<EventId<'_>>, line: &StreamLine<'_>) {
    // Writing to memory cannot fail, and neither can an event.
    if let Some(EventId { run, number }) = id {
        let _ = writeln!(part, "id: {run}-{number}");
    }
    part.extend_from_slice(b"data: ");
    let _ = serde_json::to_writer(&mut *part, line);
    part.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_run_starts_from_the_beginning() {
        assert_eq!(number_of("run1-17", "run1"), Some(17));
        for id in ["run2-17", "17", "run1-", "run1-x", ""] {
            assert_eq!(number_of(id, "run1"), None, "{id}");
        }
    }
}
