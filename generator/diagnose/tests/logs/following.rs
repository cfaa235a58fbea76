//! Following, with a paused clock.

use std::collections::BTreeMap;
use std::time::Duration;

use stackgen_deploy::{DeployError, Interrupt, OffsetDateTime, OperationContext, RetryPolicy};
use stackgen_diagnose::logs::{FollowEvent, FollowOptions, follow};
use tokio::sync::watch;

use crate::memory::{MemoryLogs, Visible, source};

/// Reported lines by their texts, and the other events.
#[derive(Debug, Default)]
struct Reported {
    lines: BTreeMap<String, usize>,
    order: Vec<i64>,
    notes: Vec<String>,
}

fn event(group: &'static str, at: i64, late: i64) -> Visible {
    Visible {
        group,
        at,
        visible: at + late,
        message: format!("{group} {at}"),
    }
}

/// Follows for some seconds. The clock of polls is paused at 1970, so every poll reads all events.
async fn followed(
    logs: &MemoryLogs,
    groups: &[&str],
    seconds: u64,
    options: FollowOptions,
) -> Reported {
    let retry = RetryPolicy::local();
    let (sender, receiver) = watch::channel(false);
    let interrupt = Interrupt::new(receiver);
    let ctx = OperationContext {
        retry: &retry,
        steps: &|_| {},
        interrupt: &interrupt,
        now: || OffsetDateTime::UNIX_EPOCH,
    };
    let sources: Vec<_> = groups.iter().map(|group| source(group)).collect();
    let mut reported = Reported::default();
    let mut report = |event: FollowEvent<'_>| match event {
        FollowEvent::Lines(lines) => {
            for line in lines {
                reported.order.push(line.entry.at);
                *reported
                    .lines
                    .entry(line.entry.message.into_string())
                    .or_default() += 1;
            }
        }
        FollowEvent::Tailing { sessions, groups } => reported
            .notes
            .push(format!("tailing {groups} in {sessions}")),
        FollowEvent::Polling { groups, reason } => {
            let reason = reason.map_or_else(String::new, |error| format!(": {error}"));
            reported
                .notes
                .push(format!("polling {}{reason}", groups.join(" ")));
        }
        FollowEvent::Renewed => reported.notes.push("renewed".to_owned()),
        FollowEvent::Failed { group, error } => {
            reported.notes.push(format!("failed {group}: {error}"))
        }
        FollowEvent::Sampled => reported.notes.push("sampled".to_owned()),
    };
    let stop = async {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        sender.send(true).unwrap();
        // The follower ends by itself.
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        result = follow(logs, &sources, &options, &mut report, ctx) => result,
        () = stop => unreachable!("it is pending"),
    };
    assert_eq!(result, Err(DeployError::Interrupted));
    reported
}

fn options(live_tail: bool) -> FollowOptions {
    FollowOptions {
        live_tail,
        ..FollowOptions::since(0)
    }
}

fn assert_all_once(reported: &Reported, count: usize) {
    assert_eq!(reported.lines.len(), count, "{reported:?}");
    assert!(
        reported.lines.values().all(|count| *count == 1),
        "{reported:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn polls_show_late_lines_once_and_in_order_within_the_hold() {
    let events = (0..40).map(|number| {
        event(
            ["a", "b"][number % 2],
            i64::try_from(number).unwrap() * 250,
            i64::try_from(number % 7).unwrap() * 200,
        )
    });
    let logs = MemoryLogs::new(events.collect());
    let reported = followed(&logs, &["a", "b"], 30, options(false)).await;
    assert_all_once(&reported, 40);
    assert_eq!(reported.notes, ["polling a b"]);
}

#[tokio::test(start_paused = true)]
async fn live_tail_takes_ten_groups_a_session_and_polls_only_at_the_beginning() {
    let names: Vec<String> = (0..23).map(|number| format!("g{number}")).collect();
    let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
    let events = names.iter().map(|group| event(group, 5_000, 100));
    let mut logs = MemoryLogs::new(events.collect());
    logs.session = Some(Duration::from_secs(10_800));
    let reported = followed(&logs, &names, 20, options(true)).await;
    assert_all_once(&reported, 23);
    assert_eq!(reported.notes, ["tailing 23 in 3"]);
    assert_eq!((logs.sessions.get(), logs.reads.borrow().len()), (3, 23));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_before_it_ends_and_nothing_is_lost_or_doubled() {
    let events = (0..800).map(|number| event("a", number * 20_000, number % 9 * 300));
    let mut logs = MemoryLogs::new(events.collect());
    logs.session = Some(Duration::from_secs(10_800));
    let reported = followed(&logs, &["a"], 16_200, options(true)).await;
    assert_all_once(&reported, 800);
    assert_eq!(reported.notes, ["tailing 1 in 1", "renewed"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_breaks_is_replaced_and_the_gap_is_read() {
    let events = (0..100).map(|number| event("a", number * 700, 50));
    let mut logs = MemoryLogs::new(events.collect());
    logs.session = Some(Duration::from_secs(20));
    let reported = followed(&logs, &["a"], 80, options(true)).await;
    assert_all_once(&reported, 100);
    assert!(logs.sessions.get() >= 4, "{}", logs.sessions.get());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_live_tail_is_polled() {
    for session in [None, Some(Duration::from_secs(2))] {
        let events = (0..30).map(|number| event("a", number * 500, 50));
        let mut logs = MemoryLogs::new(events.collect());
        logs.session = session;
        logs.denied_group = Some("b");
        let reported = followed(&logs, &["a", "b"], 40, options(true)).await;
        assert_all_once(&reported, 30);
        let polling = reported
            .notes
            .iter()
            .any(|note| note.starts_with("polling a b"));
        assert!(polling, "{:?}", reported.notes);
        let failed = reported
            .notes
            .iter()
            .filter(|note| note.starts_with("failed b"));
        assert_eq!(failed.count(), 1, "{:?}", reported.notes);
    }
}
