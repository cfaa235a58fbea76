//! Queues of SQS.

use serde_json::{Map, Value as Json, json};
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::{member, texts};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Properties that are attributes of queues, besides `FifoQueue`.
const ATTRIBUTES: [&str; 10] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoThroughputLimit",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "VisibilityTimeout",
];

pub(super) async fn put(
    client: &ServiceClient,
    queue: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let name = &queue.name;
    let attributes = texts(queue, &ATTRIBUTES).into_iter();
    let attributes: Map<String, Json> = attributes
        .map(|(name, value)| (name, value.into()))
        .collect();
    let mut created = attributes.clone();
    if super::text(queue, "FifoQueue").as_deref() == Some("true") {
        created.insert("FifoQueue".to_owned(), "true".into());
    }
    let body = json!({ "QueueName": name, "Attributes": created });
    let url = match client.json("sqs", "CreateQueue", &body).await {
        Ok(answer) => member(&answer, "QueueUrl"),
        // It has other attributes.
        Err(error) if error.is("QueueNameExists") || error.is("QueueAlreadyExists") => {
            let body = json!({ "QueueName": name });
            let answer = client.json("sqs", "GetQueueUrl", &body).await?;
            let url = member(&answer, "QueueUrl");
            let body = json!({ "QueueUrl": url, "Attributes": attributes });
            client.json("sqs", "SetQueueAttributes", &body).await?;
            url
        }
        Err(error) => return Err(error),
    };
    let body = json!({ "QueueUrl": url, "AttributeNames": ["QueueArn"] });
    let answer = client.json("sqs", "GetQueueAttributes", &body).await?;
    Ok(StoredResource::new(url.as_str())
        .with("Arn", member(&answer["Attributes"], "QueueArn"))
        .with("QueueName", name)
        .with("QueueUrl", url))
}
