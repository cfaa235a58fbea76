//! CloudWatch Logs.

use aws_sdk_cloudwatchlogs as logs;
use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_common::logs::PutLogs;

use super::{Account, account, refusal};

/// Creates a log group with three events in two streams.
async fn three_events() -> Account {
    let account = account().await;
    let logs = &account.logs;
    logs.create_log_group()
        .log_group_name("group")
        .send()
        .await
        .expect("a group");
    let stream = logs
        .create_log_stream()
        .log_group_name("group")
        .log_stream_name("a");
    stream.send().await.expect("a stream");
    let event = |at: i64, message: &str| {
        let event = logs::types::InputLogEvent::builder()
            .timestamp(at)
            .message(message);
        event.build().expect("an event")
    };
    let put = logs
        .put_log_events()
        .log_group_name("group")
        .log_stream_name("a");
    let put = put
        .log_events(event(1_000, "one"))
        .log_events(event(3_000, "three"));
    put.send().await.expect("taken");
    let two = vec!["two".to_owned()];
    account
        .lambda
        .logs
        .put("group", "b", EpochMillis::from_millis(2_000), two);
    account
}

#[tokio::test]
async fn log_groups_and_streams_are_created_described_and_deleted() {
    let account = three_events().await;
    let logs = &account.logs;
    let again = logs.create_log_group().log_group_name("group").send().await;
    assert_eq!(refusal(again), "ResourceAlreadyExistsException");
    let groups = logs
        .describe_log_groups()
        .log_group_name_prefix("gr")
        .send()
        .await
        .expect("groups");
    assert_eq!(groups.log_groups()[0].stored_bytes(), Some(11));
    let retain = logs
        .put_retention_policy()
        .log_group_name("group")
        .retention_in_days(7);
    retain.send().await.expect("done");
    let groups = logs.describe_log_groups().send().await.expect("groups");
    assert_eq!(groups.log_groups()[0].retention_in_days(), Some(7));
    let streams = logs.describe_log_streams().log_group_name("group");
    let streams = streams
        .order_by(logs::types::OrderBy::LastEventTime)
        .descending(true);
    let streams = streams.send().await.expect("streams");
    let names: Vec<_> = streams
        .log_streams()
        .iter()
        .filter_map(|one| one.log_stream_name())
        .collect();
    assert_eq!(names, ["a", "b"]);
    logs.delete_log_group()
        .log_group_name("group")
        .send()
        .await
        .expect("done");
    let gone = logs
        .filter_log_events()
        .log_group_name("group")
        .send()
        .await;
    assert_eq!(refusal(gone), "ResourceNotFoundException");
}

#[tokio::test]
async fn log_events_are_filtered_page_by_page_over_all_streams() {
    let account = three_events().await;
    let filter = || account.logs.filter_log_events().log_group_name("group");
    let (mut token, mut read, mut ids) = (None, Vec::new(), Vec::new());
    loop {
        let page = filter()
            .limit(2)
            .set_next_token(token)
            .send()
            .await
            .expect("a page");
        read.extend(
            page.events()
                .iter()
                .filter_map(|event| event.message().map(str::to_owned)),
        );
        ids.extend(
            page.events()
                .iter()
                .filter_map(|event| event.event_id().map(str::to_owned)),
        );
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(read, ["one", "two", "three"]);
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let filtered = filter()
        .filter_pattern("-two")
        .start_time(2_000)
        .send()
        .await
        .expect("events");
    assert_eq!(filtered.events()[0].message(), Some("three"));
    let ended = filter().end_time(2_000).send().await.expect("events");
    assert_eq!(ended.events().len(), 2, "the end is inclusive");
    let json = filter().filter_pattern("{ $.x = 1 }").send().await;
    assert_eq!(refusal(json), "InvalidParameterException");
    let live = account
        .logs
        .start_live_tail()
        .log_group_identifiers("group")
        .send()
        .await;
    assert!(live.is_err());
}

#[tokio::test]
async fn log_events_of_a_stream_are_read_in_both_directions() {
    let account = three_events().await;
    let get = || {
        account
            .logs
            .get_log_events()
            .log_group_name("group")
            .log_stream_name("a")
    };
    let last = get().limit(1).send().await.expect("events");
    assert_eq!(last.events()[0].message(), Some("three"));
    let before = get().next_token(last.next_backward_token().expect("a token"));
    let before = before.send().await.expect("events");
    assert_eq!(before.events()[0].message(), Some("one"));
    let after = get().next_token(last.next_forward_token().expect("a token"));
    let after = after.send().await.expect("events");
    assert!(after.events().is_empty());
    assert_eq!(after.next_forward_token(), last.next_forward_token());
    let first = get()
        .limit(1)
        .start_from_head(true)
        .send()
        .await
        .expect("events");
    assert_eq!(first.events()[0].message(), Some("one"));
    let ended = get().end_time(3_000).send().await.expect("events");
    assert_eq!(ended.events().len(), 1, "the end is exclusive");
}
