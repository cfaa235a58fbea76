//! Lambda functions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    AsyncInvokeSpec, DeadLetterSpec, Duration, EventSourceSpec, Expression, LogRetentionSpec,
    ScheduleEntrySpec, TableAction, VpcSpec, value::Raw,
};

/// Lambda function: a cargo binary or a zip file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Function")]
pub struct FunctionSpec {
    /// Name of the cargo binary, which `stackgen build` writes to `target/lambda/{binary}/bootstrap.zip`.
    #[schemars(extend("format" = "cargo-binary"))]
    pub binary: Option<String>,
    /// Path of a zip file with the code, relative to this file. Use it instead of `binary`.
    #[schemars(extend("format" = "relative-path"))]
    pub zip: Option<String>,
    /// Description of the function.
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// Runtime of a zip file. A binary runs on `provided.al2023`.
    pub runtime: Option<String>,
    /// Handler of a zip file. A binary has none.
    pub handler: Option<String>,
    /// Processor architecture. Default `arm64`.
    pub architecture: Option<Architecture>,
    /// Memory in MB. Default 128.
    #[schemars(range(min = 128, max = 10240))]
    pub memory: Option<u32>,
    /// Timeout, 1 s to 900 s. Default `3s`.
    pub timeout: Option<Duration>,
    /// Environment variables. Names that Lambda reserves are refused. stackgen sets `{TABLE}_TABLE` for each table
    /// under `tables`, `MANAGEMENT_ENDPOINT` for `manageConnections`, `{FUNCTION}_FUNCTION` for each other function
    /// under `invoke`, and `AUTHORIZER_CALLERS` for the WebSocket API's authorizer.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "environment-variable"}))]
    pub environment: BTreeMap<String, Expression>,
    /// Tables that the function can access, each with the allowed actions.
    #[serde(default)]
    pub tables: BTreeMap<String, BTreeSet<TableAction>>,
    /// Methods of the management API that the function can call on connections of this stack's WebSocket API and stage:
    /// `POST` sends, `DELETE` closes, `GET` returns details.
    #[serde(default)]
    pub manage_connections: BTreeSet<ConnectionMethod>,
    /// Functions of this stack that the function can invoke, including itself if listed.
    #[serde(default)]
    pub invoke: BTreeSet<String>,
    /// Schedule on which EventBridge Scheduler invokes the function: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`, or a
    /// mapping with a time zone.
    pub schedule: Option<ScheduleEntrySpec>,
    /// Retries, maximum age and destination of asynchronous invocations, such as those of a schedule.
    pub async_invoke: Option<AsyncInvokeSpec>,
    /// Target of events of asynchronous invocations that failed. `asyncInvoke.onFailure` also has the reason.
    pub dead_letter: Option<DeadLetterSpec>,
    /// Queues and tables whose messages and changes invoke the function.
    #[serde(default)]
    pub event_sources: Vec<EventSourceSpec>,
    /// VPC that the function is attached to.
    pub vpc: Option<VpcSpec>,
    /// ARNs of layer versions, at most five.
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub layers: Vec<Expression>,
    /// Size of `/tmp` in MB. Default 512.
    #[schemars(range(min = 512, max = 10240))]
    pub ephemeral_storage: Option<u32>,
    /// ARN of the KMS key that encrypts the environment variables. Default: the file's `encryptionKey`, otherwise a key of AWS.
    pub kms_key_arn: Option<Expression>,
    /// Additional statements of the role's policy, in IAM's syntax.
    #[serde(default)]
    pub policy_statements: Vec<Raw>,
    /// Log group of the function.
    #[serde(default)]
    pub logs: LogRetentionSpec,
    /// Reserved concurrency: concurrent executions that the account reserves for the function.
    #[schemars(range(min = 0))]
    pub reserved_concurrency: Option<u32>,
    /// Enables AWS X-Ray tracing.
    #[serde(default)]
    pub tracing: bool,
}

impl FunctionSpec {
    /// Returns the timeout, or its default.
    pub(crate) fn timeout(&self) -> Duration {
        const DEFAULT: Duration = Duration::from_millis(3_000);
        self.timeout.unwrap_or(DEFAULT)
    }
}

/// Defaults for every function. A function can override them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "the fields are merged into each function before types are read"
)]
#[schemars(rename = "FunctionDefaults")]
pub struct FunctionDefaultsSpec {
    /// Runtime of zip files.
    runtime: Option<String>,
    /// Processor architecture. Default `arm64`.
    architecture: Option<Architecture>,
    /// Memory in MB. Default 128.
    #[schemars(range(min = 128, max = 10240))]
    memory: Option<u32>,
    /// Timeout, 1 s to 900 s. Default `3s`.
    timeout: Option<Duration>,
    /// Environment variables.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "environment-variable"}))]
    environment: BTreeMap<String, Expression>,
    /// Target of events of asynchronous invocations that failed.
    dead_letter: Option<DeadLetterSpec>,
    /// VPC that the functions are attached to.
    vpc: Option<VpcSpec>,
    /// ARNs of layer versions, at most five.
    #[serde(default)]
    #[schemars(length(max = 5))]
    layers: Vec<Expression>,
    /// Size of `/tmp` in MB. Default 512.
    #[schemars(range(min = 512, max = 10240))]
    ephemeral_storage: Option<u32>,
    /// ARN of the KMS key that encrypts the environment variables.
    kms_key_arn: Option<Expression>,
    /// Reserved concurrency of each function.
    #[schemars(range(min = 0))]
    reserved_concurrency: Option<u32>,
    /// Log groups of the functions.
    #[serde(default)]
    logs: LogRetentionSpec,
    /// Enables AWS X-Ray tracing.
    #[serde(default)]
    tracing: bool,
}

/// Processor architecture.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// AWS Graviton.
    #[default]
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Architecture {
    /// Returns Lambda's name of the architecture.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::Arm64 => "arm64",
            Architecture::X86_64 => "x86_64",
        }
    }
}

/// Method of the management API (`@connections`).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "HttpMethod")]
pub enum ConnectionMethod {
    /// Closes a connection.
    Delete,
    /// Returns details of a connection.
    Get,
    /// Sends a message to a connection.
    Post,
}

impl ConnectionMethod {
    /// Returns the name as IAM resource ARNs contain it.
    pub fn name(self) -> &'static str {
        match self {
            ConnectionMethod::Delete => "DELETE",
            ConnectionMethod::Get => "GET",
            ConnectionMethod::Post => "POST",
        }
    }
}
