//! Types of single values: durations, expressions, raw CloudFormation and retention periods.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use stackgen_cfn::{Node, json};

/// The `format` of a [`Duration`] in the JSON Schema.
pub(crate) const DURATION_FORMAT: &str = "duration-with-unit";

/// Duration: `500ms`, `5s`, `10m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    millis: u64,
}

impl Duration {
    /// Creates a duration from milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Duration { millis }
    }

    /// Returns the duration in milliseconds.
    pub fn millis(self) -> u64 {
        self.millis
    }

    /// Returns the duration in seconds, or `None` if it has a fraction of a second.
    pub fn seconds(self) -> Option<u64> {
        self.millis
            .is_multiple_of(1000)
            .then_some(self.millis / 1000)
    }

    /// Parses `500ms`, `5s`, `10m` or `1h`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let millis = number.parse::<u64>().ok()?.checked_mul(factor)?;
        Some(Duration { millis })
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Duration::parse(&text).ok_or_else(|| de::Error::custom("not a duration"))
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Duration with a unit: `500ms`, `5s`, `10m`, `1h`.",
            "format": DURATION_FORMAT,
            "pattern": "^[0-9]+(ms|s|m|h)$"
        })
    }
}

/// Scalar, or an intrinsic function that returns one: `!Ref JwtIssuer`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(pub Node);

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(deserializer)?;
        // Sorted, because the order of keys must not change the template, in `!Sub [text, variables]` either.
        value.sort_all_objects();
        Ok(Expression(json::from_json(&value)))
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number", "boolean", "object"],
            "description": "A value, or a CloudFormation intrinsic function such as `!Ref JwtIssuer`.",
            "x-intrinsics": true
        })
    }
}

/// Mapping in CloudFormation's syntax, copied to the template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Raw(pub serde_json::Value);

impl Raw {
    /// Returns the value with sorted keys, for a value in which their order has no meaning.
    pub(crate) fn sorted(&self) -> serde_json::Value {
        let mut value = self.0.clone();
        value.sort_all_objects();
        value
    }
}

impl JsonSchema for Raw {
    fn schema_name() -> Cow<'static, str> {
        "Raw".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "CloudFormation syntax, copied to the template.",
            "x-raw": true
        })
    }
}

/// Number of days for which CloudWatch Logs keeps events.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Retention(pub u32);

/// Retention periods that CloudWatch Logs supports, in days.
const RETENTION_DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

impl JsonSchema for Retention {
    fn schema_name() -> Cow<'static, str> {
        "Retention".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "description": "Number of days to keep events: one of the retention periods that CloudWatch Logs supports.",
            "enum": RETENTION_DAYS
        })
    }
}
