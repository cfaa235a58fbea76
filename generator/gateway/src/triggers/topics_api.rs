//! `Publish` and `PublishBatch` of SNS for topics to which functions are subscribed. All other calls are those of a service
//! that does not run here.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use stackgen_gateway_common::{body, uuid};

use super::Triggers;
use super::message::{MAX_MESSAGE, RefusedMessage, TopicMessage};
use crate::outbound::OtherServices;
use crate::outbound::errors::WireProtocol;
use crate::query_protocol::{escape, parameter};

/// Maximum size of a request in bytes: ten messages, percent-encoded.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Maximum number of messages in a batch.
const MAX_ENTRIES: usize = 10;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

impl Triggers {
    /// Returns the routes of SNS.
    pub(crate) fn topics_routes(&self, others: Arc<OtherServices>) -> Router {
        let triggers = self.clone();
        Router::new().fallback(move |request: Request| {
            let (triggers, others) = (triggers.clone(), others.clone());
            async move { triggers.answer_topics(&others, request).await }
        })
    }

    /// Returns the topic of a request that is answered here.
    pub(crate) fn topic_of(&self, head: &Parts, body: &[u8]) -> Option<String> {
        let form = parameters(head, body);
        let action = parameter(&form, "Action")?;
        let arn = parameter(&form, "TopicArn").or_else(|| parameter(&form, "TargetArn"))?;
        (["Publish", "PublishBatch"].contains(&action.as_str()) && self.has_topic(&arn))
            .then_some(arn)
    }

    async fn answer_topics(&self, others: &OtherServices, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let protocol = WireProtocol::of("sns", &head);
        let refuse = |message: &str| {
            let message = format!("Invalid parameter: {message}");
            protocol.error(StatusCode::BAD_REQUEST, "InvalidParameter", &message)
        };
        let Ok(body) = body::read_all(body, MAX_BODY).await else {
            return refuse("Message too long");
        };
        let Some(topic) = self.topic_of(&head, &body) else {
            return others
                .answer("sns", Request::from_parts(head, Body::from(body)))
                .await;
        };
        let form = parameters(&head, &body);
        let answer = match parameter(&form, "Action").as_deref() {
            Some("PublishBatch") => match self.publish_batch(&topic, &form) {
                Ok(answer) => answer,
                Err(BatchError { code, message }) => {
                    return protocol.error(StatusCode::BAD_REQUEST, code, message);
                }
            },
            _ => match TopicMessage::read(&form, "") {
                Ok(message) => self.publish_one(&topic, &message),
                Err(refused) => return refuse(refused.reason),
            },
        };
        self.publish_elsewhere(others, head, body)
            .await
            .unwrap_or(answer)
    }

    fn publish_one(&self, topic: &str, message: &TopicMessage) -> Response {
        self.publish(topic, message);
        let id = format!("<MessageId>{}</MessageId>", message.id);
        response("Publish", &id)
    }

    /// Publishes the messages of a batch.
    ///
    /// # Errors
    ///
    /// The code and the message of SNS, if it refuses the whole batch.
    fn publish_batch(&self, topic: &str, form: &str) -> Result<Response, BatchError> {
        let entries = batch_entries(form)?;
        let (mut successful, mut failed) = (String::new(), String::new());
        for BatchEntry { id, message } in entries {
            let id = escape(&id);
            match message {
                Ok(message) => {
                    self.publish(topic, &message);
                    let message = &message.id;
                    successful +=
                        &format!("<member><Id>{id}</Id><MessageId>{message}</MessageId></member>");
                }
                Err(RefusedMessage { reason, .. }) => {
                    failed += &format!(
                        "<member><Id>{id}</Id><Code>InvalidParameter</Code><Message>{reason}</Message><SenderFault>true</SenderFault></member>"
                    );
                }
            }
        }
        Ok(response(
            "PublishBatch",
            &format!("<Successful>{successful}</Successful><Failed>{failed}</Failed>"),
        ))
    }

    /// Publishes to the emulator too, which knows the other subscriptions. Returns its answer, if it has the topic.
    async fn publish_elsewhere(
        &self,
        others: &OtherServices,
        head: Parts,
        body: Bytes,
    ) -> Option<Response> {
        others.url()?;
        let response = others
            .answer("sns", Request::from_parts(head, Body::from(body)))
            .await;
        response.status().is_success().then_some(response)
    }
}

/// Message of a batch.
struct BatchEntry {
    id: String,
    message: Result<TopicMessage, RefusedMessage>,
}

/// Refusal of a whole batch.
#[derive(Debug, PartialEq, Eq)]
struct BatchError {
    code: &'static str,
    message: &'static str,
}

/// Reads the entries of a batch.
fn batch_entries(form: &str) -> Result<Vec<BatchEntry>, BatchError> {
    let refuse = |code, message| Err(BatchError { code, message });
    let entries = (1..).map_while(|number| {
        let prefix = format!("PublishBatchRequestEntries.member.{number}.");
        Some(BatchEntry {
            id: parameter(form, &format!("{prefix}Id"))?,
            message: TopicMessage::read(form, &prefix),
        })
    });
    // One more than SNS accepts is enough to refuse the batch.
    let entries: Vec<_> = entries.take(MAX_ENTRIES + 1).collect();
    let sizes = entries.iter().map(|entry| match &entry.message {
        Ok(message) => message.size(),
        Err(refused) => refused.size,
    });
    let size: usize = sizes.sum();
    match entries.len() {
        0 => refuse(
            "EmptyBatchRequest",
            "The batch request doesn't contain any entries.",
        ),
        count if count > MAX_ENTRIES => refuse(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        ),
        _ if size > MAX_MESSAGE => refuse(
            "BatchRequestTooLong",
            "The length of all the batch messages put together is more than the limit.",
        ),
        _ => Ok(entries),
    }
}

fn parameters(head: &Parts, body: &[u8]) -> String {
    match body.is_empty() {
        true => head.uri.query().unwrap_or_default().to_owned(),
        false => String::from_utf8_lossy(body).into_owned(),
    }
}

fn response(action: &str, result: &str) -> Response {
    let body = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
        uuid()
    );
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(messages: &[String]) -> Result<Vec<bool>, &'static str> {
        let entries = messages.iter().zip(1..).map(|(message, number)| {
            let prefix = format!("PublishBatchRequestEntries.member.{number}");
            format!("{prefix}.Id={number}&{prefix}.Message={message}")
        });
        let form = entries.collect::<Vec<_>>().join("&");
        let entries = batch_entries(&form).map_err(|error| error.code)?;
        Ok(entries.iter().map(|entry| entry.message.is_ok()).collect())
    }

    #[test]
    fn a_batch_has_at_most_ten_messages_that_together_have_at_most_256_kb() {
        let messages = |count: usize, size: usize| vec!["x".repeat(size); count];
        assert_eq!(batch(&messages(10, 1)), Ok(vec![true; 10]));
        assert_eq!(batch(&messages(11, 1)), Err("TooManyEntriesInBatchRequest"));
        assert_eq!(batch(&[]), Err("EmptyBatchRequest"));
        assert_eq!(batch(&messages(2, 128 * 1024)), Ok(vec![true; 2]));
        let larger = messages(2, 128 * 1024 + 1);
        assert_eq!(batch(&larger), Err("BatchRequestTooLong"));
        // A message that does not fit alone is too much for the batch, too.
        let too_long = messages(1, MAX_MESSAGE + 1);
        assert_eq!(batch(&too_long), Err("BatchRequestTooLong"));
        let one = ["x".to_owned(), String::new()];
        assert_eq!(batch(&one), Ok(vec![true, false]));
    }
}
