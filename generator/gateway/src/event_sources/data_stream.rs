//! Reads a stream of Kinesis from the endpoint for services that do not run here, and invokes a function with its records. Each
//! shard is read in its order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value as Json, json};
use stackgen_gateway_stack::{EventSource, EventSourceMapping};

use super::PollerContext;
use super::delivery::BatchRecord;
use super::ordered::OrderedDelivery;
use super::stream_event::{data_record, filtered};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Time between two looks at a shard without new records. Lambda takes a second.
const PAUSE: Duration = Duration::from_millis(250);

/// Longest pause after a failed call.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Maximum number of records in a batch.
const MAX_RECORDS: usize = 10_000;

/// Sequence numbers of the last delivered records, by shard. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct ShardPositions(Arc<Mutex<BTreeMap<String, String>>>);

impl ShardPositions {
    fn get(&self, shard: &str) -> Option<String> {
        let positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.get(shard).cloned()
    }

    fn set(&self, shard: &str, sequence: &str) {
        let mut positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.insert(shard.to_owned(), sequence.to_owned());
    }
}

/// Reads the stream of a mapping.
pub(super) async fn read(
    context: Arc<PollerContext>,
    mapping: EventSourceMapping,
    positions: ShardPositions,
) {
    let EventSource::DataStream { name } = &mapping.source else {
        return;
    };
    let reader = StreamReader {
        client: ServiceClient {
            others: context.others.clone(),
            scope: context.scope.clone(),
        },
        context: &context,
        mapping: &mapping,
        name,
        positions,
    };
    let shards = reader.shards().await;
    join_all(shards.iter().map(|shard| reader.read(shard))).await;
}

struct StreamReader<'a> {
    client: ServiceClient,
    context: &'a PollerContext,
    mapping: &'a EventSourceMapping,
    name: &'a str,
    positions: ShardPositions,
}

/// Failed calls since the last one that succeeded.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: Option<CallError>,
}

impl StreamReader<'_> {
    /// Returns the shards, when the stream exists.
    async fn shards(&self) -> Vec<String> {
        let mut failures = Failures::default();
        loop {
            let body = json!({ "StreamName": self.name });
            match self.client.json("kinesis", "ListShards", &body).await {
                Ok(answer) => {
                    let shards = answer["Shards"].as_array().into_iter().flatten();
                    let ids = shards.filter_map(|shard| shard["ShardId"].as_str());
                    return ids.map(str::to_owned).collect();
                }
                Err(error) => self.pause(&mut failures, error).await,
            }
        }
    }

    /// Reads a shard until it is closed.
    async fn read(&self, shard: &str) {
        let delivery = OrderedDelivery {
            context: self.context,
            mapping: self.mapping,
        };
        let mut failures = Failures::default();
        let mut iterator = None;
        loop {
            match self.batch(shard, iterator.take()).await {
                Ok((records, next)) => {
                    failures = Failures::default();
                    let is_empty = records.is_empty();
                    let last = records.last().map(|record| record.id.clone());
                    let accepted = records.into_iter();
                    let accepted = accepted.filter(|one| self.mapping.accepts(&filtered(one)));
                    delivery.process(accepted.collect()).await;
                    if let Some(last) = last {
                        self.positions.set(shard, &last);
                    }
                    let Some(next) = next else {
                        return;
                    };
                    iterator = Some(next);
                    if is_empty {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                // The iterator may have expired, so the next attempt gets another one.
                Err(error) => self.pause(&mut failures, error).await,
            }
        }
    }

    /// Returns the next records, which may be none, and the iterator after them. With a batching window, waits for a full batch.
    async fn batch(
        &self,
        shard: &str,
        iterator: Option<String>,
    ) -> Result<(Vec<BatchRecord>, Option<String>), CallError> {
        let size = self.mapping.batch_size.min(MAX_RECORDS);
        let function = &self.mapping.function;
        let version = self
            .context
            .functions
            .get(&function.name, function.qualifier.as_deref());
        let role = version
            .map(|version| version.configuration.role.clone())
            .ok();
        let mut iterator = match iterator {
            Some(iterator) => iterator,
            None => self.iterator(shard).await?,
        };
        let mut records = Vec::new();
        let end = Instant::now() + self.mapping.window;
        loop {
            let body = json!({ "ShardIterator": iterator, "Limit": size - records.len() });
            let answer = self.client.json("kinesis", "GetRecords", &body).await?;
            let more = answer["Records"].as_array().into_iter().flatten();
            let arn = &self.mapping.source_arn;
            records.extend(more.map(|record| data_record(record, shard, arn, role.as_deref())));
            let next = answer["NextShardIterator"].as_str().map(str::to_owned);
            let is_due = records.is_empty() || records.len() >= size || Instant::now() >= end;
            match next {
                Some(next) if !is_due => iterator = next,
                next => return Ok((records, next)),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn iterator(&self, shard: &str) -> Result<String, CallError> {
        let mut body = json!({ "StreamName": self.name, "ShardId": shard });
        match self.positions.get(shard) {
            Some(sequence) => {
                body["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
                body["StartingSequenceNumber"] = sequence.into();
            }
            None if self.mapping.from_start => body["ShardIteratorType"] = "TRIM_HORIZON".into(),
            None => body["ShardIteratorType"] = "LATEST".into(),
        }
        let answer: Json = self
            .client
            .json("kinesis", "GetShardIterator", &body)
            .await?;
        let iterator = answer["ShardIterator"].as_str();
        Ok(iterator.unwrap_or_default().to_owned())
    }

    /// Reports an error unless the call before failed in the same way, and waits.
    async fn pause(&self, failures: &mut Failures, error: CallError) {
        if failures.last.as_ref() != Some(&error) {
            let function = &self.mapping.function.name;
            let stream = self.name;
            let reason = format!(
                "the stream {stream} cannot be read: {error}; until then its records do not invoke {function}"
            );
            self.context.report("kinesis", "GetRecords", reason);
            failures.last = Some(error);
        }
        failures.count += 1;
        let pause = PAUSE * 2_u32.saturating_pow(failures.count.min(8));
        tokio::time::sleep(pause.min(MAX_PAUSE)).await;
    }
}
