//! Topics of SNS, and their subscriptions. Functions are subscribed in the gateway.

use serde_json::Value as Json;
use stackgen_gateway_stack::{EmulatedState, ServiceResource, StoredResource};

use super::{member, text};
use crate::outbound::service_client::{CallError, ServiceClient};
use crate::query_protocol::element;

/// Properties that are attributes of topics, with their defaults.
const ATTRIBUTES: [[&str; 2]; 2] = [["ContentBasedDeduplication", "false"], ["DisplayName", ""]];

/// Filter of a subscription.
const FILTER: &str = "FilterPolicy";

/// What the filter of a subscription is applied to, which decides which filters are valid.
const FILTER_SCOPE: &str = "FilterPolicyScope";

/// Properties that are attributes of subscriptions, with their defaults, in the order in which they are set.
const SUBSCRIPTION_ATTRIBUTES: [[&str; 2]; 3] = [
    [FILTER_SCOPE, "MessageAttributes"],
    [FILTER, "{}"],
    ["RawMessageDelivery", "false"],
];

pub(super) async fn put(
    client: &ServiceClient,
    topic: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    let mut parameters = vec![("Name", topic.name.clone())];
    if text(topic, "FifoTopic").as_deref() == Some("true") {
        parameters.push(("Attributes.entry.1.key", "FifoTopic".to_owned()));
        parameters.push(("Attributes.entry.1.value", "true".to_owned()));
    }
    let answer = client.query("sns", "CreateTopic", &parameters).await?;
    let arn = element(&answer, "TopicArn").unwrap_or_default();
    for [name, default] in ATTRIBUTES {
        if let Some(value) = changed(topic, before, name, default) {
            let parameters = [
                ("TopicArn", arn.clone()),
                ("AttributeName", name.to_owned()),
                ("AttributeValue", value),
            ];
            client
                .query("sns", "SetTopicAttributes", &parameters)
                .await?;
        }
    }
    let subscriptions = subscriptions(topic);
    for one in &subscriptions {
        subscribe(client, &arn, one).await?;
    }
    if let Some(before) = before {
        let mut removed = self::subscriptions(&before.desired);
        removed.retain(|one| !subscriptions.contains(one));
        let topic = before.stored.reference.as_str();
        for one in removed {
            unsubscribe(client, topic, &one).await?;
        }
    }
    Ok(StoredResource::new(arn.as_str())
        .with("TopicArn", arn)
        .with("TopicName", &topic.name))
}

/// Puts a subscription, and removes the one that it replaces.
pub(super) async fn put_subscription(
    client: &ServiceClient,
    subscription: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    let of = |one: &ServiceResource| (topic_of(one), Subscribed::of(one));
    let (topic, subscribed) = of(subscription);
    let same = before.filter(|before| of(&before.desired) == (topic.clone(), subscribed.clone()));
    if let (Some(before), None) = (before, same) {
        remove_subscription(client, &before.desired).await?;
    }
    let arn = subscribe(client, &topic, &subscribed).await?;
    for [name, value] in attributes(subscription, same) {
        let parameters = [
            ("SubscriptionArn", arn.clone()),
            ("AttributeName", name),
            ("AttributeValue", value),
        ];
        client
            .query("sns", "SetSubscriptionAttributes", &parameters)
            .await?;
    }
    Ok(StoredResource::new(arn.as_str()).with("Arn", arn))
}

/// Removes a subscription, if it exists.
pub(super) async fn remove_subscription(
    client: &ServiceClient,
    subscription: &ServiceResource,
) -> Result<(), CallError> {
    let subscribed = Subscribed::of(subscription);
    unsubscribe(client, &topic_of(subscription), &subscribed).await
}

fn topic_of(subscription: &ServiceResource) -> String {
    text(subscription, "TopicArn").unwrap_or_default()
}

/// Returns the attributes to set, in this order: the names with their values.
fn attributes(subscription: &ServiceResource, before: Option<&EmulatedState>) -> Vec<[String; 2]> {
    let mut all = Vec::new();
    // A filter of the other scope may not be valid in this one.
    if let Some(old) = before.map(|before| &before.desired)
        && text(old, FILTER).is_some()
        && text(old, FILTER_SCOPE) != text(subscription, FILTER_SCOPE)
    {
        all.push([FILTER.to_owned(), "{}".to_owned()]);
    }
    for [name, default] in SUBSCRIPTION_ATTRIBUTES {
        if let Some(value) = changed(subscription, before, name, default) {
            all.push([name.to_owned(), value]);
        }
    }
    all
}

/// Returns the value of an attribute: that of the template, or the default if the template had one before.
fn changed(
    resource: &ServiceResource,
    before: Option<&EmulatedState>,
    name: &str,
    default: &str,
) -> Option<String> {
    text(resource, name).or_else(|| {
        text(&before?.desired, name)?;
        Some(default.to_owned())
    })
}

