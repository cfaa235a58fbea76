//! Reads the stream of a table and invokes a function with its changes, in their order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stackgen_gateway_stack::{EventSource, EventSourceMapping};

use super::PollerContext;
use super::delivery::BatchRecord;
use super::ordered::OrderedDelivery;
use super::stream_event::record;
use crate::tables::StreamPosition;

/// Time between two looks at a stream without new records. Lambda takes the same.
const PAUSE: Duration = Duration::from_millis(250);

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
    let delivery = OrderedDelivery {
        context: &context,
        mapping: &mapping,
    };
    let mut failed = false;
    loop {
        match reader.batch(&position).await {
            Ok((records, next)) => {
                failed = false;
                let is_empty = records.is_empty();
                delivery.process(records).await;
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
}
