//! CloudWatch alarms.

use std::collections::BTreeMap;

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
    /// Alarms on metrics that functions publish, by name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "alarm-name"}))]
    pub metrics: BTreeMap<String, MetricAlarmSpec>,
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

/// Alarm on a metric that a function publishes, for example in the embedded metric format.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "MetricAlarm")]
pub struct MetricAlarmSpec {
    /// Namespace of the metric.
    #[schemars(extend("format" = "metric-namespace"))]
    pub namespace: String,
    /// Name of the metric.
    #[schemars(length(min = 1, max = 255))]
    pub metric: String,
    /// Function of this file whose name is the value of the dimension `FunctionName`.
    pub function: Option<String>,
    /// Other dimensions. An alarm matches only a metric with exactly its dimensions.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "metric-dimension"}))]
    pub dimensions: BTreeMap<String, Expression>,
    /// Description of the alarm.
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Statistic that is compared with the threshold. Default `sum`.
    #[serde(default)]
    pub statistic: MetricStatistic,
    /// Value from which a period counts as breaching.
    pub threshold: f64,
    /// Length of a period, a multiple of 60 s. Default `5m`.
    pub period: Option<Duration>,
    /// Number of consecutive periods that must reach the threshold. Default 1.
    #[schemars(range(min = 1))]
    pub evaluation_periods: Option<u32>,
}

/// Statistic of a metric in a period.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum MetricStatistic {
    /// Sum of the values.
    #[default]
    Sum,
    /// Average of the values.
    Average,
    /// Largest value.
    Maximum,
    /// Smallest value.
    Minimum,
    /// Number of values.
    SampleCount,
}

impl MetricStatistic {
    /// Returns CloudWatch's name of the statistic.
    pub fn name(self) -> &'static str {
        match self {
            MetricStatistic::Sum => "Sum",
            MetricStatistic::Average => "Average",
            MetricStatistic::Maximum => "Maximum",
            MetricStatistic::Minimum => "Minimum",
            MetricStatistic::SampleCount => "SampleCount",
        }
    }
}
