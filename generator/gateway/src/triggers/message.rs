//! Messages of SNS: the parameters of `Publish`, filters, and the records that functions receive.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use stackgen_gateway_common::{EpochMillis, EventPattern, uuid};
use stackgen_gateway_stack::FilterScope;

use crate::query_protocol::parameter;

/// Maximum size of a message with its attributes, and of all messages of a batch, in bytes.
pub(super) const MAX_MESSAGE: usize = 256 * 1024;

/// Message to a topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TopicMessage {
    pub(crate) id: String,
    subject: Option<String>,
    body: String,
    /// Size of the message as it was sent, without its attributes.
    sent: usize,
    /// Types and values by name.
    attributes: BTreeMap<String, (String, String)>,
}

/// Message that SNS refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefusedMessage {
    /// The reason in SNS's words.
    pub(super) reason: &'static str,
    /// Size in bytes, which counts towards that of its batch.
    pub(super) size: usize,
}

impl TopicMessage {
    /// Reads a message from a form. `prefix` stands before the names of parameters: `PublishBatchRequestEntries.member.1.`.
    ///
    /// # Errors
    ///
    /// See [`RefusedMessage`].
    pub(super) fn read(form: &str, prefix: &str) -> Result<Self, RefusedMessage> {
        let text = |name: &str| parameter(form, &format!("{prefix}{name}"));
        let body = text("Message").unwrap_or_default();
        let attributes = (1..).map_while(|number| {
            let text = |name: &str| text(&format!("MessageAttributes.entry.{number}.{name}"));
            let value = text("Value.StringValue").or_else(|| text("Value.BinaryValue"));
            let kind = text("Value.DataType").unwrap_or_default();
            Some((text("Name")?, (kind, value.unwrap_or_default())))
        });
        let message = TopicMessage {
            id: uuid(),
            subject: text("Subject"),
            sent: body.len(),
            body,
            attributes: attributes.collect(),
        };
        let size = message.size();
        let is_by_protocol = text("MessageStructure").as_deref() == Some("json");
        let checked = message.checked(is_by_protocol);
        checked.map_err(|reason| RefusedMessage { reason, size })
    }

