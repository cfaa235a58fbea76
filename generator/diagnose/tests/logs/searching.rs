//! Searching with Logs Insights.

use proptest::prelude::*;
use stackgen_deploy::{Interrupt, OffsetDateTime, OperationContext, RetryPolicy};
use stackgen_diagnose::logs::{
    FieldFilter, FilteredField, LifeFilter, LogSearchRequest, LogSource, SearchedLogs, TimeRange,
    search,
};

use crate::memory::{MemoryLogs, Visible, source};

fn found(
    logs: &MemoryLogs,
    sources: &[LogSource],
    filter: &LifeFilter,
    max_bytes: Option<u64>,
) -> SearchedLogs {
    let (retry, interrupt) = (RetryPolicy::local(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &|_| {},
        interrupt: &interrupt,
        now: OffsetDateTime::now_utc,
    };
    let request = LogSearchRequest {
        sources,
        range: TimeRange {
            start: 0,
            end: Some(100_000_000),
        },
        filter,
        now: 100_000_000,
        max_bytes,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(search(logs, request, ctx)).unwrap()
}

fn event(group: &'static str, at: i64, message: String) -> Visible {
    Visible {
        group,
        at,
        visible: 0,
        message,
    }
}

/// Returns the logs of a user's connection with messages: the access log names the user, and the function logs its own ID.
fn of_user(messages: i64) -> Vec<Visible> {
    let lambda = |number: i64| format!("71952965-d5cc-4974-ae08-{number:012}");
    let mut events = vec![event(
        "access",
        0,
        r#"{"connectionId":"C=","requestId":"R=","principalId":"alice"}"#.to_owned(),
    )];
    for number in 1..=messages {
        let access = format!(r#"{{"connectionId":"C=","requestId":"R{number}="}}"#);
        events.push(event("access", number * 1000, access));
        let line = format!(
            r#"{{"requestId":"R{number}=","awsRequestId":"{}"}}"#,
            lambda(number)
        );
        events.push(event("chat", number * 1000 + 1, line));
        let report = format!("REPORT RequestId: {} Duration: 1.00 ms", lambda(number));
        events.push(event("chat", number * 1000 + 2, report));
        // Somebody else's.
        let other = format!(r#"{{"connectionId":"X=","requestId":"S{number}="}}"#);
        events.push(event("access", number * 1000 + 3, other));
    }
    events
}

fn alice() -> LifeFilter {
    LifeFilter {
        connection: None,
        fields: vec![FieldFilter {
            field: FilteredField::User,
            value: "alice".to_owned(),
        }],
    }
}

#[test]
fn the_lines_of_a_user_are_found_by_connection_then_request_then_invocation() {
    let logs = MemoryLogs::new(of_user(300));
    let sources = [source("access"), source("chat")];
    let all = found(&logs, &sources, &alice(), None);
    assert!(!all.is_cut_off);
    assert_eq!(all.entries.len(), 1 + 3 * 300);
    assert!(all.entries.iter().all(|line| !line.message.contains("X=")));
    let scanned = u64::try_from(logs.scanned.get()).unwrap();
    assert_eq!(all.scanned_bytes, scanned);
}

#[test]
fn more_than_fifty_groups_are_searched_by_several_queries() {
    let names: Vec<&'static str> = (0..120)
        .map(|number| &*format!("g{number}").leak())
        .collect();
    let events = names
        .iter()
        .map(|group| event(group, 1_000, format!("{group} C=")));
    let logs = MemoryLogs::new(events.collect());
    let sources: Vec<_> = names.iter().map(|name| source(name)).collect();
    let filter = LifeFilter {
        connection: Some("C=".to_owned()),
        fields: Vec::new(),
    };
    assert_eq!(found(&logs, &sources, &filter, None).entries.len(), 120);
    assert_eq!(logs.queries.borrow().len(), 3);
}

fn of_connection() -> LifeFilter {
    LifeFilter {
        connection: Some("C=".to_owned()),
        fields: Vec::new(),
    }
}

#[test]
fn a_second_with_more_lines_than_a_query_returns_cuts_the_search_off_and_the_rest_is_found() {
    let lines = |at: i64, count: usize| {
        let line = move |_| event("access", at, r#"{"connectionId":"C="}"#.to_owned());
        (0..count).map(line)
    };
    let at_once = |count| MemoryLogs::new(lines(50_000_000, count).collect());
    let sources = [source("access")];
    let full = found(&at_once(9_999), &sources, &of_connection(), None);
    assert_eq!((full.entries.len(), full.is_cut_off), (9_999, false));
    let cut_off = found(&at_once(10_001), &sources, &of_connection(), None);
    assert_eq!((cut_off.entries.len(), cut_off.is_cut_off), (10_000, true));
    // Ranges of other seconds are still divided.
    let spread = (1..=12).flat_map(|second| lines(second * 1_000_000, 1_000));
    let logs = MemoryLogs::new(spread.chain(lines(99_000_000, 10_001)).collect());
    let rest = found(&logs, &sources, &of_connection(), None);
    assert_eq!((rest.entries.len(), rest.is_cut_off), (22_000, true));
    assert!(!cut_off.is_stopped && !rest.is_stopped, "no limit of bytes");
}

#[test]
fn ids_that_the_last_round_finds_cut_the_search_off() {
    let line = |request: u32, lambda: u32| {
        let lambda = format!("71952965-d5cc-4974-ae08-{lambda:012}");
        let message = format!(r#"{{"requestId":"R{request}=","awsRequestId":"{lambda}"}}"#);
        event("chat", i64::from(request + 1) * 1_000, message)
    };
    let access = r#"{"connectionId":"C=","requestId":"R1="}"#.to_owned();
    let sources = [source("access"), source("chat")];
    // Each line names an ID of the line before it, and a new one.
    let chain = |pairs: &[(u32, u32)]| {
        let lines = pairs
            .iter()
            .map(|(request, lambda)| line(*request, *lambda));
        let first = event("access", 0, access.clone());
        let logs = MemoryLogs::new(std::iter::once(first).chain(lines).collect());
        found(&logs, &sources, &of_connection(), None)
    };
    let complete = chain(&[(1, 1), (2, 1)]);
    assert_eq!((complete.entries.len(), complete.is_cut_off), (3, false));
    let cut_off = chain(&[(1, 1), (2, 1), (2, 2), (3, 2)]);
    assert!(cut_off.is_cut_off, "{} lines", cut_off.entries.len());
    assert!(!cut_off.is_stopped, "no limit of bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_search_ends_at_its_limit_and_says_so(messages in 1..40_i64, share in 1..500_u64) {
        let sources = [source("access"), source("chat")];
        let complete = found(&MemoryLogs::new(of_user(messages)), &sources, &alice(), None);
        let one = complete.scanned_bytes / 4;
        let limit = one * share / 100;
        let logs = MemoryLogs::new(of_user(messages));
        // A query ends at the first look at which it is over the limit: the logs in memory scan half between two looks.
        let limited = found(&logs, &sources, &alice(), Some(limit));
        prop_assert!(limited.scanned_bytes <= limit + one / 2 + 1, "{} of {limit}", limited.scanned_bytes);
        prop_assert_eq!(limited.scanned_bytes, u64::try_from(logs.scanned.get()).unwrap());
        // It is the only cause here.
        prop_assert_eq!(limited.is_stopped, limited.is_cut_off);
        prop_assert!(limited.is_cut_off || limited.entries.len() == complete.entries.len());
    }
}
