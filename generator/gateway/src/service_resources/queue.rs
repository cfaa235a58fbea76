//! Queues of SQS.

use serde_json::{Map, json};
use stackgen_gateway_stack::{EmulatedState, ServiceResource, StoredResource};

use super::{member, text};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Properties that are attributes of queues, with their defaults. `FifoQueue` cannot be changed.
const ATTRIBUTES: [[&str; 2]; 10] = [
    ["ContentBasedDeduplication", "false"],
    ["DeduplicationScope", "queue"],
    ["DelaySeconds", "0"],
    ["FifoThroughputLimit", "perQueue"],
    ["MaximumMessageSize", "1048576"],
    ["MessageRetentionPeriod", "345600"],
    ["ReceiveMessageWaitTimeSeconds", "0"],
    ["RedriveAllowPolicy", ""],
    ["RedrivePolicy", ""],
    ["VisibilityTimeout", "30"],
];

pub(super) async fn put(
    client: &ServiceClient,
    queue: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    let name = &queue.name;
    let mut attributes = Map::new();
    let mut updated = Map::new();
    for [name, default] in ATTRIBUTES {
        let had = before.and_then(|before| text(&before.desired, name));
        match (text(queue, name), had) {
            (Some(value), _) => drop(attributes.insert(name.to_owned(), value.into())),
            (None, Some(_)) => drop(updated.insert(name.to_owned(), default.into())),
            (None, None) => {}
        }
    }
    let mut created = attributes.clone();
    if text(queue, "FifoQueue").as_deref() == Some("true") {
        created.insert("FifoQueue".to_owned(), "true".into());
    }
    let body = json!({ "QueueName": name, "Attributes": created });
    let url = match client.json("sqs", "CreateQueue", &body).await {
        Ok(answer) => member(&answer, "QueueUrl"),
        // It has other attributes.
        Err(error) if error.is("QueueNameExists") || error.is("QueueAlreadyExists") => {
            let body = json!({ "QueueName": name });
            let answer = client.json("sqs", "GetQueueUrl", &body).await?;
            updated.append(&mut attributes);
            member(&answer, "QueueUrl")
        }
        Err(error) => return Err(error),
    };
    if !updated.is_empty() {
        let body = json!({ "QueueUrl": url, "Attributes": updated });
        client.json("sqs", "SetQueueAttributes", &body).await?;
    }
    let body = json!({ "QueueUrl": url, "AttributeNames": ["QueueArn"] });
    let answer = client.json("sqs", "GetQueueAttributes", &body).await?;
    Ok(StoredResource::new(url.as_str())
        .with("Arn", member(&answer["Attributes"], "QueueArn"))
        .with("QueueName", name)
        .with("QueueUrl", url))
}
