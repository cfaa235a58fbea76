//! Responses from the return values of functions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

/// Payload format version of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadVersion {
    /// `1.0`, the default.
    V1,
    /// `2.0`.
    V2,
}

impl PayloadVersion {
    pub(super) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("2.0") => PayloadVersion::V2,
            _ => PayloadVersion::V1,
        }
    }
}

/// Headers that concern the connection, which functions cannot set.
const CONNECTION_HEADERS: [HeaderName; 4] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Builds a response from a function's return value.
///
/// # Errors
///
/// A reason why the value is malformed, which does not quote it.
pub(super) fn interpret(
    version: PayloadVersion,
    payload: &[u8],
) -> Result<Response<Bytes>, String> {
    let value: Value = serde_json::from_slice(payload)
        .map_err(|_| "the function did not return JSON".to_owned())?;
    match (version, &value) {
        (_, Value::Object(answer)) if answer.contains_key("statusCode") => {
            structured_response(version, answer)
        }
        (PayloadVersion::V1, _) => {
            Err("the function returned no statusCode, which format 1.0 needs".to_owned())
        }
        (PayloadVersion::V2, _) => Ok(whole_value_response(&value, payload)),
    }
}

/// Builds the response of format 2.0 to a value without a `statusCode`: the whole value is the body.
fn whole_value_response(value: &Value, payload: &[u8]) -> Response<Bytes> {
    let body = match value {
        Value::String(text) => Bytes::from(text.clone()),
        _ => Bytes::copy_from_slice(payload),
    };
    let mut response = Response::new(body);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn structured_response(
    version: PayloadVersion,
    answer: &Map<String, Value>,
) -> Result<Response<Bytes>, String> {
    let mut response = Response::new(body(answer)?);
    *response.status_mut() = status(&answer["statusCode"])?;
    let headers = response.headers_mut();
    for (name, value) in object(answer, "headers")? {
        check_header_count(headers)?;
        headers.insert(header_name(name)?, header_value(name, value)?);
    }
    if version == PayloadVersion::V1 {
        for (name, values) in object(answer, "multiValueHeaders")? {
            let values = values.as_array();
            let values = values.ok_or_else(|| format!("multiValueHeaders.{name} is not a list"))?;
            headers.remove(header_name(name)?);
            for value in values {
                check_header_count(headers)?;
                headers.append(header_name(name)?, header_value(name, value)?);
            }
        }
    } else {
        cookies(answer, headers)?;
    }
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
    headers
        .entry(header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(match version {
            PayloadVersion::V1 => "application/json",
            PayloadVersion::V2 => "text/plain;charset=UTF-8",
        }));
    Ok(response)
}

fn status(value: &Value) -> Result<StatusCode, String> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|number| u16::try_from(number).ok()),
    };
    number
        .filter(|number| (200..600).contains(number))
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or_else(|| "statusCode is not a status from 200 to 599".to_owned())
}

fn body(answer: &Map<String, Value>) -> Result<Bytes, String> {
    let text = match answer.get("body") {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err("body is not a string".to_owned()),
    };
    match answer.get("isBase64Encoded") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(text.clone().into()),
        Some(Value::Bool(true)) => {
            let decoded = STANDARD.decode(text);
            let decoded =
                decoded.map_err(|_| "body is not base64, although isBase64Encoded is true")?;
            Ok(decoded.into())
        }
        Some(_) => Err("isBase64Encoded is not a boolean".to_owned()),
    }
}

fn cookies(answer: &Map<String, Value>, headers: &mut HeaderMap) -> Result<(), String> {
    let cookies = match answer.get("cookies") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(cookies)) => cookies,
        Some(_) => return Err("cookies is not a list".to_owned()),
    };
    for cookie in cookies {
        check_header_count(headers)?;
        headers.append(header::SET_COOKIE, header_value("cookies", cookie)?);
    }
    Ok(())
}

/// Returns the entries of an optional object.
fn object<'a>(
    answer: &'a Map<String, Value>,
    key: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    match answer.get(key) {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(entries)) => Ok(Some(entries).into_iter().flatten()),
        Some(_) => Err(format!("{key} is not an object")),
    }
}

