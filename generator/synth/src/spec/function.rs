//! Lambda functions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Expression, LogRetention, TableAction, value::Raw};

/// A Lambda function: a cargo binary, or a zip file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Function {
    /// The cargo binary that is the function, as `cargo lambda build` places it: `target/lambda/{binary}/bootstrap`.
    #[schemars(extend("format" = "cargo-binary"))]
    pub binary: Option<String>,
    /// A zip file with the code, relative to this file, in place of `binary`.
    #[schemars(extend("format" = "relative-path"))]
    pub zip: Option<String>,
    /// What the function does.
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// The runtime of a zip file; a binary runs on `provided.al2023`.
    pub runtime: Option<String>,
    /// The handler of a zip file; a binary is its own.
    pub handler: Option<String>,
    /// The processor. Default `arm64`.
    pub architecture: Option<Architecture>,
    /// Memory in MB. Default 128.
    #[schemars(range(min = 128, max = 10240))]
    pub memory: Option<u32>,
    /// When Lambda gives up, 1 s to 900 s. Default `3s`.
    pub timeout: Option<Duration>,
    /// Environment variables. Names that Lambda reserves are refused. A function with access to a table gets its
    /// name as `{TABLE}_TABLE`, one that manages connections gets `MANAGEMENT_ENDPOINT`, one that invokes another
    /// function gets `{FUNCTION}_FUNCTION`, and the WebSocket API's authorizer gets `AUTHORIZER_CALLERS`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "environment-variable"}))]
    pub environment: BTreeMap<String, Expression>,
    /// The tables it may use, and exactly how.
    #[serde(default)]
    pub tables: BTreeMap<String, BTreeSet<TableAction>>,
    /// What it may do to connections of this stack's WebSocket API and stage: `POST` sends, `DELETE` closes, `GET` looks.
    #[serde(default)]
    pub manage_connections: BTreeSet<HttpMethod>,
    /// The functions of this stack that it may invoke, itself among them if it is named.
    #[serde(default)]
    pub invoke: BTreeSet<String>,
    /// Further statements of its role's policy, as IAM writes them.
    #[serde(default)]
    pub policy_statements: Vec<Raw>,
    /// Its log group.
    #[serde(default)]
    pub logs: LogRetention,
    /// How many of it may run at once, of the account's share.
    #[schemars(range(min = 0))]
    pub reserved_concurrency: Option<u32>,
    /// Traces by AWS X-Ray.
    #[serde(default)]
    pub tracing: bool,
}

/// What holds for every function unless the function says otherwise.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "the fields are merged into each function before types are read"
)]
pub struct FunctionDefaults {
    /// The runtime of zip files.
    runtime: Option<String>,
    /// The processor. Default `arm64`.
    architecture: Option<Architecture>,
    /// Memory in MB. Default 128.
    #[schemars(range(min = 128, max = 10240))]
    memory: Option<u32>,
    /// When Lambda gives up, 1 s to 900 s. Default `3s`.
    timeout: Option<Duration>,
    /// Environment variables.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "environment-variable"}))]
    environment: BTreeMap<String, Expression>,
    /// Their log groups.
    #[serde(default)]
    logs: LogRetention,
    /// Traces by AWS X-Ray.
    #[serde(default)]
    tracing: bool,
}

/// A processor architecture, as Lambda names it.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
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
    /// Lambda's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::Arm64 => "arm64",
            Architecture::X86_64 => "x86_64",
        }
    }
}

/// A method of the @connections API.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Closes a connection.
    Delete,
    /// Looks at a connection.
    Get,
    /// Sends to a connection.
    Post,
}

impl HttpMethod {
    /// As IAM's resource names spell it.
    pub fn name(self) -> &'static str {
        match self {
            HttpMethod::Delete => "DELETE",
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        }
    }
}