    /// Checks a message as it was sent, and reads the text for functions if it has a text for each protocol.
    ///
    /// # Errors
    ///
    /// The reason in SNS's words, if SNS refuses it.
    fn checked(mut self, is_by_protocol: bool) -> Result<Self, &'static str> {
        if self.body.is_empty() {
            return Err("Empty message");
        }
        if is_by_protocol {
            let by_protocol: Map<String, Json> = serde_json::from_str(&self.body)
                .map_err(|_| "Message Structure - JSON message body failed to parse")?;
            let one = by_protocol
                .get("lambda")
                .or_else(|| by_protocol.get("default"));
            let one = one.and_then(Json::as_str);
            self.body = one
                .ok_or("Message Structure - No default entry in JSON message body")?
                .to_owned();
        }
        match self.size() > MAX_MESSAGE {
            true => Err("Message too long"),
            false => Ok(self),
        }
    }

    /// Returns the size in bytes that SNS limits.
    pub(super) fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|(name, (kind, value))| name.len() + kind.len() + value.len());
        self.sent + attributes.sum::<usize>()
    }

    /// Returns true if a subscription with this filter receives the message.
    pub(super) fn passes(&self, filter: Option<&(EventPattern, FilterScope)>) -> bool {
        match filter {
            None => true,
            Some((pattern, FilterScope::Attributes)) => {
                pattern.matches(&self.filtered_attributes())
            }
            Some((pattern, FilterScope::Body)) => {
                serde_json::from_str(&self.body).is_ok_and(|body| pattern.matches(&body))
            }
        }
    }

    fn filtered_attributes(&self) -> Json {
        let attributes = self.attributes.iter().map(|(name, (kind, value))| {
            let parsed = match kind.as_str() {
                "Number" | "String.Array" => serde_json::from_str(value).ok(),
                _ => None,
            };
            (name.clone(), parsed.unwrap_or_else(|| json!(value)))
        });
        Json::Object(attributes.collect())
    }

    /// Returns the event that a function receives.
    pub(super) fn event(&self, topic: &str, subscription: &str) -> Json {
        let attributes = self.attributes.iter();
        let attributes = attributes
            .map(|(name, (kind, value))| (name.clone(), json!({ "Type": kind, "Value": value })));
        let attributes = Json::Object(attributes.collect());
        json!({
            "Records": [{
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": self.id,
                    "TopicArn": topic,
                    "Subject": self.subject,
                    "Message": self.body,
                    "Timestamp": EpochMillis::now().iso8601(),
                    // Nothing signs messages here, so that a function which verifies them notices.
                    "SignatureVersion": "1",
                    "Signature": "local",
                    "SigningCertUrl": "https://sns.invalid/local.pem",
                    "UnsubscribeUrl": "https://sns.invalid/unsubscribe",
                    "MessageAttributes": attributes,
                },
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "Action=Publish&TopicArn=t&Message=%7B%22n%22%3A1%7D&Subject=Hi&MessageAttributes.entry.1.Name=kind\
         &MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=a\
         &MessageAttributes.entry.2.Name=price&MessageAttributes.entry.2.Value.DataType=Number\
         &MessageAttributes.entry.2.Value.StringValue=7";

    #[test]
    fn a_function_receives_the_record_that_lambda_documents() {
        let event = TopicMessage::read(FORM, "")
            .unwrap()
            .event("arn:topic", "arn:topic:1");
        let record = &event["Records"][0];
        assert_eq!(record["EventSource"], "aws:sns");
        assert_eq!(record["EventSubscriptionArn"], "arn:topic:1");
        let message = &record["Sns"];
        assert_eq!(
            (&message["Message"], &message["Subject"]),
            (&json!("{\"n\":1}"), &json!("Hi"))
        );
        assert_eq!(
            message["MessageAttributes"]["price"],
            json!({ "Type": "Number", "Value": "7" })
        );
    }

    #[test]
    fn filters_select_messages_by_attributes_or_by_body() {
        let message = TopicMessage::read(FORM, "").unwrap();
        let passes = |pattern: &str, scope| {
            message.passes(Some(&(EventPattern::parse(pattern).unwrap(), scope)))
        };
        assert!(message.passes(None));
        assert!(passes(
            r#"{"kind":["a"],"price":[{"numeric":[">",5]}]}"#,
            FilterScope::Attributes
        ));
        assert!(!passes(r#"{"kind":["b"]}"#, FilterScope::Attributes));
        assert!(passes(r#"{"n":[1]}"#, FilterScope::Body));
        assert!(!passes(r#"{"kind":["a"]}"#, FilterScope::Body));
    }

    #[test]
    fn a_message_by_protocol_is_the_one_of_functions() {
        let read = |message: &str| {
            let form = format!("MessageStructure=json&Message={message}");
            TopicMessage::read(&form, "").map(|message| message.body)
        };
        assert_eq!(
            read("%7B%22lambda%22%3A%22L%22%2C%22default%22%3A%22D%22%7D"),
            Ok("L".to_owned())
        );
        assert_eq!(read("%7B%22default%22%3A%22D%22%7D"), Ok("D".to_owned()));
        assert!(read("%7B%7D").is_err() && read("text").is_err());
        let empty = TopicMessage::read("Message=", "").unwrap_err();
        assert_eq!(empty.reason, "Empty message");
    }

    #[test]
    fn a_message_with_its_attributes_has_at_most_256_kb() {
        let attribute = "&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue=v";
        let read = |size: usize| {
            let form = format!("Message={}{attribute}", "x".repeat(size));
            TopicMessage::read(&form, "").map(|message| message.size())
        };
        let attribute_bytes = "aStringv".len();
        assert_eq!(read(MAX_MESSAGE - attribute_bytes), Ok(MAX_MESSAGE));
        let refused = RefusedMessage {
            reason: "Message too long",
            size: MAX_MESSAGE + attribute_bytes,
        };
        assert_eq!(read(MAX_MESSAGE), Err(refused));
    }
}
