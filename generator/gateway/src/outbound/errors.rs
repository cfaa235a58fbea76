//! Errors in the protocol of the client that called.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use serde_json::json;

use super::actions::TARGET;
use crate::query_protocol::{FORM, form, parameter, xml_error};

/// Protocol of a client's request, which decides how the client reads errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireProtocol {
    /// AWS JSON 1.0 and 1.1.
    Json,
    /// REST with JSON.
    RestJson,
    /// AWS Query, and REST with XML.
    Xml,
    /// The query protocol of EC2.
    Ec2,
    /// REST with XML of S3, whose errors have no outer element.
    S3,
    /// Smithy RPC v2 with CBOR.
    Cbor,
}

impl WireProtocol {
    /// Returns the protocol of a request to a service.
    pub(crate) fn of(service: &str, head: &Parts) -> Self {
        let text = |name: &str| text(&head.headers, name);
        if text("smithy-protocol") == "rpc-v2-cbor" {
            return WireProtocol::Cbor;
        }
        let has_action = || parameter(head.uri.query().unwrap_or_default(), "Action").is_some();
        match service {
            _ if !text(TARGET).is_empty() => WireProtocol::Json,
            "s3" => WireProtocol::S3,
            "ec2" => WireProtocol::Ec2,
            "cloudfront" | "route53" => WireProtocol::Xml,
            _ if text(CONTENT_TYPE.as_str()).starts_with(FORM) || has_action() => WireProtocol::Xml,
            _ => WireProtocol::RestJson,
        }
    }

