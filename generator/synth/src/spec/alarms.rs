//! CloudWatch alarms.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Expression};

/// CloudWatch alarms. Those that are named are made.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alarms {
    /// What an alarm sets off, such as the ARN of an SNS topic.
    #[serde(default)]
    pub actions: Vec<Expression>,
    /// Each function's invocations that failed. None for a function that is the WebSocket API's authorizer and nothing
    /// else: it has to fail to answer 401 (row A6), so anybody with an expired token would set the alarm off.
    pub function_errors: Option<Alarm>,
    /// Each function's invocations that were refused for want of concurrency.
    pub function_throttles: Option<Alarm>,
    /// The WebSocket API's calls to functions that failed.
    pub websocket_integration_errors: Option<Alarm>,
    /// The WebSocket API's own failures.
    pub websocket_execution_errors: Option<Alarm>,
    /// The WebSocket API's refusals.
    pub websocket_client_errors: Option<Alarm>,
    /// The HTTP API's 5xx answers.
    pub http_server_errors: Option<Alarm>,
    /// Each table's requests that were throttled.
    pub table_throttles: Option<Alarm>,
}

/// When an alarm goes off.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alarm {
    /// At how many in a period.
    #[schemars(range(min = 1))]
    pub threshold: u32,
    /// The period: a multiple of 60 s. Default `5m`.
    pub period: Option<Duration>,
    /// In how many periods on end. Default 1.
    #[schemars(range(min = 1))]
    pub evaluation_periods: Option<u32>,
}