/// Maximum number of headers in a response. [`HeaderMap`] panics over 32,768.
const MAX_HEADERS: usize = 1_000;

fn check_header_count(headers: &HeaderMap) -> Result<(), String> {
    match headers.len() {
        0..MAX_HEADERS => Ok(()),
        _ => Err(format!("the response has over {MAX_HEADERS} headers")),
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    name.parse()
        .map_err(|_| format!("{name:?} is not a header name"))
}

fn header_value(name: &str, value: &Value) -> Result<HeaderValue, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(format!("the value of {name} is not a string")),
    };
    HeaderValue::from_str(&text)
        .map_err(|_| format!("the value of {name} is not valid in a header"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn v2(answer: &Value) -> Result<Response<Bytes>, String> {
        interpret(PayloadVersion::V2, answer.to_string().as_bytes())
    }

    #[test]
    fn format_2_uses_a_value_without_a_status_as_the_body() {
        for (answer, body) in [
            (json!("Hello from Lambda!"), "Hello from Lambda!"),
            (json!({"message": "Hello"}), r#"{"message":"Hello"}"#),
            (json!([1]), "[1]"),
            (json!(null), "null"),
        ] {
            let response = v2(&answer).unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.body(), body);
        }
    }

    #[test]
    fn format_1_requires_a_status() {
        let error = interpret(PayloadVersion::V1, b"{\"message\":\"x\"}").unwrap_err();
        assert_eq!(
            error,
            "the function returned no statusCode, which format 1.0 needs"
        );
    }

    #[test]
    fn a_structured_value_sets_status_headers_cookies_and_bytes() {
        let response = v2(&json!({
            "statusCode": "201",
            "headers": {"X-Number": 7, "Content-Length": "999", "Connection": "close"},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": STANDARD.encode([0, 159, 146, 150]),
            "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-number"], "7");
        assert!(!response.headers().contains_key("content-length"));
        assert!(!response.headers().contains_key("connection"));
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2"]);
        assert_eq!(response.body().as_ref(), [0, 159, 146, 150]);
        assert_eq!(
            response.headers()["content-type"],
            "text/plain;charset=UTF-8"
        );
    }

    #[test]
    fn format_1_supports_headers_with_several_values() {
        let answer = json!({
            "statusCode": 200,
            "headers": {"set-cookie": "a=0"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        });
        let response = interpret(PayloadVersion::V1, answer.to_string().as_bytes()).unwrap();
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    }

    #[test]
    fn errors_of_malformed_values_do_not_quote_them() {
        for (answer, expected) in [
            (
                json!({"statusCode": 99}),
                "statusCode is not a status from 200 to 599",
            ),
            (
                json!({"statusCode": 101}),
                "statusCode is not a status from 200 to 599",
            ),
            (
                json!({"statusCode": "ok"}),
                "statusCode is not a status from 200 to 599",
            ),
            (
                json!({"statusCode": 200, "body": {"a": 1}}),
                "body is not a string",
            ),
            (
                json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
                "body is not base64, although isBase64Encoded is true",
            ),
            (
                json!({"statusCode": 200, "headers": ["a"]}),
                "headers is not an object",
            ),
            (
                json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
                "the value of a is not valid in a header",
            ),
            (
                json!({"statusCode": 200, "cookies": "a=1"}),
                "cookies is not a list",
            ),
        ] {
            assert_eq!(v2(&answer).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_response_has_at_most_a_thousand_headers() {
        let headers: Map<String, Value> =
            (0..40_000).map(|n| (format!("x-{n}"), json!(n))).collect();
        let problem = v2(&json!({"statusCode": 200, "headers": headers})).unwrap_err();
        assert_eq!(problem, "the response has over 1000 headers");
        let cookies = |count: usize| v2(&json!({"statusCode": 200, "cookies": vec!["a=1"; count]}));
        cookies(1_000).unwrap();
        cookies(1_001).unwrap_err();
    }

    proptest! {
        #[test]
        fn interpreting_never_panics(payload in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = interpret(PayloadVersion::V1, &payload);
            let _ = interpret(PayloadVersion::V2, &payload);
        }
    }
}
