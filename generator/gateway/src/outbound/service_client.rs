//! Client for the services of the endpoint that the user named: calls of the gateway itself.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use serde_json::Value as Json;
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_common::services::{ServiceCall, ServiceError, ServiceOperation};
use thiserror::Error;

use super::OtherServices;
use super::actions::{self, TARGET};
use crate::query_protocol::{FORM, element, encode_form};

/// Calls services as the account.
#[derive(Clone)]
pub(crate) struct ServiceClient {
    pub(crate) others: Arc<OtherServices>,
    pub(crate) scope: ArnScope,
}

/// Failure of a call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum CallError {
    /// The endpoint does not answer.
    #[error("{0}")]
    Unreachable(String),
    /// The call is not sent.
    #[error("{0}")]
    NotCalled(String),
    /// The service refuses the call.
    #[error("{operation}: {code} {message}")]
    Refused {
        /// Service and operation.
        operation: String,
        /// Code of the error, without its namespace.
        code: String,
        /// Message.
        message: String,
    },
}

impl CallError {
    /// Returns true if the service refuses the call with a code that ends so. Some services put a namespace before it.
    pub(crate) fn is(&self, end: &str) -> bool {
        matches!(self, CallError::Refused { code, .. } if code.ends_with(end))
    }
}

impl ServiceClient {
    /// Calls an operation of a service with a JSON protocol.
    pub(crate) async fn json(
        &self,
        service: &str,
        operation: &str,
        body: &Json,
    ) -> Result<Json, CallError> {
        let mut call = self.call(service, body.to_string().into());
        if service == "sqs" {
            // Integrations call SQS by its Query protocol, so its JSON protocol has a target of its own.
            let json = HeaderValue::from_static("application/x-amz-json-1.0");
            let target = HeaderValue::try_from(format!("AmazonSQS.{operation}"));
            let target = target.map_err(|error| CallError::NotCalled(error.to_string()))?;
            let named = [
                (HeaderName::from_static(TARGET), target),
                (CONTENT_TYPE, json),
            ];
            call.headers = HeaderMap::from_iter(named);
        } else {
            call.operation = ServiceOperation::Action(operation.to_owned());
        }
        let response = self.send(call).await?;
        read_json(&format!("{service} {operation}"), &response)
    }

    /// Calls an operation of a service with the Query protocol. Returns its XML.
    pub(crate) async fn query(
        &self,
        service: &str,
        operation: &str,
        parameters: &[(&str, String)],
    ) -> Result<String, CallError> {
        let mut call = self.call(service, encode_form(parameters).into());
        call.operation = ServiceOperation::Action(operation.to_owned());
        call.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        let response = self.send(call).await?;
        read_xml(&format!("{service} {operation}"), &response)
    }

    /// Sends a request to a path of a service.
    pub(crate) async fn request(
        &self,
        service: &str,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        let mut call = self.call(service, body.into());
        call.operation = ServiceOperation::Path(path.to_owned());
        call.method = method;
        self.send(call).await
    }

    fn call(&self, service: &str, body: Bytes) -> ServiceCall {
        ServiceCall {
            service: service.to_owned(),
            operation: ServiceOperation::Path("/".to_owned()),
            method: Method::POST,
            headers: HeaderMap::new(),
            query: String::new(),
            body,
            role: String::new(),
        }
    }

    async fn send(&self, call: ServiceCall) -> Result<Response<Bytes>, CallError> {
        let failed = |error: ServiceError| match error {
            ServiceError::Unreachable { .. } => CallError::Unreachable(error.to_string()),
            error => CallError::NotCalled(error.to_string()),
        };
        let request = actions::request(&call, &self.scope).map_err(failed)?;
        let sent = self.others.send(&call.service, request).await;
        sent.map_err(failed)
    }
}

/// Returns the body of a response in JSON.
pub(crate) fn read_json(operation: &str, response: &Response<Bytes>) -> Result<Json, CallError> {
    let answer: Json = serde_json::from_slice(response.body()).unwrap_or_default();
    if response.status().is_success() {
        return Ok(answer);
    }
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| answer[*name].as_str());
        found.unwrap_or_default().to_owned()
    };
    let header = response.headers().get("x-amzn-errortype");
    let header = header.and_then(|header| header.to_str().ok());
    let code = match text(&["__type", "code"]) {
        code if code.is_empty() => header.unwrap_or(response.status().as_str()).to_owned(),
        code => code,
    };
    Err(refused(operation, &code, text(&["message", "Message"])))
}

/// Returns the body of a response in XML.
pub(crate) fn read_xml(operation: &str, response: &Response<Bytes>) -> Result<String, CallError> {
    let text = String::from_utf8_lossy(response.body()).into_owned();
    if response.status().is_success() {
        return Ok(text);
    }
    let code = element(&text, "Code");
    let code = code.unwrap_or_else(|| response.status().as_str().to_owned());
    let message = element(&text, "Message").unwrap_or_default();
    Err(refused(operation, &code, message))
}

fn refused(operation: &str, code: &str, message: String) -> CallError {
    // `{namespace}#{code}`, or `{code}:{URL}`.
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    CallError::Refused {
        operation: operation.to_owned(),
        code: code.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_the_message_of_a_refusal_are_read() {
        let response = |body: &str| {
            let mut response = Response::new(Bytes::from(body.to_owned()));
            *response.status_mut() = http::StatusCode::BAD_REQUEST;
            response
        };
        let json = r#"{"__type":"com.amazonaws.sqs#QueueNameExists","message":"it exists"}"#;
        let error = read_json("sqs CreateQueue", &response(json)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sqs CreateQueue: QueueNameExists it exists"
        );
        assert!(error.is("NameExists") && !error.is("Exists:"));
        let xml = "<ErrorResponse><Error><Code>Bad</Code><Message>a &amp; b</Message></Error></ErrorResponse>";
        let error = read_xml("sns CreateTopic", &response(xml)).unwrap_err();
        assert_eq!(error.to_string(), "sns CreateTopic: Bad a & b");
        let error = read_json("lambda", &response("no JSON")).unwrap_err();
        assert_eq!(error.to_string(), "lambda: 400 ");
    }
}
