//! Types of stackgen.yaml. The JSON Schema is generated from them, their doc comments are its descriptions, and the
//! file is checked against that schema.

mod access;
mod alarms;
mod api;
mod function;
mod http;
mod invocation;
mod load;
mod route;
mod table;
mod value;
mod verify;
mod websocket;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use access::{
    DeadLetterSpec, EncryptionKeySpec, EventSourceSpec, QueueSpec, RedriveSpec, VpcSpec,
};
pub use alarms::{AlarmSpec, AlarmsSpec, MetricAlarmSpec, MetricStatistic};
pub use api::{AccessLogsSpec, DomainSpec, LogLevel, LogRetentionSpec, StageSpec, ThrottlingSpec};
pub use function::{Architecture, FunctionDefaultsSpec, FunctionSpec};
pub use http::{Auth, CorsSpec, HttpAuthorizerSpec, HttpRouteSpec, HttpSpec};
pub use invocation::{
    AsyncInvokeSpec, DestinationSpec, FailureDestination, ScheduleEntrySpec, ScheduleSpec,
};
pub use load::LoadSpec;
pub use route::{
    ContentHandling, MockSpec, Passthrough, RouteBackend, RouteEntrySpec, RouteSpec, ServiceSpec,
};
pub use table::{
    Encryption, IndexSpec, KeySpec, ProjectionSpec, Removal, StreamView, TableAction, TableSpec,
};
pub(crate) use value::DURATION_FORMAT;
pub use value::{Duration, Expression, Raw, Retention};
pub(crate) use verify::VERIFY_VALUE_FORMAT;
pub use verify::{VerifyApi, VerifyCallerSpec, VerifyValue, VerifyValueError};
pub use websocket::{AuthorizerSpec, Callers, WebSocketSpec};

/// A stack: WebSocket API, HTTP API, functions and tables, for one or more environments.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "stackgen.yaml")]
pub struct Spec {
    /// Name of the stack: letters, digits and hyphens, beginning with a letter.
    #[schemars(extend("format" = "stack-name"))]
    pub name: String,
    /// Versions of stackgen that can read this file, as in a Cargo.toml: `>=0.1`.
    #[schemars(extend("format" = "stackgen-version"))]
    pub requires: Option<String>,
    /// ID of the AWS account that the stack belongs to, in quotes. Commands refuse to work on the stack in another account.
    #[schemars(extend("format" = "account-id"))]
    pub account: Option<String>,
    /// Region that the stack belongs to. Commands use it unless another source sets a region, and refuse to work on the
    /// stack in another region.
    #[schemars(extend("format" = "region"))]
    pub region: Option<String>,
    /// Description of the template.
    pub description: Option<String>,
    /// Target of integrations and authorizers: functions (`live`) or published versions of them (`pinned`). Default:
    /// `live` for development environments (`dev`, `dev-…`, `development`, `local`), `pinned` for all others.
    pub release: Option<ReleaseSpec>,
    /// Tags for every resource that supports tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Parameters of the template, in CloudFormation's syntax: `Type`, `Default`, `Description` and so on.
    #[serde(default)]
    pub parameters: Raw,
    /// Conditions of the template, in CloudFormation's syntax.
    #[serde(default)]
    pub conditions: Raw,
    /// Mappings of the template, in CloudFormation's syntax.
    #[serde(default)]
    pub mappings: Raw,
    /// Additional resources, in CloudFormation's syntax. A logical ID that stackgen uses itself is refused.
    #[serde(default)]
    pub resources: Raw,
    /// Additional outputs, in CloudFormation's syntax.
    #[serde(default)]
    pub outputs: Raw,
    /// Defaults for every function. A function can override them.
    pub function_defaults: Option<FunctionDefaultsSpec>,
    /// Lambda functions by name. A function is named `{name}-{env}`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "function-name"}))]
    pub functions: BTreeMap<String, FunctionSpec>,
    /// DynamoDB tables by name. A table is named `{name}-{env}`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "table-name"}))]
    pub tables: BTreeMap<String, TableSpec>,
    /// SQS queues by name. A queue is named `{name}-{env}`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "queue-name"}))]
    pub queues: BTreeMap<String, QueueSpec>,
    /// KMS key that encrypts log groups, tables, queues and the environment variables of functions: `create`, or the ARN of a
    /// key. Their own keys take precedence. Default: keys of AWS.
    pub encryption_key: Option<EncryptionKeySpec>,
    /// The WebSocket API.
    pub websocket: Option<WebSocketSpec>,
    /// The HTTP API.
    pub http: Option<HttpSpec>,
    /// CloudWatch alarms. Only the listed alarms are created.
    pub alarms: Option<AlarmsSpec>,
    /// Creates a CloudWatch dashboard for the APIs, functions and tables.
    #[serde(default)]
    pub dashboard: bool,
    /// Creates the role that API Gateway uses to write to CloudWatch Logs, and sets it for the **whole account and
    /// region**. Without it, a stack with logs has an output that names the role as a prerequisite.
    #[serde(default)]
    pub api_gateway_cloud_watch_role: bool,
    /// Folder of the stack's web page, relative to this file. `stackgen dev` serves it, and fills in the addresses in its
    /// `config.json`. It renders nothing.
    #[schemars(extend("format" = "relative-path"))]
    pub page: Option<String>,
    /// Load that the stack is made for, for `stackgen cost` and the linter.
    pub load: Option<LoadSpec>,
    /// Callers, by name, that verify a deployment after a stage moved to it. They render nothing.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "verify-caller-name"}))]
    pub verify: BTreeMap<String, VerifyCallerSpec>,
    /// Environments by name. Each contains its differences: any part of this file, merged over the rest. A mapping is
    /// merged, a list or another value replaces the old value, and `null` removes it.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "environment-name"}))]
    pub environments: BTreeMap<String, Raw>,
}

impl Spec {
    /// Returns the authorizer of the WebSocket API.
    pub(crate) fn authorizer(&self) -> Option<&AuthorizerSpec> {
        self.websocket.as_ref()?.authorizer.as_ref()
    }

    /// Returns the release mode of an environment.
    pub(crate) fn release_in(&self, environment: &str) -> ReleaseSpec {
        self.release
            .unwrap_or_else(|| ReleaseSpec::of_environment(environment))
    }
}

/// Target of integrations and authorizers.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Release")]
pub enum ReleaseSpec {
    /// The function. New code is live at once, and API deployments contain only the wiring.
    Live,
    /// A published version. An API deployment contains code and wiring, and a rollback is one `UpdateStage`.
    Pinned,
}

impl ReleaseSpec {
    /// Returns the default release mode of an environment.
    pub fn of_environment(name: &str) -> ReleaseSpec {
        let development =
            matches!(name, "dev" | "development" | "local") || name.starts_with("dev-");
        if development {
            ReleaseSpec::Live
        } else {
            ReleaseSpec::Pinned
        }
    }
}
