//! Events that are shown once, and their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use stackgen_diagnose::logs::{LogLine, PollWindow, ReorderBuffer, SeenEvents, StoredEvent};

const WINDOW: PollWindow = PollWindow {
    overlap: 6_000,
    long_overlap: 60_000,
    long_every: 5,
};

/// Interval between polls in milliseconds.
const INTERVAL: i64 = 2_000;

/// An event becomes visible some time after its own time. Equal events have the same text and time.
fn events() -> impl Strategy<Value = Vec<(i64, i64, u8)>> {
    // Up to the long overlap, less the time between two long polls.
    let latest = WINDOW.long_overlap - (1 + i64::try_from(WINDOW.long_every).unwrap()) * INTERVAL;
    let late = prop_oneof![3 => 0..3_000_i64, 1 => 0..latest];
    prop::collection::vec((0..100_000_i64, late, 0..3_u8), 0..60)
}

fn stored(number: usize, at: i64, text: u8, has_id: bool) -> StoredEvent {
    StoredEvent {
        id: has_id.then(|| number.to_string()),
        stream: "s".to_owned(),
        // Few times, so that equal events occur.
        at: at / 5_000 * 5_000,
        ingested: 0,
        message: text.to_string(),
    }
}

/// Counts events by time and text.
fn counts(events: impl IntoIterator<Item = StoredEvent>) -> BTreeMap<(i64, String), usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry((event.at, event.message)).or_default() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn polls_lose_no_late_event_and_show_none_twice(events in events()) {
        let mut seen = SeenEvents::default();
        let mut shown = Vec::new();
        for poll in 0..100 {
            let now = i64::try_from(poll).unwrap() * INTERVAL;
            let start = WINDOW.start(poll, now, 0);
            for (number, (at, late, text)) in events.iter().enumerate() {
                let event = stored(number, *at, *text, true);
                if at + late <= now && event.at >= start && seen.admit(0, 0, &event) {
                    shown.push(event);
                }
            }
            seen.forget_before(now - WINDOW.long_overlap);
        }
        let all = events.iter().enumerate().map(|(number, (at, _, text))| stored(number, *at, *text, true));
        prop_assert_eq!(counts(shown), counts(all));
    }

    #[test]
    fn a_line_of_several_sessions_and_polls_is_shown_once(events in events(), order in any::<u64>(), lost in any::<u64>()) {
        // Two sessions lose some events, and the polls see all of them.
        let mut reads: Vec<(u32, usize)> = Vec::new();
        for number in 0..events.len() {
            let bit = number % 32;
            reads.extend((lost >> bit & 1 == 0).then_some((1, number)));
            reads.extend((lost >> (bit + 32) & 1 == 0).then_some((2, number)));
            reads.push((0, number));
        }
        // Any order of channels.
        reads.sort_by_key(|(channel, number)| (u64::from(*channel) * 31 + *number as u64 * 17) ^ order);
        let mut seen = SeenEvents::default();
        let mut shown = Vec::new();
        for (channel, number) in reads {
            let (at, _, text) = events[number];
            let event = stored(number, at, text, channel == 0);
            if seen.admit(channel, 0, &event) {
                shown.push(event);
            }
        }
        let all = events.iter().enumerate().map(|(number, (at, _, text))| stored(number, *at, *text, true));
        prop_assert_eq!(counts(shown), counts(all));
    }

    #[test]
    fn lines_that_arrive_within_the_hold_are_shown_in_order(lines in prop::collection::vec((0..10_000_i64, 0..2_000_i64), 0..60)) {
        let mut arrivals: Vec<_> = lines.iter().map(|(at, late)| (at + late, *at)).collect();
        arrivals.sort_unstable();
        let mut buffer = ReorderBuffer::new(2_000);
        let mut shown = Vec::new();
        for (now, at) in arrivals {
            shown.extend(buffer.due(now));
            buffer.add(entry(at), now);
        }
        shown.extend(buffer.rest());
        let mut times: Vec<_> = lines.iter().map(|(at, _)| *at).collect();
        times.sort_unstable();
        let found: Vec<_> = shown.iter().map(|line| line.entry.at).collect();
        prop_assert_eq!(found, times);
        prop_assert!(shown.iter().all(|line| !line.is_late));
    }

    #[test]
    fn no_line_is_lost_however_late_it_arrives(lines in prop::collection::vec((0..10_000_i64, 0..20_000_i64), 0..60)) {
        let mut arrivals: Vec<_> = lines.iter().map(|(at, late)| (at + late, *at)).collect();
        arrivals.sort_unstable();
        let mut buffer = ReorderBuffer::new(500);
        let mut shown = Vec::new();
        for (now, at) in arrivals {
            buffer.add(entry(at), now);
            shown.extend(buffer.due(now));
        }
        shown.extend(buffer.rest());
        prop_assert_eq!(shown.len(), lines.len());
        let mut last = i64::MIN;
        for line in shown {
            prop_assert_eq!(line.is_late, line.entry.at < last);
            last = last.max(line.entry.at);
        }
    }
}

fn entry(at: i64) -> LogLine {
    LogLine {
        source: 0,
        at,
        ingested: at,
        stream: Arc::from("s"),
        message: "m".into(),
    }
}
