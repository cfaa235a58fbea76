//! Reading a range.

use std::cell::Cell;

use stackgen_deploy::{Interrupt, OffsetDateTime, OperationContext, RetryPolicy};
use stackgen_diagnose::logs::{LogSource, ReadLogs, TimeRange, read_range};

use crate::memory::{MemoryLogs, Visible, source};

fn event(group: &'static str, at: i64) -> Visible {
    Visible {
        group,
        at,
        visible: 0,
        message: format!("{group} {at}"),
    }
}

async fn read(logs: &MemoryLogs, sources: &[LogSource], end: Option<i64>) -> (ReadLogs, usize) {
    let (retry, interrupt) = (RetryPolicy::local(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &|_| {},
        interrupt: &interrupt,
        now: OffsetDateTime::now_utc,
    };
    let count = Cell::new(0);
    let progress = |events: usize| count.set(count.get() + events);
    let range = TimeRange { start: 0, end };
    let read = read_range(logs, sources, range, &progress, ctx)
        .await
        .unwrap();
    (read, count.get())
}

#[tokio::test]
async fn all_pages_of_all_groups_are_read_and_sorted() {
    let events =
        (0..25).map(|at| event(["a", "b", "c"][at % 3], i64::try_from(at * 7 % 25).unwrap()));
    let mut logs = MemoryLogs::new(events.collect());
    logs.denied_group = Some("d");
    let sources = ["a", "b", "c", "d"].map(source);
    let (found, count) = read(&logs, &sources, None).await;
    let times: Vec<_> = found.entries.iter().map(|entry| entry.at).collect();
    assert_eq!(times, (0..25).collect::<Vec<_>>());
    assert_eq!(count, 25);
    assert_eq!(found.failed.len(), 1);
    assert_eq!(found.failed[0].0, 3);
    for entry in &found.entries {
        let text = format!("{} {}", sources[entry.source].group, entry.at);
        assert_eq!(*entry.message, *text);
    }
    assert_eq!(read(&logs, &sources, Some(9)).await.0.entries.len(), 10);
}

#[tokio::test]
async fn full_pages_without_a_token_are_continued_at_their_last_time() {
    let events = (0..25_000).map(|at| event("a", at / 3));
    let mut logs = MemoryLogs::new(events.collect());
    (logs.page, logs.without_tokens) = (10_000, true);
    let (found, _) = read(&logs, &[source("a")], None).await;
    assert_eq!(found.entries.len(), 25_000);
}
