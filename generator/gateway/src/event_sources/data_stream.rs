//! Reads a stream of Kinesis from the endpoint for services that do not run here, and invokes a function with its records. Each
//! shard is read in its order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::{Value as Json, json};
use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_stack::{EventSource, EventSourceMapping, StreamStart};

use super::PollerContext;
use super::delivery::BatchRecord;
use super::ordered::OrderedDelivery;
use super::shards::{Shard, ShardPosition, ShardPositions, ShardsRead};
use super::stream_event::{data_record, filtered};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Time between two looks at a shard without new records. Lambda takes a second.
const PAUSE: Duration = Duration::from_millis(250);

/// Longest pause after a failed call.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Maximum number of records in a batch.
const MAX_RECORDS: usize = 10_000;

/// Time between two lists of the shards.
const LIST_PAUSE: Duration = Duration::from_secs(10);

/// Error of an iterator that is too old.
const ITERATOR_EXPIRED: &str = "ExpiredIteratorException";

/// Error of an iterator, or of a sequence number, that is not of this stream.
const INVALID_ARGUMENT: &str = "InvalidArgumentException";

/// Errors after which an iterator is of no use.
const ITERATOR_LOST: [&str; 3] = [
    ITERATOR_EXPIRED,
    INVALID_ARGUMENT,
    "ResourceNotFoundException",
];

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
    reader.read_all().await;
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

/// Shard that is read from an iterator.
#[derive(Debug)]
struct ShardCursor {
    shard: String,
    iterator: Option<String>,
    /// True if an iterator had expired, and no call succeeded since.
    is_renewed: bool,
    /// True if all records were read, and there will be no more.
    is_closed: bool,
}

/// Result of a task while a stream is read.
enum Step {
    /// The shards are listed.
    Listed(Vec<Shard>),
    /// A shard is read to its end.
    Closed(String),
}

