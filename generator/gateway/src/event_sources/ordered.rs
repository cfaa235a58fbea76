//! Delivery of a stream's records in their order, with retries.

use std::collections::VecDeque;
use std::time::Duration;

use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_stack::EventSourceMapping;

use super::PollerContext;
use super::delivery::{BatchRecord, Delivery, deliver};
use super::stream_event::created;

/// Longest pause before a retry.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Delivers the records of a stream to the function of a mapping.
pub(super) struct OrderedDelivery<'a> {
    pub(super) context: &'a PollerContext,
    pub(super) mapping: &'a EventSourceMapping,
}

impl OrderedDelivery<'_> {
    /// Delivers records until they are processed, or their retries are used up. Records after them wait.
    pub(super) async fn process(&self, records: Vec<BatchRecord>) {
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
