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
use super::message::TopicMessage;
use crate::outbound::OtherServices;
use crate::outbound::errors::WireProtocol;
use crate::query_protocol::{escape, parameter};

/// Maximum size of a request in bytes: ten messages, percent-encoded.
const MAX_BODY: usize = 8 * 1024 * 1024;

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
            Some("PublishBatch") => self.publish_batch(&topic, &form),
            _ => match TopicMessage::read(&form, "") {
                Ok(message) => self.publish_one(&topic, &message),
                Err(reason) => return refuse(reason),
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

    fn publish_batch(&self, topic: &str, form: &str) -> Response {
        let (mut successful, mut failed) = (String::new(), String::new());
        for number in 1.. {
            let prefix = format!("PublishBatchRequestEntries.member.{number}.");
            let Some(id) = parameter(form, &format!("{prefix}Id")) else {
                break;
            };
            let id = escape(&id);
            match TopicMessage::read(form, &prefix) {
                Ok(message) => {
                    self.publish(topic, &message);
                    let message = &message.id;
                    successful +=
                        &format!("<member><Id>{id}</Id><MessageId>{message}</MessageId></member>");
                }
                Err(reason) => {
                    failed += &format!(
                        "<member><Id>{id}</Id><Code>InvalidParameter</Code><Message>{reason}</Message><SenderFault>true</SenderFault></member>"
                    );
                }
            }
        }
        response(
            "PublishBatch",
            &format!("<Successful>{successful}</Successful><Failed>{failed}</Failed>"),
        )
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
