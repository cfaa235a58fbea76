//! CloudWatch alarms.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Expression};

/// CloudWatch alarms. Only the listed alarms are created.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Alarms")]
pub struct AlarmsSpec {
    /// Actions of every alarm, such as the ARN of an SNS topic.
    #[serde(default)]
    pub actions: Vec<Expression>,
    /// Failed invocations, per function. A function that is only the WebSocket API's authorizer has no alarm: it must
    /// fail to answer 401 (row A6), so any caller with an expired token would trigger it.
    pub function_errors: Option<AlarmSpec>,
    /// Throttled invocations, per function.
    pub function_throttles: Option<AlarmSpec>,
    /// Failed integrations of the WebSocket API.
    pub websocket_integration_errors: Option<AlarmSpec>,
    /// Internal errors of the WebSocket API.
    pub websocket_execution_errors: Option<AlarmSpec>,
    /// Requests that the WebSocket API refused.
    pub websocket_client_errors: Option<AlarmSpec>,
    /// Responses of the HTTP API with status 5xx.
    pub http_server_errors: Option<AlarmSpec>,
    /// Throttled requests, per table.
    pub table_throttles: Option<AlarmSpec>,
}

/// Condition that triggers an alarm.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Alarm")]
pub struct AlarmSpec {
    /// Minimum number of events in a period.
    #[schemars(range(min = 1))]
    pub threshold: u32,
    /// Length of a period, a multiple of 60 s. Default `5m`.
    pub period: Option<Duration>,
    /// Number of consecutive periods that must reach the threshold. Default 1.
    #[schemars(range(min = 1))]
    pub evaluation_periods: Option<u32>,
}
