//! Details of handshakes and calls. Credentials in them are masked when they are serialized.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::masking::{is_protocol, mask_json, mask_named, mask_tokens};
use super::millis;
use crate::DeploymentId;

/// Request, authorizer and `$connect` of a handshake.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandshakeDetails {
    /// Request ID, which the answer carries as `x-amzn-RequestId`.
    pub request_id: String,
    /// Deployment that the stage served.
    #[schemars(with = "Option<String>")]
    pub deployment: Option<DeploymentId>,
    /// Path of the request, with masked tokens.
    #[serde(serialize_with = "without_tokens")]
    pub path: String,
    /// Query parameters, with masked credentials.
    pub query: NamedValues,
    /// Headers, with masked credentials.
    pub headers: NamedValues,
    /// Client's IP address.
    pub source_ip: String,
    /// Authorizer, if it was called.
    pub authorizer: Option<AuthorizerCall>,
    /// Function of `$connect`, if it was called.
    pub connect: Option<FunctionCall>,
}

/// Call of an authorizer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerCall {
    /// Function name, with the qualifier if there is one.
    pub function: String,
    /// Version that ran: `$LATEST` or a number.
    pub version: Option<String>,
    /// Event that the function received, with masked credentials.
    pub event: JsonText,
    /// Output of the function: `policyDocument`, `context` and `principalId`, or its error.
    pub output: Option<JsonText>,
    /// Time from the call to the output.
    #[serde(rename = "tookMillis", serialize_with = "millis")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Call of a route's function.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FunctionCall {
    /// Function name, with the qualifier if there is one.
    pub function: String,
    /// Version that ran: `$LATEST` or a number.
    pub version: String,
    /// Lambda's request ID.
    pub request_id: String,
    /// True if the function failed.
    pub failed: bool,
    /// Duration of the invocation, without the start of a process.
    #[serde(rename = "durationMillis", serialize_with = "millis")]
    #[schemars(with = "f64")]
    pub duration: Duration,
}

/// Names and values of a request, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedValues(pub Vec<NamedValue>);

/// A header or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// Name.
    pub name: String,
    /// Value, which may be a credential.
    pub value: String,
}

/// JSON as a function got or returned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(pub Bytes);

/// Text of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameText(Bytes);

impl HandshakeDetails {
    pub(super) fn weight(&self) -> usize {
        let pairs = self.query.0.iter().chain(&self.headers.0);
        let pairs = pairs.map(|pair| pair.name.len() + pair.value.len() + 64);
        let authorizer = self.authorizer.as_ref().map_or(0, |call| {
            call.event.0.len() + call.output.as_ref().map_or(0, |output| output.0.len())
        });
        self.path.len() + pairs.sum::<usize>() + authorizer
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for NamedValues {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| NamedValue {
            name: name.into(),
            value: value.into(),
        });
        NamedValues(pairs.collect())
    }
}

impl FrameText {
    /// Copies a text, so that it does not keep the buffer of a socket.
    pub fn copy(text: &str) -> Self {
        FrameText(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// Takes the bytes of a text.
    pub fn new(text: Bytes) -> Self {
        FrameText(text)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Serialize for FrameText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = String::from_utf8_lossy(&self.0);
        serializer.serialize_str(&mask_tokens(&text))
    }
}

/// A function may return anything: what is not JSON is shown as text.
impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_slice::<Value>(&self.0) {
            Ok(mut value) => {
                mask_json(&mut value);
                value.serialize(serializer)
            }
            Err(_) => serializer.serialize_str(&mask_tokens(&String::from_utf8_lossy(&self.0))),
        }
    }
}

impl Serialize for NamedValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// A pair as it may be shown.
        #[derive(Serialize)]
        struct MaskedPair<'a> {
            name: Cow<'a, str>,
            value: Cow<'a, str>,
        }
        let mut has_protocol = false;
        let masked = self.0.iter().map(|NamedValue { name, value }| {
            let is_later = is_protocol(name) && std::mem::replace(&mut has_protocol, true);
            MaskedPair {
                name: mask_tokens(name),
                value: mask_named(name, value, !is_later),
            }
        });
        serializer.collect_seq(masked)
    }
}

/// Serializes a text in which tokens are masked.
pub(super) fn without_tokens<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&mask_tokens(text))
}

/// Types that are serialized by hand have the schema of what they become.
macro_rules! schema_of {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

schema_of!(FrameText, "FrameText", {
    "description": "Text of a frame. JSON Web Tokens in it are masked as `****`.",
    "type": "string",
});
schema_of!(JsonText, "JsonText", {
    "description": "JSON as a function got or returned it. Credentials in it are masked as `****`.",
});
schema_of!(NamedValues, "NamedValues", {
    "description": "Names and values, in the order of the request. Credentials are masked as `****`.",
    "type": "array",
    "items": {
        "type": "object",
        "properties": { "name": { "type": "string" }, "value": { "type": "string" } },
        "required": ["name", "value"],
        "additionalProperties": false,
    },
});

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_shows_no_credentials() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
        let details = HandshakeDetails {
            path: format!("/prod/{token}"),
            query: NamedValues::from_iter([(token, ""), ("ticket", "abc"), ("room", "1")]),
            headers: NamedValues::from_iter([
                ("Sec-WebSocket-Protocol", "bearer"),
                ("sec-websocket-protocol", "abc"),
            ]),
            ..HandshakeDetails::default()
        };
        let shown = serde_json::to_value(&details).unwrap();
        assert_eq!(shown["path"], "/prod/****");
        let pair = |name, value| json!({ "name": name, "value": value });
        let query = [pair("****", ""), pair("ticket", "****"), pair("room", "1")];
        assert_eq!(shown["query"], json!(query));
        let headers = [
            pair("Sec-WebSocket-Protocol", "bearer"),
            pair("sec-websocket-protocol", "****"),
        ];
        assert_eq!(shown["headers"], json!(headers));
    }
}
