//! Lambda functions, their versions and aliases, and who may call them.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use crate::resource::Resource;
use crate::{FunctionLink, Link, Resolved, Setting, Text};

/// A function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Function {
    /// The resource.
    pub resource: Arc<Resource>,
    /// Its name, if the template gives one.
    pub name: Option<Text>,
    /// `provided.al2023`, `nodejs22.x`, …
    pub runtime: Option<Text>,
    /// Its handler.
    pub handler: Option<Text>,
    /// `x86_64` or `arm64`; Lambda's default is `x86_64`.
    pub architecture: Option<Text>,
    /// Where its code is.
    pub code: Option<Resolved>,
    /// Its environment variables.
    pub environment: Setting<IndexMap<String, Resolved>>,
    /// Seconds; Lambda's default is 3.
    pub timeout_seconds: Setting<i64>,
    /// MiB; Lambda's default is 128.
    pub memory_mib: Setting<i64>,
    /// The role it runs as.
    pub role: Link,
}

/// A published version of a function: its code and configuration, frozen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Version {
    /// The resource.
    pub resource: Arc<Resource>,
    /// Of which function.
    pub function: FunctionLink,
}

/// A name for a version that can be moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alias {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
    /// Of which function.
    pub function: FunctionLink,
    /// The version that it names, if it is one of this template.
    pub version: Link,
}

/// A statement of a function's resource policy: who may call it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Permission {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The function, and the qualifier that the permission is for (row D19).
    pub function: FunctionLink,
    /// `lambda:InvokeFunction`.
    pub action: Option<Text>,
    /// `apigateway.amazonaws.com`.
    pub principal: Option<Text>,
    /// Which caller: `arn:…:execute-api:…:{api}/{stage}/{route}`.
    pub source_arn: Option<Text>,
}

/// As the Lambda Developer Guide lists them among the variables that the runtime defines.
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// Whether Lambda sets an environment variable of that name itself, and refuses a function that sets it.
pub fn is_reserved_variable(name: &str) -> bool {
    RESERVED.contains(&name)
}
