//! Operations on log events: put, get, filter.

use serde::Deserialize;
use serde_json::{Value, json};
use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_common::logs::{FilterPattern, LogEvent, LogQuery};

use super::groups::{group_name, with_token};
use super::{LogsErrorResponse, LogsResult, LogsService, invalid};

/// Maximum number of events per response.
const MAX_EVENTS: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutEventsInput {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<EventInput>,
}

#[derive(Debug, Deserialize)]
struct EventInput {
    timestamp: EpochMillis,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GetEventsInput {
    log_group_name: String,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    log_stream_names: Vec<String>,
    log_stream_name_prefix: String,
    start_time: Option<EpochMillis>,
    end_time: Option<EpochMillis>,
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<usize>,
    start_from_head: bool,
}

/// Position of a page: a time and the number of an event.
type Position = (EpochMillis, u64);

impl GetEventsInput {
    fn group(&self) -> &str {
        group_name(
            self.log_group_identifier
                .as_deref()
                .unwrap_or(&self.log_group_name),
        )
    }

    fn limit(&self) -> usize {
        self.limit.unwrap_or(MAX_EVENTS).clamp(1, MAX_EVENTS)
    }
}

impl LogsService {
    pub(super) fn put_events(&self, put: PutEventsInput) -> LogsResult {
        if !put.log_events.is_sorted_by_key(|event| event.timestamp) {
            return Err(invalid(
                "Log events in a single PutLogEvents request must be in chronological order.",
            ));
        }
        let events = put.log_events.into_iter();
        let events = events.map(|event| (event.timestamp, event.message));
        self.logs
            .add(&put.log_group_name, &put.log_stream_name, events)?;
        // Old clients send the token back; it is ignored.
        Ok(json!({ "nextSequenceToken": "0" }))
    }

    pub(super) fn get_events(&self, get: &GetEventsInput) -> LogsResult {
        let query = LogQuery {
            streams: vec![get.log_stream_name.clone()],
            start: get.start_time,
            end: get.end_time,
            ..LogQuery::default()
        };
        let events = self.logs.events(get.group(), &query)?;
        let token = get.next_token.as_deref().map(|token| {
            let (direction, position) = token.split_once('/')?;
            Some((direction == "f", position_of(position)?))
        });
        let (from, to) = match token {
            Some(Some((true, after))) => {
                let from = events.partition_point(|event| position(event) <= after);
                (from, from.saturating_add(get.limit()).min(events.len()))
            }
            Some(Some((false, before))) => {
                let to = events.partition_point(|event| position(event) < before);
                (to.saturating_sub(get.limit()), to)
            }
            Some(None) => return Err(invalid("The specified nextToken is invalid.")),
            None if get.start_from_head => (0, get.limit().min(events.len())),
            None => (events.len().saturating_sub(get.limit()), events.len()),
        };
        let page = &events[from..to];
        // At an end of the stream, the new token equals the old one.
        let current = token.flatten().map(|(_, position)| position);
        let first = page.first().map(position).or(current).unwrap_or_default();
        let last = page.last().map(position).or(current).unwrap_or_default();
        let shown = page.iter().map(|event| {
            json!({
                "timestamp": event.at, "message": &*event.message, "ingestionTime": event.ingested,
            })
        });
        Ok(json!({
            "events": shown.collect::<Vec<_>>(),
            "nextForwardToken": format!("f/{}", token_of(last)),
            "nextBackwardToken": format!("b/{}", token_of(first)),
        }))
    }

    pub(super) fn filter_events(&self, get: GetEventsInput) -> LogsResult {
        let (group, limit) = (get.group().to_owned(), get.limit());
        if !get.log_stream_names.is_empty() && !get.log_stream_name_prefix.is_empty() {
            return Err(invalid(
                "logStreamNames and logStreamNamePrefix cannot be used together",
            ));
        }
        let after = match get.next_token.as_deref().map(position_of) {
            Some(None) => return Err(invalid("The specified nextToken is invalid.")),
            after => after.flatten(),
        };
        let query = LogQuery {
            pattern: FilterPattern::parse(&get.filter_pattern).map_err(LogsErrorResponse::from)?,
            streams: get.log_stream_names,
            prefix: get.log_stream_name_prefix,
            start: get.start_time,
            // The end is inclusive here, but exclusive in GetLogEvents.
            end: get
                .end_time
                .map(|end| end.after(std::time::Duration::from_millis(1))),
        };
        let events = self.logs.events(&group, &query)?;
        let from = events.partition_point(|event| Some(position(event)) <= after);
        let page = &events[from..from.saturating_add(limit).min(events.len())];
        let more = from + page.len() < events.len();
        let next = page
            .last()
            .filter(|_| more)
            .map(|event| token_of(position(event)));
        let shown: Vec<_> = page.iter().map(filtered).collect();
        Ok(with_token(
            json!({ "events": shown, "searchedLogStreams": [] }),
            next,
        ))
    }
}

fn filtered(event: &LogEvent) -> Value {
    json!({
        "logStreamName": &*event.stream,
        "timestamp": event.at,
        "message": &*event.message,
        "ingestionTime": event.ingested,
        // 56 digits, as in CloudWatch Logs. The same event has the same ID in every response.
        "eventId": format!("{:020}{:036}", event.at.as_millis(), event.number),
    })
}

fn position(event: &LogEvent) -> Position {
    (event.at, event.number)
}

fn token_of((at, number): Position) -> String {
    format!("{}.{number}", at.as_millis())
}

fn position_of(token: &str) -> Option<Position> {
    let (at, number) = token.split_once('.')?;
    Some((
        EpochMillis::from_millis(at.parse().ok()?),
        number.parse().ok()?,
    ))
}
