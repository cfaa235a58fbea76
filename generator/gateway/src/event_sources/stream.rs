//! Reads the stream of a table and invokes a function with its changes, in their order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_stack::{EventSource, EventSourceMapping};

use super::PollerContext;
use super::delivery::{BatchRecord, Delivery, deliver};
use super::stream_event::{created, record};
use crate::tables::StreamPosition;

/// Time between two looks at a stream without new records. Lambda takes the same.
const PAUSE: Duration = Duration::from_millis(250);

/// Longest pause before a retry.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Maximum number of records in a batch.
const MAX_RECORDS: usize = 10_000;

/// Reads the stream of a mapping, from a position that is advanced.
pub(super) async fn read(
    context: Arc<PollerContext>,
    mapping: EventSourceMapping,
    position: StreamPosition,
) {
    let EventSource::TableStream { table } = &mapping.source else {
        return;
    };
    let reader = StreamReader {
        context: &context,
        mapping: &mapping,
    };
    let mut failed = false;
    loop {
        match reader.batch(&position).await {
            Ok((records, next)) => {
                failed = false;
                let is_empty = records.is_empty();
                reader.process(records).await;
                position.set(next);
                if !is_empty {
                    continue;
                }
            }
            Err(reason) => {
                if !std::mem::replace(&mut failed, true) {
                    let reason = format!("the stream of {table} cannot be read: {reason}");
                    context.report("dynamodb", "GetRecords", reason);
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

struct StreamReader<'a> {
    context: &'a PollerContext,
    mapping: &'a EventSourceMapping,
}

impl StreamReader<'_> {
    /// Returns the next records, which may be none, and the position after them. With a batching window, waits for a full
    /// batch.
    async fn batch(&self, from: &StreamPosition) -> Result<(Vec<BatchRecord>, String), String> {
        let size = self.mapping.batch_size.min(MAX_RECORDS);
        let mut records = Vec::new();
        let mut next = from.get();
        let end = Instant::now() + self.mapping.window;
        loop {
            let read = self
                .context
                .tables
                .stream_records(&next, size - records.len());
            let (more, after) = read.await.map_err(|error| error.to_string())?;
            next = after;
            let more = more.into_iter();
            records.extend(more.map(|json| record(json, &self.mapping.source_arn)));
            if records.is_empty() || records.len() >= size || Instant::now() >= end {
                records.retain(|record| self.mapping.accepts(&record.json));
                return Ok((records, next));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Delivers records until they are processed, or their retries are used up. Records after them wait.
    async fn process(&self, records: Vec<BatchRecord>) {
        let mut waiting = VecDeque::from([(records, 0)]);
        while let Some((mut records, attempt)) = waiting.pop_front() {
            if records.is_empty() || self.is_given_up(&records, attempt) {
                continue;
            }
            let next = match deliver(self.context, self.mapping, &records).await {
                Delivery::Processed => continue,
                Delivery::Partly(failed) => {
                    // All records from the first failed one on are delivered again.
                    let first = records.iter().position(|one| failed.contains(&one.id));
                    match first.unwrap_or_default() {
                        0 => attempt + 1,
                        first => {
                            records.drain(..first);
                            0
                        }
                    }
                }
                Delivery::Failed => attempt + 1,
            };
            let pause = self.context.retry * 2_u32.saturating_pow(next.min(16));
            tokio::time::sleep(pause.min(MAX_PAUSE)).await;
            if self.mapping.bisects && next > 0 && records.len() > 1 {
                let second = records.split_off(records.len() / 2);
                waiting.push_front((second, attempt));
                waiting.push_front((records, attempt));
            } else {
                waiting.push_front((records, next));
            }
        }
    }

    /// Returns true if records are dropped because they were retried often enough or are too old.
    fn is_given_up(&self, records: &[BatchRecord], attempt: u32) -> bool {
        let retried = self
            .mapping
            .max_retries
            .is_some_and(|max| u64::from(attempt) > max);
        let oldest = records.first().map_or(0, created);
        let now = EpochMillis::now().as_millis() / 1000;
        let age = now.saturating_sub(u64::try_from(oldest).unwrap_or_default());
        let is_old = self
            .mapping
            .max_record_age
            .is_some_and(|max| age > max.as_secs());
        let reason = match (retried, is_old) {
            (true, _) => "MaximumRetryAttempts is reached",
            (_, true) => "MaximumRecordAgeInSeconds is exceeded",
            _ => return false,
        };
        let function = &self.mapping.function.name;
        let reason = format!(
            "{} records for {function} are dropped: {reason}",
            records.len()
        );
        self.context.report("lambda", "stream", reason);
        true
    }
}
