//! Topics of SNS, and their subscriptions. Functions are subscribed in the gateway.

use serde_json::Value as Json;
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::{text, texts};
use crate::outbound::service_client::{CallError, ServiceClient};
use crate::query_protocol::element;

/// Properties that are attributes of topics.
const ATTRIBUTES: [&str; 3] = ["ContentBasedDeduplication", "DisplayName", "FifoTopic"];

/// Properties that are attributes of subscriptions.
const SUBSCRIPTION_ATTRIBUTES: [&str; 3] =
    ["FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"];

pub(super) async fn put(
    client: &ServiceClient,
    topic: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let mut parameters = vec![("Name".to_owned(), topic.name.clone())];
    let mut attributes = texts(topic, &ATTRIBUTES);
    attributes.retain(|(name, value)| name != "FifoTopic" || value == "true");
    for ((name, value), number) in attributes.into_iter().zip(1..) {
        let entry = format!("Attributes.entry.{number}");
        parameters.push((format!("{entry}.key"), name));
        parameters.push((format!("{entry}.value"), value));
    }
    let answer = match client.query("sns", "CreateTopic", &parameters).await {
        // It has other attributes.
        Err(error @ CallError::Refused { .. }) if error.to_string().contains("already exists") => {
            client.query("sns", "CreateTopic", &parameters[..1]).await?
        }
        answer => answer?,
    };
    let arn = element(&answer, "TopicArn").unwrap_or_default();
    let subscriptions = topic
        .properties
        .get("Subscription")
        .and_then(Json::as_array);
    for one in subscriptions.into_iter().flatten() {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        if text("Protocol") != "lambda" {
            subscribe(client, &arn, text("Protocol"), text("Endpoint")).await?;
        }
    }
    Ok(StoredResource::new(arn.as_str())
        .with("TopicArn", arn)
        .with("TopicName", &topic.name))
}

pub(super) async fn put_subscription(
    client: &ServiceClient,
    subscription: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let property = |name: &str| text(subscription, name).unwrap_or_default();
    let topic = property("TopicArn");
    let arn = subscribe(client, &topic, property("Protocol"), property("Endpoint")).await?;
    for (name, value) in texts(subscription, &SUBSCRIPTION_ATTRIBUTES) {
        let parameters = [
            ("SubscriptionArn", arn.clone()),
            ("AttributeName", name),
            ("AttributeValue", value),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        client
            .query("sns", "SetSubscriptionAttributes", &parameters)
            .await?;
    }
    Ok(StoredResource::new(arn.as_str()).with("Arn", arn))
}

/// Subscribes an endpoint. Returns the subscription's ARN, which stays the same if it exists.
async fn subscribe(
    client: &ServiceClient,
    topic: &str,
    protocol: String,
    endpoint: String,
) -> Result<String, CallError> {
    let parameters = [
        ("TopicArn", topic.to_owned()),
        ("Protocol", protocol),
        ("Endpoint", endpoint),
        ("ReturnSubscriptionArn", "true".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let answer = client.query("sns", "Subscribe", &parameters).await?;
    Ok(element(&answer, "SubscriptionArn").unwrap_or_default())
}