impl StreamReader<'_> {
    /// Reads all shards, also those that the stream gets later.
    async fn read_all(&self) {
        let mut steps: FuturesUnordered<BoxFuture<'_, Step>> = FuturesUnordered::new();
        let mut read = ShardsRead::default();
        steps.push(Box::pin(self.list_after(Duration::ZERO)));
        let mut lists = 1;
        while let Some(step) = steps.next().await {
            match step {
                Step::Listed(shards) => {
                    lists -= 1;
                    self.positions.add(&shards, self.mapping.start);
                    for shard in read.next(&shards) {
                        steps.push(Box::pin(self.read_shard(shard)));
                    }
                }
                Step::Closed(shard) => {
                    read.close(shard);
                    steps.push(Box::pin(self.list_after(Duration::ZERO)));
                    lists += 1;
                }
            }
            if lists == 0 {
                steps.push(Box::pin(self.list_after(LIST_PAUSE)));
                lists += 1;
            }
        }
    }

    /// Lists the shards after a pause, when the stream exists.
    async fn list_after(&self, pause: Duration) -> Step {
        tokio::time::sleep(pause).await;
        let mut failures = Failures::default();
        loop {
            match self.list().await {
                Ok(shards) => return Step::Listed(shards),
                Err(error) => self.pause(&mut failures, error).await,
            }
        }
    }

    async fn list(&self) -> Result<Vec<Shard>, CallError> {
        let mut shards = Vec::new();
        let mut body = json!({ "StreamName": self.name });
        loop {
            let answer = self.client.json("kinesis", "ListShards", &body).await?;
            let page = answer["Shards"].as_array().into_iter().flatten();
            shards.extend(page.filter_map(Shard::read));
            match answer["NextToken"].as_str() {
                Some(token) => body = json!({ "NextToken": token }),
                None => return Ok(shards),
            }
        }
    }

    /// Returns true unless the stream has no such shard.
    async fn has(&self, shard: &str) -> bool {
        let listed = self.list().await;
        listed.map_or(true, |all| all.iter().any(|one| one.id == shard))
    }

    /// Reads a shard until it is closed.
    async fn read_shard(&self, shard: String) -> Step {
        let delivery = OrderedDelivery {
            context: self.context,
            mapping: self.mapping,
        };
        let mut failures = Failures::default();
        let mut cursor = ShardCursor {
            shard,
            iterator: None,
            is_renewed: false,
            is_closed: false,
        };
        while !cursor.is_closed {
            match self.batch(&mut cursor).await {
                Ok(records) => {
                    failures = Failures::default();
                    let is_empty = records.is_empty();
                    let last = records.last().map(|record| record.id.clone());
                    let accepted = records.into_iter();
                    let accepted = accepted.filter(|one| self.mapping.accepts(&filtered(one)));
                    delivery.process(accepted.collect()).await;
                    if let Some(last) = last {
                        let position = ShardPosition::After(last);
                        self.positions.set(&cursor.shard, position);
                    }
                    if is_empty && !cursor.is_closed {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                // Some emulators delete shards that are split or merged.
                Err(error)
                    if error.is("ResourceNotFoundException") && !self.has(&cursor.shard).await =>
                {
                    break;
                }
                // The next attempt gets another iterator.
                Err(error) if error.is(ITERATOR_EXPIRED) && !cursor.is_renewed => {
                    cursor.is_renewed = true;
                }
                Err(error) => self.pause(&mut failures, error).await,
            }
        }
        Step::Closed(cursor.shard)
    }

    /// Returns the next records, which may be none. With a batching window, waits for a full batch. An error comes after the
    /// records that were read before it.
    async fn batch(&self, cursor: &mut ShardCursor) -> Result<Vec<BatchRecord>, CallError> {
        let size = self.mapping.batch_size.min(MAX_RECORDS);
        let mut records = Vec::new();
        let end = Instant::now() + self.mapping.window;
        loop {
            match self.more(cursor, size - records.len()).await {
                Ok(more) => records.extend(more),
                Err(error) if records.is_empty() => return Err(error),
                Err(_) => return Ok(records),
            }
            let is_due = records.is_empty() || records.len() >= size || Instant::now() >= end;
            if is_due || cursor.is_closed {
                return Ok(records);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Returns the records of one call.
    async fn more(
        &self,
        cursor: &mut ShardCursor,
        limit: usize,
    ) -> Result<Vec<BatchRecord>, CallError> {
        let iterator = match &cursor.iterator {
            Some(iterator) => iterator.clone(),
            None => self.iterator(&cursor.shard).await?,
        };
        let body = json!({ "ShardIterator": iterator, "Limit": limit });
        let answer = match self.client.json("kinesis", "GetRecords", &body).await {
            Ok(answer) => answer,
            Err(error) => {
                let is_lost = ITERATOR_LOST.iter().any(|code| error.is(code));
                cursor.iterator = (!is_lost).then_some(iterator);
                return Err(error);
            }
        };
        cursor.is_renewed = false;
        let next = answer["NextShardIterator"].as_str();
        cursor.iterator = next.map(str::to_owned);
        cursor.is_closed = next.is_none();
        let (arn, role) = (&self.mapping.source_arn, self.role());
        let records = answer["Records"].as_array().into_iter().flatten();
        let records =
            records.map(|record| data_record(record, &cursor.shard, arn, role.as_deref()));
        Ok(records.collect())
    }

    /// Returns the role of the function.
    fn role(&self) -> Option<String> {
        let function = &self.mapping.function;
        let functions = &self.context.functions;
        let version = functions.get(&function.name, function.qualifier.as_deref());
        Some(version.ok()?.configuration.role.clone())
    }

    /// Returns an iterator from the position on. After `LATEST`, the position is the present, so that another iterator misses
    /// nothing.
    async fn iterator(&self, shard: &str) -> Result<String, CallError> {
        let latest = ShardPosition::Start(StreamStart::Latest);
        let position = self.positions.get(shard).unwrap_or(latest.clone());
        let mut body = position.of_iterator();
        body["StreamName"] = self.name.into();
        body["ShardId"] = shard.into();
        let now = EpochMillis::now();
        let answer = self.client.json("kinesis", "GetShardIterator", &body).await;
        if let (Err(error), ShardPosition::After(_)) = (&answer, &position)
            && error.is(INVALID_ARGUMENT)
        {
            // The emulator lost the stream and has a new one, whose records are all new.
            let oldest = ShardPosition::Start(StreamStart::Oldest);
            self.positions.set(shard, oldest);
        }
        let answer: Json = answer?;
        if position == latest {
            #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
            let seconds = now.as_millis() as f64 / 1000.0;
            let position = ShardPosition::Start(StreamStart::At(seconds));
            self.positions.set(shard, position);
        }
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
