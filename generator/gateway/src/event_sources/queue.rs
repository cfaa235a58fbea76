//! Reads a queue and invokes a function with its messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stackgen_gateway_stack::{EventSource, EventSourceMapping};
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::sync::CancellationToken;

use super::PollerContext;
use super::delivery::{BatchRecord, Delivery, deliver, source_name};
use super::queue_client::{MAX_MESSAGES, QueueClient, QueueError};
use super::queue_event::QueueMessage;
use crate::outbound::service_client::ServiceClient;

/// Longest time that a call waits for a message: the maximum of SQS.
const LONG_POLL: Duration = Duration::from_secs(20);

/// Number of batches that are processed at a time unless the mapping says otherwise. Lambda starts with five.
const CONCURRENCY: usize = 5;

/// Pause after an empty answer that came at once, because an emulator may not have long polling.
const PAUSE: Duration = Duration::from_millis(250);

/// Longest pause after a failed call.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Maximum size of a batch in bytes: that of an event.
const MAX_BYTES: usize = 6 * 1024 * 1024;

/// Reads the queue of a mapping until `stop`.
pub(super) async fn read(
    context: Arc<PollerContext>,
    mapping: EventSourceMapping,
    stop: CancellationToken,
) {
    let concurrency = mapping.max_concurrency.unwrap_or(CONCURRENCY);
    let permits = Arc::new(Semaphore::new(concurrency));
    let Some(reader) = QueueReader::new(context, mapping).map(Arc::new) else {
        return;
    };
    let mut failures = Failures::default();
    loop {
        let permit = stop.run_until_cancelled(permits.clone().acquire_owned());
        let Some(Ok(permit)) = permit.await else {
            return;
        };
        let asked = Instant::now();
        // Not cancelled by `stop`: the messages of a dropped answer would be invisible for a while.
        let received = reader.context.stop.run_until_cancelled(reader.batch());
        let Some(received) = received.await else {
            return;
        };
        let pause = match received {
            Ok(batch) if stop.is_cancelled() => {
                let _ = reader.client.release(&Vec::from_iter(&batch)).await;
                return;
            }
            Ok(batch) if batch.is_empty() => {
                failures.clear();
                PAUSE.saturating_sub(asked.elapsed())
            }
            Ok(batch) => {
                failures.clear();
                let (reader, abandon) = (reader.clone(), reader.context.stop.clone());
                reader.context.tasks.clone().spawn(async move {
                    let processed = reader.process(batch);
                    abandon.run_until_cancelled(processed).await;
                    drop(permit);
                });
                continue;
            }
            Err(error) => failures.pause(&reader, &error),
        };
        if stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Failed calls since the last one that succeeded.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: Option<QueueError>,
}

impl Failures {
    fn clear(&mut self) {
        *self = Failures::default();
    }

    /// Reports an error unless the call before failed in the same way, and returns the pause before the next call.
    fn pause(&mut self, reader: &QueueReader, error: &QueueError) -> Duration {
        if self.last.as_ref() != Some(error) {
            let reason = format!(
                "{error}; until then its messages do not invoke {}",
                reader.mapping.function.name
            );
            reader.context.report("sqs", "ReceiveMessage", reason);
            self.last = Some(error.clone());
        }
        self.count += 1;
        (PAUSE * 2_u32.saturating_pow(self.count.min(8))).min(MAX_PAUSE)
    }
}

struct QueueReader {
    context: Arc<PollerContext>,
    mapping: EventSourceMapping,
    client: QueueClient,
}

impl QueueReader {
    /// Creates a reader; `None` if the source is no queue.
    fn new(context: Arc<PollerContext>, mapping: EventSourceMapping) -> Option<Self> {
        let EventSource::Queue { name, account } = &mapping.source else {
            return None;
        };
        let client = QueueClient {
            client: ServiceClient {
                others: context.others.clone(),
                scope: context.scope.clone(),
            },
            name: name.clone(),
            account: account.clone(),
            arn: mapping.source_arn.clone(),
            url: OnceCell::new(),
        };
        Some(QueueReader {
            context,
            mapping,
            client,
        })
    }

    /// Waits for messages and collects a batch: the messages of one call, and more for the time of the batching window.
    async fn batch(&self) -> Result<Vec<QueueMessage>, QueueError> {
        let size = self.mapping.batch_size;
        let mut batch = self.client.receive(size, LONG_POLL).await?;
        let end = Instant::now() + self.mapping.window;
        loop {
            let bytes: usize = batch
                .iter()
                .map(|one| one.record.json.to_string().len())
                .sum();
            let left = end.saturating_duration_since(Instant::now());
            if batch.is_empty()
                || left.is_zero()
                || batch.len() >= size
                || bytes + MAX_MESSAGES * 256 * 1024 > MAX_BYTES
            {
                return Ok(batch);
            }
            match self.client.receive(size - batch.len(), left).await {
                Ok(more) if more.is_empty() => {
                    tokio::time::sleep(PAUSE.min(left)).await;
                }
                Ok(more) => batch.extend(more),
                // The messages so far are delivered; the next call reports the error.
                Err(_) => return Ok(batch),
            }
        }
    }

    /// Invokes the function, and deletes the messages that it processed. The others become visible when their visibility
    /// timeout ends. Messages that no filter accepts are deleted, as Lambda does.
    async fn process(&self, batch: Vec<QueueMessage>) {
        let (accepted, dropped): (Vec<_>, Vec<_>) = batch
            .iter()
            .partition(|message| self.mapping.accepts(&message.filtered()));
        self.delete(&dropped).await;
        if accepted.is_empty() {
            return;
        }
        let records: Vec<BatchRecord> = accepted.iter().map(|one| one.record.clone()).collect();
        match deliver(&self.context, &self.mapping, &records).await {
            Delivery::Processed => self.delete(&accepted).await,
            Delivery::Partly(failed) => {
                let mut processed = accepted;
                processed.retain(|message| !failed.contains(&message.record.id));
                self.delete(&processed).await;
            }
            Delivery::Failed => {}
        }
    }

    async fn delete(&self, messages: &[&QueueMessage]) {
        if messages.is_empty() {
            return;
        }
        if let Err(error) = self.client.delete(messages).await {
            let queue = source_name(&self.mapping);
            let reason = format!("messages of {queue} are delivered again: {error}");
            self.context.report("sqs", "DeleteMessageBatch", reason);
        }
    }
}
