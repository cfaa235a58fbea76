//! Callers that verify a stage.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

/// The `format` of a [`VerifyValue`] in the JSON Schema.
pub(crate) const VERIFY_VALUE_FORMAT: &str = "verify-value";

/// Caller that `stackgen deploy` and `stackgen deployments` verify a stage as. It renders nothing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "VerifyCaller")]
pub struct VerifyCallerSpec {
    /// The API to call. Default `websocket`.
    #[serde(default)]
    pub api: VerifyApi,
    /// Query parameters.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "query-parameter-name"}))]
    pub query: BTreeMap<String, VerifyValue>,
    /// Headers of the handshake or the request.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "client-header-name"}))]
    pub headers: BTreeMap<String, VerifyValue>,
    /// Subprotocols to offer, in this order. WebSocket API only.
    #[serde(default)]
    pub subprotocols: Vec<VerifyValue>,
    /// Message to send after the connection opens. WebSocket API only.
    pub send: Option<String>,
    /// Message that must arrive: a JSON object or array that it must contain, or a part of its text, as with `stackgen
    /// probe --expect`. WebSocket API only.
    #[schemars(length(min = 1))]
    pub expect: Option<String>,
    /// Method of the request. Default `GET`. HTTP API only.
    #[schemars(extend("format" = "http-method"))]
    pub method: Option<String>,
    /// Path of the request, without the stage. Default `/`. HTTP API only.
    #[schemars(extend("format" = "http-path"))]
    pub path: Option<String>,
    /// Expected status. Default 101 for the WebSocket API, 200 for the HTTP API.
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
}

impl VerifyCallerSpec {
    /// Returns the expected status.
    pub fn expected_status(&self) -> u16 {
        self.status.unwrap_or(match self.api {
            VerifyApi::WebSocket => 101,
            VerifyApi::Http => 200,
        })
    }

    /// Returns the method of a request to the HTTP API.
    pub fn method(&self) -> &str {
        self.method.as_deref().unwrap_or("GET")
    }

    /// Returns the path of a request to the HTTP API, without the stage.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }
}

/// API that a caller calls.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum VerifyApi {
    /// The WebSocket API: a handshake, then messages.
    #[default]
    WebSocket,
    /// The HTTP API: one request.
    Http,
}

impl VerifyApi {
    /// Returns the value in stackgen.yaml, which is also the name of the API's section.
    pub fn name(self) -> &'static str {
        match self {
            VerifyApi::WebSocket => "websocket",
            VerifyApi::Http => "http",
        }
    }
}

/// Value that a caller sends, or its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyValue {
    /// `env:NAME`: the value of an environment variable.
    Environment(String),
    /// `command:LINE`: the output of a command that runs with `sh -c` in the folder of the stackgen.yaml.
    Command(String),
    /// `text:VALUE`: the value itself, which is not secret.
    Text(String),
}

/// Error of a string that is not a [`VerifyValue`]. It does not repeat the string, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyValueError {
    /// The string has none of the three prefixes.
    #[error("a value must begin with `env:`, `command:` or `text:`")]
    UnknownForm,
    /// The name after `env:` is not a valid name of an environment variable.
    #[error("`env:` needs the name of an environment variable")]
    VariableName,
    /// There is no command after `command:`.
    #[error("`command:` needs a command line")]
    NoCommand,
    /// The string has a line break or another control character.
    #[error("a value cannot contain line breaks or other control characters")]
    ControlCharacter,
}

impl VerifyValue {
    /// Parses `env:NAME`, `command:LINE` or `text:VALUE`.
    ///
    /// # Errors
    ///
    /// Returns an error if the string has none of these forms.
    pub fn parse(text: &str) -> Result<Self, VerifyValueError> {
        if text.contains(char::is_control) {
            return Err(VerifyValueError::ControlCharacter);
        }
        match text.split_once(':') {
            Some(("env", name)) if is_variable_name(name) => {
                Ok(VerifyValue::Environment(name.to_owned()))
            }
            Some(("env", _)) => Err(VerifyValueError::VariableName),
            Some(("command", line)) if line.trim().is_empty() => Err(VerifyValueError::NoCommand),
            Some(("command", line)) => Ok(VerifyValue::Command(line.to_owned())),
            Some(("text", value)) => Ok(VerifyValue::Text(value.to_owned())),
            _ => Err(VerifyValueError::UnknownForm),
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl<'de> Deserialize<'de> for VerifyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        VerifyValue::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for VerifyValue {
    fn schema_name() -> Cow<'static, str> {
        "VerifyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "`env:NAME` for an environment variable, `command:LINE` for the output of a command (run with \
                            `sh -c` in this file's folder), `text:VALUE` for a value that is not secret.",
            "format": VERIFY_VALUE_FORMAT,
            "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|command:.*\\S.*|text:.*)$"
        })
    }
}
