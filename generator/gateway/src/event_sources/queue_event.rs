//! Messages of SQS as records of a function's event.

use serde_json::{Map, Value as Json, json};

use super::delivery::BatchRecord;

/// Message of a queue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct QueueMessage {
    pub(super) record: BatchRecord,
    pub(super) receipt: String,
}

impl QueueMessage {
    /// Converts a message of `ReceiveMessage`.
    pub(super) fn new(message: &Json, queue_arn: &str) -> Self {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let (id, receipt) = (text("MessageId"), text("ReceiptHandle"));
        let attributes = message.get("Attributes").cloned();
        let mut record = Map::new();
        record.insert("messageId".to_owned(), id.as_str().into());
        record.insert("receiptHandle".to_owned(), receipt.as_str().into());
        record.insert("body".to_owned(), text("Body").into());
        record.insert(
            "attributes".to_owned(),
            attributes.unwrap_or_else(|| json!({})),
        );
        let attributes = message_attributes(&message["MessageAttributes"]);
        record.insert("messageAttributes".to_owned(), attributes);
        if let Some(digest) = message["MD5OfMessageAttributes"].as_str() {
            record.insert("md5OfMessageAttributes".to_owned(), digest.into());
        }
        record.insert("md5OfBody".to_owned(), text("MD5OfBody").into());
        record.insert("eventSource".to_owned(), "aws:sqs".into());
        record.insert("eventSourceARN".to_owned(), queue_arn.into());
        let region = queue_arn.split(':').nth(3).unwrap_or_default();
        record.insert("awsRegion".to_owned(), region.into());
        let json = Json::Object(record);
        QueueMessage {
            record: BatchRecord { id, json },
            receipt,
        }
    }

    /// Returns the record that filters see: its body is an object if it is the JSON text of one.
    pub(super) fn filtered(&self) -> Json {
        let mut record = self.record.json.clone();
        let body = record["body"].as_str().unwrap_or_default();
        if let Ok(body @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str(body) {
            record["body"] = body;
        }
        record
    }
}

/// Returns message attributes with the names that functions see.
fn message_attributes(attributes: &Json) -> Json {
    let attributes = attributes.as_object().into_iter().flatten();
    let attributes = attributes.map(|(name, value)| {
        let mut attribute = Map::new();
        for (from, to) in [
            ("StringValue", "stringValue"),
            ("BinaryValue", "binaryValue"),
        ] {
            if let Some(text) = value[from].as_str() {
                attribute.insert(to.to_owned(), text.into());
            }
        }
        // SQS does not implement lists, and Lambda shows them as empty.
        attribute.insert("stringListValues".to_owned(), json!([]));
        attribute.insert("binaryListValues".to_owned(), json!([]));
        attribute.insert("dataType".to_owned(), value["DataType"].clone());
        (name.clone(), Json::Object(attribute))
    });
    Json::Object(attributes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sqs:us-east-2:123456789012:my-queue";

    #[test]
    fn a_record_has_the_members_that_aws_documents() {
        let message = QueueMessage::new(
            &json!({
                "MessageId": "059f36b4",
                "ReceiptHandle": "AQEB",
                "MD5OfBody": "e4e68fb7",
                "Body": "Test message.",
                "Attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183" },
                "MD5OfMessageAttributes": "00484c68",
                "MessageAttributes": {
                    "myAttribute": { "StringValue": "myValue", "DataType": "String" },
                    "image": { "BinaryValue": "AQI=", "DataType": "Binary.png" },
                },
            }),
            ARN,
        );
        insta::assert_snapshot!(serde_json::to_string_pretty(&message.record.json).unwrap(), @r#"
        {
          "messageId": "059f36b4",
          "receiptHandle": "AQEB",
          "body": "Test message.",
          "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183"
          },
          "messageAttributes": {
            "myAttribute": {
              "stringValue": "myValue",
              "stringListValues": [],
              "binaryListValues": [],
              "dataType": "String"
            },
            "image": {
              "binaryValue": "AQI=",
              "stringListValues": [],
              "binaryListValues": [],
              "dataType": "Binary.png"
            }
          },
          "md5OfMessageAttributes": "00484c68",
          "md5OfBody": "e4e68fb7",
          "eventSource": "aws:sqs",
          "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
          "awsRegion": "us-east-2"
        }
        "#);
        assert_eq!(
            (message.record.id, message.receipt),
            ("059f36b4".into(), "AQEB".into())
        );
    }

    #[test]
    fn a_message_without_attributes_has_empty_ones() {
        let record = QueueMessage::new(&json!({ "MessageId": "a", "Body": "b" }), ARN).record;
        assert_eq!(record.json["attributes"], json!({}));
        assert_eq!(record.json["messageAttributes"], json!({}));
        assert!(record.json.get("md5OfMessageAttributes").is_none());
    }

    #[test]
    fn filters_see_the_body_as_an_object_if_it_is_json() {
        let filtered = |body: &str| QueueMessage::new(&json!({ "Body": body }), ARN).filtered();
        assert_eq!(filtered(r#"{"a":1}"#)["body"], json!({ "a": 1 }));
        for text in ["text", "5", r#""quoted""#, "{"] {
            assert_eq!(filtered(text)["body"], text);
        }
    }
}
