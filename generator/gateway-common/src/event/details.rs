//! Details of handshakes and calls. Credentials in them are masked when they are serialized.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::masking::{mask_json, mask_named, mask_tokens};
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
    /// Path of the request.
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
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for pair in &self.0 {
            list.serialize_element(pair)?;
        }
        list.end()
    }
}

impl Serialize for NamedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_map(Some(2))?;
        pair.serialize_entry("name", &self.name)?;
        pair.serialize_entry("value", &mask_named(&self.name, &self.value))?;
        pair.end()
    }
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
