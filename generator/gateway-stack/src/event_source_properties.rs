//! Properties of event source mappings.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use stackgen_gateway_common::{ArnScope, EventPattern};

use super::compute::{number, split_qualifier};
use super::event_source::{EventSource, EventSourceMapping, StreamStart};
use super::resource_error::ResourceError;
use super::shapes::{Shape, convert};

impl EventSourceMapping {
    /// Reads the resolved properties of a mapping.
    pub(super) fn read(
        properties: &Map<String, Json>,
        scope: &ArnScope,
    ) -> Result<Self, ResourceError> {
        let text = |name: &str| properties.get(name).and_then(Json::as_str);
        let source_arn = text("EventSourceArn").unwrap_or_default();
        let source = EventSource::parse(source_arn);
        let (name, qualifier) = split_qualifier(text("FunctionName").unwrap_or_default());
        let mut function = scope.function(name);
        function.qualifier = qualifier.map(str::to_owned);
        let seconds = |name: &str| match number(properties, name) {
            Ok(seconds) => Ok(seconds.map(Duration::from_secs)),
            Err(error) => Err(error),
        };
        let batch_size = number(properties, "BatchSize")?.unwrap_or_default();
        let batch_size = usize::try_from(batch_size).unwrap_or(usize::MAX);
        let response_types = properties.get("FunctionResponseTypes");
        let concurrency = properties
            .get("ScalingConfig")
            .and_then(|scaling| scaling.get("MaximumConcurrency")?.as_u64());
        Ok(EventSourceMapping {
            function,
            source_arn: source_arn.to_owned(),
            enabled: flag(properties, "Enabled").unwrap_or(true),
            start: start(properties)?,
            batch_size: match batch_size {
                0 => source.default_batch_size(),
                size => size,
            },
            source,
            window: seconds("MaximumBatchingWindowInSeconds")?.unwrap_or_default(),
            filters: filters(properties)?,
            reports_item_failures: response_types
                .and_then(Json::as_array)
                .is_some_and(|types| types.iter().any(|one| one == "ReportBatchItemFailures")),
            max_concurrency: concurrency.and_then(|number| usize::try_from(number).ok()),
            max_retries: limit(properties, "MaximumRetryAttempts")?,
            max_record_age: limit(properties, "MaximumRecordAgeInSeconds")?
                .map(Duration::from_secs),
            bisects: flag(properties, "BisectBatchOnFunctionError").unwrap_or(false),
        })
    }
}

/// Returns a limit, of which -1 means none.
fn limit(properties: &Map<String, Json>, name: &str) -> Result<Option<u64>, ResourceError> {
    match properties.get(name) {
        Some(unlimited) if *unlimited == -1 || *unlimited == "-1" => Ok(None),
        _ => number(properties, name),
    }
}

/// Returns the start in a stream.
fn start(properties: &Map<String, Json>) -> Result<StreamStart, ResourceError> {
    match properties.get("StartingPosition").and_then(Json::as_str) {
        Some("TRIM_HORIZON") => Ok(StreamStart::Oldest),
        Some("AT_TIMESTAMP") => {
            let time = properties.get("StartingPositionTimestamp");
            time.and_then(unix_seconds)
                .map(StreamStart::At)
                .ok_or_else(|| ResourceError {
                    hint: Some(
                        "set it in seconds since 1970, in Terraform as a date of RFC 3339"
                            .to_owned(),
                    ),
                    ..ResourceError::new(
                        "StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp",
                    )
                })
        }
        _ => Ok(StreamStart::Latest),
    }
}

/// Returns a time in seconds since 1970. Terraform writes it as a date of RFC 3339.
fn unix_seconds(time: &Json) -> Option<f64> {
    let date = time.as_str().and_then(|text| text.parse().ok());
    match date.map(Timestamp::as_duration) {
        Some(since_1970) => Some(since_1970.as_secs_f64()),
        None => convert(time.clone(), Shape::Number).as_f64(),
    }
}

fn flag(properties: &Map<String, Json>, name: &str) -> Option<bool> {
    convert(properties.get(name)?.clone(), Shape::Bool).as_bool()
}

