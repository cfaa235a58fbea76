//! Event source mappings of templates, by which queues and streams invoke functions.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use stackgen_gateway_common::{EventPattern, FunctionArn};
use thiserror::Error;

/// Type of event source mappings.
pub(super) const EVENT_SOURCE_MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// Properties of a mapping that the gateway uses.
pub(super) const PROPERTIES: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "EventSourceArn",
    "FilterCriteria",
    "FunctionName",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
];

/// Runs event source mappings.
pub trait EventSources: Send + Sync + 'static {
    /// Starts a mapping, or replaces the one with this ID. A source that cannot be read here is left alone.
    fn put<'a>(
        &'a self,
        id: &'a str,
        mapping: EventSourceMapping,
    ) -> BoxFuture<'a, Result<(), EventSourceError>>;

    /// Stops a mapping, if it exists. Batches that are being processed are processed to their end.
    fn delete(&self, id: &str);

    /// Returns what does not work here as it does on AWS, in words.
    fn notes(&self, mapping: &EventSourceMapping) -> Vec<String>;
}

/// Reason why a mapping cannot be created.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct EventSourceError {
    /// Description.
    pub message: String,
    /// Advice.
    pub hint: Option<String>,
}

/// Event source mapping: a function, and a queue or a stream whose records it receives in batches.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSourceMapping {
    /// Function, with the qualifier of the mapping.
    pub function: FunctionArn,
    /// Queue or stream.
    pub source: EventSource,
    /// ARN of the queue or the stream, which events contain.
    pub source_arn: String,
    /// False if the mapping exists but reads nothing.
    pub enabled: bool,
    /// Start of the reading, for a stream of Kinesis.
    pub start: StreamStart,
    /// Maximum number of records in a batch.
    pub batch_size: usize,
    /// Time to wait for a full batch.
    pub window: Duration,
    /// Filters of records. With filters, records that match none of them are dropped.
    pub filters: Vec<EventPattern>,
    /// Honours the `batchItemFailures` of the function's answer.
    pub reports_item_failures: bool,
    /// Maximum number of batches at a time, for queues.
    pub max_concurrency: Option<usize>,
    /// Number of retries of a failed batch of a stream; `None` means no limit.
    pub max_retries: Option<u64>,
    /// Age at which records of a stream are no longer retried; `None` means no limit.
    pub max_record_age: Option<Duration>,
    /// Halves a failed batch of a stream before it is retried.
    pub bisects: bool,
}

/// Start of a mapping in a stream of Kinesis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamStart {
    /// Records that arrive from now on.
    Latest,
    /// Oldest record (`TRIM_HORIZON`).
    Oldest,
    /// Records that arrived from a time on, in seconds since 1970 (`AT_TIMESTAMP`).
    At(f64),
}

/// Kind of an event source, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// Queue of SQS.
    Queue {
        /// Queue name.
        name: String,
        /// Account that owns the queue.
        account: String,
    },
    /// Stream of a DynamoDB table.
    TableStream {
        /// Table name.
        table: String,
    },
    /// Stream of Kinesis.
    DataStream {
        /// Stream name.
        name: String,
    },
    /// Source of another service, which is not read.
    Other {
        /// Service in the ARN: `kafka`, `mq`, …
        service: String,
    },
}

impl EventSource {
    pub(super) fn parse(arn: &str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "sqs", _, account, name] => EventSource::Queue {
                name: (*name).to_owned(),
                account: (*account).to_owned(),
            },
            ["arn", _, "dynamodb", _, _, resource] if resource.contains("/stream/") => {
                let table = resource.split('/').nth(1).unwrap_or_default();
                EventSource::TableStream {
                    table: table.to_owned(),
                }
            }
            ["arn", _, "kinesis", _, _, resource] if resource.starts_with("stream/") => {
                let name = resource.split('/').nth(1).unwrap_or_default();
                EventSource::DataStream {
                    name: name.to_owned(),
                }
            }
            ["arn", _, service, ..] => EventSource::Other {
                service: (*service).to_owned(),
            },
            _ => EventSource::Other {
                service: "self-managed Kafka".to_owned(),
            },
        }
    }

    /// Returns the batch size of a mapping that sets none.
    pub(super) fn default_batch_size(&self) -> usize {
        match self {
            EventSource::Queue { .. } => 10,
            _ => 100,
        }
    }
}

impl EventSourceMapping {
    /// Returns true if a record passes the filters.
    pub fn accepts(&self, record: &Json) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(record))
    }
}
