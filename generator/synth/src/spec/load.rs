//! The load that a stack is made for.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Duration;

/// Load that the stack is made for. `stackgen cost` computes requests, quotas and prices from it, and the linter reports
/// quotas that it exceeds. It changes nothing but the template's metadata.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Load")]
pub struct LoadSpec {
    /// Route that receives the messages. Default: the first route in alphabetical order that does not begin with `$`, else
    /// `$default`.
    pub route: Option<String>,
    /// Connections that send at the same time, each to listeners of its own. Default 1.
    #[schemars(range(min = 1))]
    pub senders: Option<u32>,
    /// Connections that each message is posted to. Default 0.
    pub listeners: Option<u32>,
    /// Messages that a sender sends per second. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub rate: Option<f64>,
    /// Bytes of a message, at most 131072. Default 1024.
    #[schemars(range(max = 131_072))]
    pub size: Option<u32>,
    /// Hours of this load per month. Default 730, a whole month.
    #[schemars(range(max = 744), extend("exclusiveMinimum" = 0))]
    pub hours: Option<f64>,
    /// Time within which all clients connect. Default `1m`.
    pub join_within: Option<Duration>,
    /// Time that a connection lasts, at most `2h`. Default `1h`.
    pub connection_time: Option<Duration>,
    /// Invocations of the function per message: more than 1 if it shares the posts among several. Default 1.
    #[schemars(range(min = 1))]
    pub invocations: Option<u32>,
    /// Duration of an invocation. Default `100ms`.
    pub duration: Option<Duration>,
    /// Read units of DynamoDB per message. Default: one eventually consistent query of 200 bytes per listener.
    #[schemars(range(min = 0))]
    pub read_units: Option<f64>,
    /// Write units of DynamoDB per message. Default 1.
    #[schemars(range(min = 0))]
    pub write_units: Option<f64>,
    /// Bytes that an invocation writes to its log group. Default 500.
    pub log_bytes: Option<u32>,
    /// True if the function spreads the posts of a message over the time until the next message. Default false: they are
    /// sent at once, and the burst of the account must admit them.
    pub paced: Option<bool>,
}
