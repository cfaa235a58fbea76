//! What WebSocket and HTTP APIs share.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expression, Retention};

/// A stage of the API.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The stage's name, which the URL ends in. Default `prod`; for an HTTP API `$default`, which the URL leaves out.
    #[schemars(extend("format" = "stage-name"))]
    pub name: Option<String>,
    /// Limits for the whole stage.
    pub throttling: Option<Throttling>,
    /// A line for every connect, message and disconnect, or every request. Needs the account's CloudWatch role.
    pub access_logs: Option<AccessLogs>,
    /// API Gateway's own log of what it does. WebSocket APIs only. Needs the account's CloudWatch role.
    pub execution_logs: Option<ExecutionLogs>,
    /// Metrics for every route.
    #[serde(default)]
    pub detailed_metrics: bool,
    /// Stage variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// Limits on requests and messages.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttling {
    /// How many may come at once. 0 would refuse every handshake.
    #[schemars(range(min = 1))]
    pub burst_limit: u32,
    /// How many a second. 0 would refuse every handshake.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub rate_limit: f64,
}

/// The access log.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessLogs {
    /// For how long it is kept.
    pub retention_in_days: Option<Retention>,
    /// A format of your own; it must hold `$context.requestId` or `$context.extendedRequestId`. Default: JSON with
    /// what explains a refusal.
    #[schemars(extend("format" = "access-log-format"))]
    pub format: Option<String>,
}

/// The execution log.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecutionLogs {
    /// Errors alone, or everything.
    pub level: LogLevel,
    /// Logs whole messages. They may hold what must not be logged: keep it off outside of development.
    #[serde(default)]
    pub data_trace: bool,
}

/// A level of the execution log.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Errors alone.
    Error,
    /// Everything.
    Info,
}

/// A log group's retention.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogRetention {
    /// For how long events are kept. Default 30.
    pub retention_in_days: Option<Retention>,
}

/// A domain name of your own for the API: regional, TLS 1.2.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Domain {
    /// The name, such as `ws.example.com`. WebSocket APIs cannot share one with HTTP or REST APIs.
    pub name: Expression,
    /// The certificate in ACM, of the same region.
    pub certificate_arn: Expression,
    /// The hosted zone in Route 53 that gets the record. Without it, make the record yourself: the outputs tell the target.
    pub hosted_zone_id: Option<Expression>,
    /// The path under the domain. Default: none.
    pub mapping_key: Option<String>,
    /// Closes the API's own `execute-api` URL. `MANAGEMENT_ENDPOINT` is then the domain as well.
    #[serde(default)]
    pub disable_execute_api_endpoint: bool,
}

impl Domain {
    /// Whether an API answers at its domain alone.
    pub(crate) fn is_only_way_in(domain: Option<&Domain>) -> bool {
        domain.is_some_and(|domain| domain.disable_execute_api_endpoint)
    }
}
