//! Calls of SQS for one queue.

use std::time::Duration;

use serde_json::{Value as Json, json};
use thiserror::Error;
use tokio::sync::OnceCell;

use super::queue_event::QueueMessage;
use crate::outbound::service_client::{CallError, ServiceClient};

/// Maximum number of messages in a call.
pub(super) const MAX_MESSAGES: usize = 10;

/// A queue of the endpoint for services that do not run here.
pub(super) struct QueueClient {
    pub(super) client: ServiceClient,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) arn: String,
    /// URL of the queue, after the first call.
    pub(super) url: OnceCell<String>,
}

/// Failure of a call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum QueueError {
    /// There is no such queue.
    #[error(
        "the queue {name} does not exist at {endpoint}; create it: `aws sqs create-queue --queue-name {name}{} --endpoint-url {endpoint}`",
        fifo_option(name)
    )]
    Missing {
        /// Queue name.
        name: String,
        /// URL of the endpoint.
        endpoint: String,
    },
    /// The endpoint cannot be reached, or refuses the call.
    #[error("{0}")]
    Failed(String),
}

fn fifo_option(name: &str) -> &'static str {
    match name.ends_with(".fifo") {
        true => " --attributes FifoQueue=true",
        false => "",
    }
}

impl QueueClient {
    /// Receives messages, which are invisible for others from then on. Waits for the first one at most this long.
    pub(super) async fn receive(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        let all = json!(["All"]);
        let body = json!({
            "QueueUrl": self.url().await?,
            "MaxNumberOfMessages": max.clamp(1, MAX_MESSAGES),
            "WaitTimeSeconds": wait.as_secs().min(20),
            "AttributeNames": all,
            "MessageSystemAttributeNames": all,
            "MessageAttributeNames": all,
        });
        let answer = self.call("ReceiveMessage", &body).await?;
        let messages = answer["Messages"].as_array().into_iter().flatten();
        Ok(messages
            .map(|message| QueueMessage::new(message, &self.arn))
            .collect())
    }

    /// Deletes messages.
    pub(super) async fn delete(&self, messages: &[&QueueMessage]) -> Result<(), QueueError> {
        self.call_in_batches("DeleteMessageBatch", messages, |_| {})
            .await
    }

    /// Makes messages visible at once.
    pub(super) async fn release(&self, messages: &[&QueueMessage]) -> Result<(), QueueError> {
        let visible = |entry: &mut Json| entry["VisibilityTimeout"] = json!(0);
        self.call_in_batches("ChangeMessageVisibilityBatch", messages, visible)
            .await
    }

    async fn call_in_batches(
        &self,
        action: &str,
        messages: &[&QueueMessage],
        complete: impl Fn(&mut Json),
    ) -> Result<(), QueueError> {
        for messages in messages.chunks(MAX_MESSAGES) {
            let entries = messages.iter().enumerate().map(|(index, message)| {
                let mut entry =
                    json!({ "Id": index.to_string(), "ReceiptHandle": message.receipt });
                complete(&mut entry);
                entry
            });
            let entries: Vec<Json> = entries.collect();
            let body = json!({ "QueueUrl": self.url().await?, "Entries": entries });
            let answer = self.call(action, &body).await?;
            if let Some(failed) = answer["Failed"]
                .as_array()
                .and_then(|failed| failed.first())
            {
                let message = failed["Message"].as_str().or(failed["Code"].as_str());
                let message = message.unwrap_or("it failed");
                return Err(QueueError::Failed(format!("sqs {action}: {message}")));
            }
        }
        Ok(())
    }

    async fn url(&self) -> Result<&str, QueueError> {
        let url = self.url.get_or_try_init(|| async {
            let mut body = json!({ "QueueName": self.name });
            if self.account != self.client.scope.account {
                body["QueueOwnerAWSAccountId"] = json!(self.account);
            }
            let answer = self.call("GetQueueUrl", &body).await?;
            let url = answer["QueueUrl"].as_str().map(str::to_owned);
            url.ok_or_else(|| QueueError::Failed("sqs GetQueueUrl returned no URL".to_owned()))
        });
        Ok(url.await?.as_str())
    }

    async fn call(&self, action: &str, body: &Json) -> Result<Json, QueueError> {
        let answer = self.client.json("sqs", action, body).await;
        answer.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &CallError) -> QueueError {
        if error.is("QueueDoesNotExist") || error.is("NonExistentQueue") {
            let endpoint = self.client.others.url().map(ToString::to_string);
            return QueueError::Missing {
                name: self.name.clone(),
                endpoint: endpoint.unwrap_or_default(),
            };
        }
        QueueError::Failed(error.to_string())
    }
}
