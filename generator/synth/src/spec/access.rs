//! Keys, networks, queues and event sources of functions.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::value::Raw;
use super::{Duration, Expression};

/// KMS key of the stack: `create`, or the ARN of a key.
#[derive(Clone, Debug)]
pub enum EncryptionKeySpec {
    /// The stack creates the key.
    Create,
    /// ARN of a key that exists.
    Existing(Expression),
}

impl<'de> Deserialize<'de> for EncryptionKeySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Expression::deserialize(deserializer)?;
        Ok(match value.0.as_str() {
            Some("create") => EncryptionKeySpec::Create,
            _ => EncryptionKeySpec::Existing(value),
        })
    }
}

impl JsonSchema for EncryptionKeySpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EncryptionKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "description": "`create`, or the ARN of a KMS key.",
            "x-intrinsics": true
        })
    }
}

/// VPC that a function is attached to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Vpc")]
pub struct VpcSpec {
    /// IDs of the subnets, at least two in different availability zones. They need a route to everything that the function
    /// calls.
    #[schemars(length(min = 1))]
    pub subnet_ids: Vec<Expression>,
    /// IDs of the security groups.
    #[schemars(length(min = 1))]
    pub security_group_ids: Vec<Expression>,
}

/// Target of events that failed. It names a `queue` or a `topic`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DeadLetter")]
pub struct DeadLetterSpec {
    /// SQS queue: its name under `queues`, its logical ID under `resources`, or its ARN.
    pub queue: Option<Expression>,
    /// SNS topic: its logical ID under `resources`, or its ARN.
    pub topic: Option<Expression>,
}

/// Queue or table whose messages or changes invoke a function in batches.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EventSource")]
pub struct EventSourceSpec {
    /// SQS queue: its name under `queues`, its logical ID under `resources`, or its ARN.
    pub queue: Option<Expression>,
    /// Table of this file, with a `stream`.
    pub table: Option<String>,
    /// Maximum number of records in a batch. Default 10 for a queue, 100 for a table.
    #[schemars(range(min = 1, max = 10000))]
    pub batch_size: Option<u32>,
    /// Time to wait for a full batch, at most 5 minutes. Default: none.
    pub batching_window: Option<Duration>,
    /// The function returns `batchItemFailures`, so that only failed records are processed again.
    #[serde(default)]
    pub report_item_failures: bool,
    /// Maximum number of concurrent batches of a queue.
    #[schemars(range(min = 2, max = 1000))]
    pub maximum_concurrency: Option<u32>,
    /// Number of retries of a failed batch of a table. Default: until the records expire after a day.
    #[schemars(range(min = 0, max = 10000))]
    pub retries: Option<u32>,
    /// Patterns of records, in EventBridge's syntax. Records that match none are dropped.
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub filters: Vec<Raw>,
}

/// SQS queue. Its messages are encrypted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Queue")]
pub struct QueueSpec {
    /// Time for which the queue keeps messages, 1 minute to 14 days. Default `336h`, which is 14 days.
    pub retention: Option<Duration>,
    /// Time for which a received message is hidden from other receivers, at most 12 hours. Default: six times the longest
    /// timeout of the functions that read the queue, otherwise `30s`.
    pub visibility_timeout: Option<Duration>,
    /// Queue that gets messages whose processing failed repeatedly.
    pub dead_letter: Option<RedriveSpec>,
}

impl QueueSpec {
    /// Longest time for which a received message is hidden.
    pub(crate) const MAX_VISIBILITY: Duration = Duration::from_millis(12 * 3_600_000);
}

/// Queue that gets messages whose processing failed repeatedly.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Redrive")]
pub struct RedriveSpec {
    /// Name of the queue under `queues`.
    pub queue: String,
    /// Number of times that a message is received before it moves. Default 5.
    #[schemars(range(min = 1, max = 1000))]
    pub max_receives: Option<u32>,
}
