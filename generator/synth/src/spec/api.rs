//! Types that WebSocket and HTTP APIs share.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expression, Retention};

/// Stage of an API.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Stage")]
pub struct StageSpec {
    /// Name of the stage, which is the last part of the URL. Default `prod`; for an HTTP API `$default`, which does not
    /// appear in the URL.
    #[schemars(extend("format" = "stage-name"))]
    pub name: Option<String>,
    /// Limits for the whole stage.
    pub throttling: Option<ThrottlingSpec>,
    /// Access log: one line per connect, message and disconnect, or per HTTP request. For a WebSocket API, it needs the
    /// account's CloudWatch role.
    pub access_logs: Option<AccessLogsSpec>,
    /// Execution log of API Gateway. WebSocket APIs only. It needs the account's CloudWatch role.
    pub execution_logs: Option<ExecutionLogsSpec>,
    /// Enables metrics per route.
    #[serde(default)]
    pub detailed_metrics: bool,
    /// Stage variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// Limits on requests and messages.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Throttling")]
pub struct ThrottlingSpec {
    /// Maximum number of concurrent requests (burst). 0 would refuse every handshake.
    #[schemars(range(min = 1))]
    pub burst_limit: u32,
    /// Maximum number of requests per second. 0 would refuse every handshake.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub rate_limit: f64,
}

/// Access log settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AccessLogs")]
pub struct AccessLogsSpec {
    /// Number of days to keep events. Default 30.
    pub retention_in_days: Option<Retention>,
    /// ARN of the KMS key that encrypts the log group. Its policy must allow CloudWatch Logs. Default: the file's
    /// `encryptionKey`, otherwise a key of AWS.
    pub kms_key_arn: Option<Expression>,
    /// Format of a log line, which must contain `$context.requestId` or `$context.extendedRequestId`. Default: JSON
    /// with the fields that explain a refused request.
    #[schemars(extend("format" = "access-log-format"))]
    pub format: Option<String>,
}

/// Execution log settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ExecutionLogs")]
pub struct ExecutionLogsSpec {
    /// Events to log: errors only, or everything.
    pub level: LogLevel,
    /// Logs full messages. They can contain secrets: use this only in development.
    #[serde(default)]
    pub data_trace: bool,
}

/// Level of the execution log.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Only errors.
    Error,
    /// All events.
    Info,
}

/// Log group settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "LogRetention")]
pub struct LogRetentionSpec {
    /// Number of days to keep events. Default 30.
    pub retention_in_days: Option<Retention>,
    /// ARN of the KMS key that encrypts the log group. Its policy must allow CloudWatch Logs. Default: the file's
    /// `encryptionKey`, otherwise a key of AWS.
    pub kms_key_arn: Option<Expression>,
}

/// Custom domain name of an API: regional, TLS 1.2.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Domain")]
pub struct DomainSpec {
    /// Domain name, such as `ws.example.com`. A WebSocket API cannot share it with HTTP or REST APIs.
    pub name: Expression,
    /// The domain name exists already, for example in another stack. Then only the API mapping is created.
    #[serde(default)]
    pub existing: bool,
    /// ARN of the ACM certificate, in the same region. Required unless the domain name exists.
    pub certificate_arn: Option<Expression>,
    /// ID of the Route 53 hosted zone for the DNS record. Without it, create the record yourself: an output has its
    /// target.
    pub hosted_zone_id: Option<Expression>,
    /// Path under the domain. Default: none.
    pub mapping_key: Option<String>,
    /// Disables the API's `execute-api` endpoint. `MANAGEMENT_ENDPOINT` is then on the domain.
    #[serde(default)]
    pub disable_execute_api_endpoint: bool,
}

impl DomainSpec {
    /// Returns true if an API has a domain and no `execute-api` endpoint.
    pub(crate) fn is_only_endpoint(domain: Option<&DomainSpec>) -> bool {
        domain.is_some_and(|domain| domain.disable_execute_api_endpoint)
    }
}
