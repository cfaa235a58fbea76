//! Values with a form of their own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use stackgen_cfn::{Node, json};

/// The `format` of a [`Duration`] in the JSON Schema.
pub(crate) const DURATION_FORMAT: &str = "duration-with-unit";

/// A length of time: `500ms`, `5s`, `10m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    millis: u64,
}

impl Duration {
    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Duration { millis }
    }

    /// In milliseconds.
    pub fn millis(self) -> u64 {
        self.millis
    }

    /// In whole seconds, if it is.
    pub fn seconds(self) -> Option<u64> {
        self.millis
            .is_multiple_of(1000)
            .then_some(self.millis / 1000)
    }

    /// Reads `500ms`, `5s`, `10m` or `1h`.
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
        Duration::parse(&text).ok_or_else(|| de::Error::custom("not a length of time"))
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time with its unit: `500ms`, `5s`, `10m`, `1h`.",
            "format": DURATION_FORMAT,
            "pattern": "^[0-9]+(ms|s|m|h)$"
        })
    }
}

/// A scalar, or an intrinsic function that CloudFormation turns into one: `!Ref JwtIssuer`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(pub Node);

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(deserializer)?;
        // The order of a mapping's keys means nothing, in `!Sub [text, variables]` either.
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
            "description": "A value, or an intrinsic function of CloudFormation such as `!Ref JwtIssuer`.",
            "x-intrinsics": true
        })
    }
}

/// A mapping in CloudFormation's own words, taken into the template as it stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Raw(pub serde_json::Value);

impl JsonSchema for Raw {
    fn schema_name() -> Cow<'static, str> {
        "Raw".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "CloudFormation, as it stands.",
            "x-raw": true
        })
    }
}

/// For how many days CloudWatch Logs keeps events.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Retention(pub u32);

/// The numbers of days that CloudWatch Logs offers.
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
            "description": "For how many days events are kept; one of the numbers that CloudWatch Logs offers.",
            "enum": RETENTION_DAYS
        })
    }
}