    /// Builds an error response. Clients read its code as the name of an exception.
    pub(crate) fn error(self, status: StatusCode, code: &str, message: &str) -> Response {
        let (content_type, body) = match self {
            WireProtocol::Json => (
                "application/x-amz-json-1.0",
                json!({ "__type": code, "message": message }).to_string(),
            ),
            WireProtocol::RestJson => (
                "application/json",
                json!({ "code": code, "message": message }).to_string(),
            ),
            WireProtocol::Xml => {
                let error = xml_error(code, message, "<Type>Sender</Type>");
                let id = "<RequestId>local</RequestId>";
                (
                    "text/xml",
                    format!("<ErrorResponse>{error}{id}</ErrorResponse>"),
                )
            }
            WireProtocol::Ec2 => {
                let error = xml_error(code, message, "");
                let id = "<RequestID>local</RequestID>";
                (
                    "text/xml",
                    format!("<Response><Errors>{error}</Errors>{id}</Response>"),
                )
            }
            WireProtocol::S3 => ("application/xml", xml_error(code, message, "")),
            WireProtocol::Cbor => return cbor_error(status, code, message),
        };
        let mut response = (status, Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let is_json = matches!(self, WireProtocol::Json | WireProtocol::RestJson);
        if let (true, Ok(code)) = (is_json, HeaderValue::try_from(code)) {
            headers.insert("x-amzn-errortype", code);
        }
        // Clients of services that once had the query protocol, such as SQS, read the code here.
        if let Ok(code) = HeaderValue::try_from(format!("{code};Sender")) {
            headers.insert("x-amzn-query-error", code);
        }
        response
    }
}

/// Maximum length of an operation's name. Clients choose it.
const MAX_NAME: usize = 64;

/// Returns the operation of a request: from its target, its path or its parameters; otherwise the method.
pub(crate) fn operation(head: &Parts, body: &[u8]) -> String {
    let named = named_operation(head, body);
    let name = named.unwrap_or_else(|| head.method.to_string());
    name.chars().take(MAX_NAME).collect()
}

fn named_operation(head: &Parts, body: &[u8]) -> Option<String> {
    if let Some((_, operation)) = text(&head.headers, TARGET).rsplit_once('.') {
        return Some(operation.to_owned());
    }
    if let Some((_, operation)) = head.uri.path().rsplit_once("/operation/") {
        return Some(operation.to_owned());
    }
    let action = parameter(head.uri.query().unwrap_or_default(), "Action");
    action.or_else(|| parameter(form(&head.headers, body)?, "Action"))
}

/// Returns the value of a header, or an empty text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn cbor_error(status: StatusCode, code: &str, message: &str) -> Response {
    // A map with two pairs.
    let mut body = vec![0xa2];
    for text in ["__type", code, "message", message] {
        push_cbor_text(&mut body, text);
    }
    let headers = [
        (CONTENT_TYPE, "application/cbor"),
        (HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor"),
    ];
    (status, headers, Body::from(body)).into_response()
}

/// Appends a text of CBOR (RFC 8949, section 3), with its length in 32 bits.
fn push_cbor_text(bytes: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    // Error texts are short.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.push(0x7a);
    bytes.extend(length.to_be_bytes());
    bytes.extend(text);
}

/// Number of bytes of a request that are kept to find its operation.
const KEPT: usize = 64 * 1024;

/// Longest wait for the body of an HTTP/2 request. A client of HTTP/2 reads the response while it sends a stream of events,
/// which may not end before the response.
const STREAM_WAIT: Duration = Duration::from_millis(200);

/// Reads a request to its end, because a client may not read the response before it sent everything. Returns the head and
/// the first bytes of the body.
pub(crate) async fn drain(request: Request) -> (Parts, Vec<u8>) {
    use http_body_util::BodyExt;
    let (head, mut body) = request.into_parts();
    let mut first = Vec::new();
    // Such a client waits, and reads the response first.
    if head.headers.contains_key(http::header::EXPECT) {
        return (head, first);
    }
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Some(data) = frame.data_ref() {
                let room = KEPT.saturating_sub(first.len()).min(data.len());
                first.extend_from_slice(&data[..room]);
            }
        }
    };
    match head.version {
        Version::HTTP_2 => {
            // What has not arrived by then is not needed.
            let _ = tokio::time::timeout(STREAM_WAIT, read).await;
        }
        _ => read.await,
    }
    (head, first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::put(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_protocol_and_the_operation_of_a_request_are_found() {
        let json = [("x-amz-target", "AmazonSQS.SendMessage")];
        let form = [(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )];
        let cbor = [("smithy-protocol", "rpc-v2-cbor")];
        for (service, head, protocol, name) in [
            ("sqs", head("/", &json), WireProtocol::Json, "SendMessage"),
            ("sns", head("/", &form), WireProtocol::Xml, "Publish"),
            ("ec2", head("/", &form), WireProtocol::Ec2, "Publish"),
            ("s3", head("/a/b", &[]), WireProtocol::S3, "PUT"),
            ("ses", head("/?Action=Send", &[]), WireProtocol::Xml, "Send"),
            (
                "bedrock",
                head("/model/m/invoke", &[]),
                WireProtocol::RestJson,
                "PUT",
            ),
            (
                "route53",
                head("/2013-04-01/a", &[]),
                WireProtocol::Xml,
                "PUT",
            ),
            (
                "monitoring",
                head(
                    "/service/GraniteServiceVersion20100801/operation/PutMetricData",
                    &cbor,
                ),
                WireProtocol::Cbor,
                "PutMetricData",
            ),
        ] {
            assert_eq!(WireProtocol::of(service, &head), protocol, "{service}");
            assert_eq!(operation(&head, b"Action=Publish&a=b"), name, "{service}");
        }
    }

    #[tokio::test]
    async fn an_error_has_the_form_of_its_protocol() {
        use http_body_util::BodyExt;
        for (protocol, expected) in [
            (WireProtocol::Json, r#"{"__type":"Gone","message":"a < b"}"#),
            (
                WireProtocol::RestJson,
                r#"{"code":"Gone","message":"a < b"}"#,
            ),
            (
                WireProtocol::Xml,
                "<ErrorResponse><Error><Type>Sender</Type><Code>Gone</Code><Message>a &lt; b</Message></Error><RequestId>local</RequestId></ErrorResponse>",
            ),
            (
                WireProtocol::Ec2,
                "<Response><Errors><Error><Code>Gone</Code><Message>a &lt; b</Message></Error></Errors><RequestID>local</RequestID></Response>",
            ),
            (
                WireProtocol::S3,
                "<Error><Code>Gone</Code><Message>a &lt; b</Message></Error>",
            ),
            (
                WireProtocol::Cbor,
                "\u{fffd}z\0\0\0\u{6}__typez\0\0\0\u{4}Gonez\0\0\0\u{7}messagez\0\0\0\u{5}a < b",
            ),
        ] {
            let response = protocol.error(StatusCode::BAD_REQUEST, "Gone", "a < b");
            assert_eq!(response.status(), 400);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(String::from_utf8_lossy(&body), expected);
        }
    }
}