fn filters(properties: &Map<String, Json>) -> Result<Vec<EventPattern>, ResourceError> {
    let filters = properties
        .get("FilterCriteria")
        .and_then(|criteria| criteria.get("Filters")?.as_array());
    let filters = filters.into_iter().flatten().map(|filter| {
        let text = filter.get("Pattern").and_then(Json::as_str);
        EventPattern::parse(text.unwrap_or_default()).map_err(|error| ResourceError {
            hint: Some("Lambda rejects it: Invalid filter pattern definition".to_owned()),
            ..ResourceError::new(format!("a pattern of FilterCriteria is not valid: {error}"))
        })
    });
    filters.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping(properties: Json) -> Result<EventSourceMapping, ResourceError> {
        let Json::Object(properties) = properties else {
            panic!("properties");
        };
        EventSourceMapping::read(&properties, &ArnScope::default())
    }

    #[test]
    fn a_mapping_has_the_defaults_of_its_source() {
        let queue = mapping(json!({
            "FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:work:live",
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs.fifo",
        }));
        let queue = queue.unwrap();
        let jobs = EventSource::Queue {
            name: "jobs.fifo".to_owned(),
            account: "000000000000".to_owned(),
        };
        assert_eq!((queue.source, queue.batch_size), (jobs, 10));
        assert_eq!(queue.function.qualifier.as_deref(), Some("live"));
        assert!(queue.enabled && !queue.reports_item_failures);
        let stream = mapping(json!({
            "FunctionName": "work",
            "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/notes/stream/2026-01-01T00:00:00.000",
            "Enabled": "false",
            "MaximumRetryAttempts": -1,
            "MaximumRecordAgeInSeconds": -1,
        }));
        let stream = stream.unwrap();
        let notes = EventSource::TableStream {
            table: "notes".to_owned(),
        };
        assert_eq!((stream.source, stream.batch_size), (notes, 100));
        assert_eq!((stream.max_retries, stream.max_record_age), (None, None));
        assert_eq!((stream.enabled, stream.start), (false, StreamStart::Latest));
        let records = mapping(json!({
            "FunctionName": "work",
            "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/records",
            "StartingPosition": "TRIM_HORIZON",
        }));
        let records = records.unwrap();
        let stream = EventSource::DataStream {
            name: "records".to_owned(),
        };
        assert_eq!((records.source, records.batch_size), (stream, 100));
        assert_eq!(records.start, StreamStart::Oldest);
    }

    #[test]
    fn a_mapping_starts_at_a_time_that_it_must_have() {
        let at = |time: Json| {
            let position = "AT_TIMESTAMP";
            mapping(json!({ "StartingPosition": position, "StartingPositionTimestamp": time }))
        };
        for time in [
            json!(1_700_000_000.5),
            json!("1700000000.5"),
            json!("2023-11-14T22:13:20.5Z"),
            json!("2023-11-14T23:13:20.5+01:00"),
        ] {
            let start = at(time).map(|mapping| mapping.start);
            assert_eq!(start.ok(), Some(StreamStart::At(1_700_000_000.5)));
        }
        for time in [json!("now"), Json::Null] {
            let error = at(time).unwrap_err();
            insta::allow_duplicates! {
                insta::assert_snapshot!(error.message, @"StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp");
            }
        }
    }

    #[test]
    fn other_sources_are_named_by_their_service() {
        for (arn, service) in [
            ("arn:aws:kafka:us-east-1:1:cluster/c/id", "kafka"),
            ("arn:aws:dynamodb:us-east-1:1:table/t", "dynamodb"),
            ("", "self-managed Kafka"),
        ] {
            let service = service.to_owned();
            assert_eq!(EventSource::parse(arn), EventSource::Other { service });
        }
    }

    #[test]
    fn filters_are_read_and_wrong_ones_are_errors() {
        let of = |pattern: &str| {
            mapping(json!({ "FilterCriteria": { "Filters": [{ "Pattern": pattern }] } }))
        };
        let filtered = of(r#"{"body":{"kind":["a"]}}"#).unwrap();
        assert!(filtered.accepts(&json!({ "body": { "kind": "a" } })));
        assert!(!filtered.accepts(&json!({ "body": { "kind": "b" } })));
        assert_eq!(
            of("nothing").unwrap_err().message,
            "a pattern of FilterCriteria is not valid: it is not a JSON object"
        );
    }
}