/// Receiver of a topic's messages.
#[derive(Clone, Debug, PartialEq)]
struct Subscribed {
    protocol: String,
    endpoint: String,
}

impl Subscribed {
    fn of(subscription: &ServiceResource) -> Self {
        let text = |name: &str| text(subscription, name).unwrap_or_default();
        Subscribed {
            protocol: text("Protocol"),
            endpoint: text("Endpoint"),
        }
    }

    fn read(properties: &Json) -> Self {
        Subscribed {
            protocol: member(properties, "Protocol"),
            endpoint: member(properties, "Endpoint"),
        }
    }
}

/// Returns the subscriptions in a topic's own properties, without functions.
fn subscriptions(topic: &ServiceResource) -> Vec<Subscribed> {
    let own = topic
        .properties
        .get("Subscription")
        .and_then(Json::as_array);
    let own = own.into_iter().flatten().map(Subscribed::read);
    own.filter(|one| one.protocol != "lambda").collect()
}

/// Subscribes an endpoint. Returns the subscription's ARN, which stays the same if it exists.
async fn subscribe(
    client: &ServiceClient,
    topic: &str,
    subscribed: &Subscribed,
) -> Result<String, CallError> {
    let parameters = [
        ("TopicArn", topic.to_owned()),
        ("Protocol", subscribed.protocol.clone()),
        ("Endpoint", subscribed.endpoint.clone()),
        ("ReturnSubscriptionArn", "true".to_owned()),
    ];
    let answer = client.query("sns", "Subscribe", &parameters).await?;
    Ok(element(&answer, "SubscriptionArn").unwrap_or_default())
}

/// Removes the subscription of an endpoint, if there is one.
async fn unsubscribe(
    client: &ServiceClient,
    topic: &str,
    subscribed: &Subscribed,
) -> Result<(), CallError> {
    let mut parameters = vec![("TopicArn", topic.to_owned())];
    loop {
        let listed = client
            .query("sns", "ListSubscriptionsByTopic", &parameters)
            .await;
        let answer = match listed {
            Err(error) if error.is("NotFound") => return Ok(()),
            listed => listed?,
        };
        if let Some(arn) = arn_of(&answer, subscribed) {
            let parameters = [("SubscriptionArn", arn)];
            client.query("sns", "Unsubscribe", &parameters).await?;
            return Ok(());
        }
        match element(&answer, "NextToken") {
            Some(token) if !token.is_empty() => {
                parameters.truncate(1);
                parameters.push(("NextToken", token));
            }
            _ => return Ok(()),
        }
    }
}

/// Returns the ARN of the subscription of an endpoint in an answer of `ListSubscriptionsByTopic`.
fn arn_of(answer: &str, subscribed: &Subscribed) -> Option<String> {
    let mut members = answer.split("<member>").skip(1);
    let is_text = |xml: &str, name: &str, text: &str| element(xml, name).as_deref() == Some(text);
    let member = members.find(|xml| {
        is_text(xml, "Protocol", &subscribed.protocol)
            && is_text(xml, "Endpoint", &subscribed.endpoint)
    });
    element(member?, "SubscriptionArn")
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn subscription(properties: Json) -> ServiceResource {
        let Json::Object(properties) = properties else {
            panic!("properties");
        };
        ServiceResource {
            stack: "s".to_owned(),
            kind: "AWS::SNS::Subscription".to_owned(),
            name: "n".to_owned(),
            properties,
        }
    }

    #[test]
    fn the_scope_of_a_filter_is_set_before_the_filter() {
        let nested =
            json!({ "FilterPolicy": { "a": { "b": ["c"] } }, "FilterPolicyScope": "MessageBody" });
        let set = attributes(&subscription(nested), None);
        let names: Vec<&str> = set.iter().map(|[name, _]| name.as_str()).collect();
        assert_eq!(names, ["FilterPolicyScope", "FilterPolicy"]);
        let none = attributes(&subscription(Json::Object(Map::new())), None);
        assert_eq!(none, Vec::<[String; 2]>::new());
    }

    #[test]
    fn the_subscription_of_an_endpoint_is_found_in_a_list() {
        let member = |arn: &str, endpoint: &str| {
            format!(
                "<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>sqs</Protocol><Endpoint>{endpoint}</Endpoint></member>"
            )
        };
        let answer = [member("arn:1", "q1"), member("arn:2", "q2")].concat();
        let queue = |endpoint: &str| Subscribed {
            protocol: "sqs".to_owned(),
            endpoint: endpoint.to_owned(),
        };
        assert_eq!(arn_of(&answer, &queue("q2")).as_deref(), Some("arn:2"));
        assert_eq!(arn_of(&answer, &queue("q")), None);
    }
}
