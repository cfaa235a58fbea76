//! Calls of SQS for one queue.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value as Json, json};
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_common::services::{ServiceCall, ServiceOperation};
use thiserror::Error;
use tokio::sync::OnceCell;

use super::queue_event::QueueMessage;
use crate::outbound::{OtherServices, actions};

/// Maximum number of messages in a call.
pub(super) const MAX_MESSAGES: usize = 10;

/// A queue of the endpoint for services that do not run here.
pub(super) struct QueueClient {
    pub(super) others: Arc<OtherServices>,
    pub(super) scope: ArnScope,
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
            if self.account != self.scope.account {
                body["QueueOwnerAWSAccountId"] = json!(self.account);
            }
            let answer = self.call("GetQueueUrl", &body).await?;
            let url = answer["QueueUrl"].as_str().map(str::to_owned);
            url.ok_or_else(|| QueueError::Failed("sqs GetQueueUrl returned no URL".to_owned()))
        });
        Ok(url.await?.as_str())
    }

    async fn call(&self, action: &str, body: &Json) -> Result<Json, QueueError> {
        let failed = |reason: String| QueueError::Failed(reason);
        let target = format!("AmazonSQS.{action}");
        let target = HeaderValue::try_from(target).map_err(|error| failed(error.to_string()))?;
        let json = HeaderValue::from_static("application/x-amz-json-1.0");
        let call = ServiceCall {
            service: "sqs".to_owned(),
            operation: ServiceOperation::Path("/".to_owned()),
            method: Method::POST,
            headers: HeaderMap::from_iter([
                (HeaderName::from_static(actions::TARGET), target),
                (CONTENT_TYPE, json),
            ]),
            query: String::new(),
            body: Bytes::from(body.to_string()),
            role: String::new(),
        };
        let request = actions::request(&call, &self.scope);
        let request = request.map_err(|error| failed(error.to_string()))?;
        let response = self.others.send("sqs", request).await;
        let response = response.map_err(|error| failed(error.to_string()))?;
        let answer: Json = serde_json::from_slice(response.body()).unwrap_or_default();
        match response.status().is_success() {
            true => Ok(answer),
            false => Err(self.refused(action, &answer)),
        }
    }

    fn refused(&self, action: &str, answer: &Json) -> QueueError {
        let text = |name: &str| answer[name].as_str().unwrap_or_default();
        let code = text("__type").rsplit('#').next().unwrap_or_default();
        if code.ends_with("QueueDoesNotExist") || code.ends_with("NonExistentQueue") {
            let endpoint = self.others.url().map(ToString::to_string);
            return QueueError::Missing {
                name: self.name.clone(),
                endpoint: endpoint.unwrap_or_default(),
            };
        }
        let message = text("message");
        QueueError::Failed(format!("sqs {action}: {code} {message}"))
    }
}
