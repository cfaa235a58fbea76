//! Lambda functions, their versions, aliases and permissions.

use std::sync::Arc;

use serde::Serialize;

use crate::resource::Resource;
use crate::{FunctionLink, Link, OrderedMap, Resolved, Setting, Text};

/// A function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Function {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name, if the template sets one.
    pub name: Option<Text>,
    /// `provided.al2023`, `nodejs22.x`, …
    pub runtime: Option<Text>,
    /// The handler.
    pub handler: Option<Text>,
    /// `x86_64` or `arm64`. Lambda's default is `x86_64`.
    pub architecture: Option<Text>,
    /// The location of the code.
    pub code: Option<Resolved>,
    /// The environment variables.
    pub environment: Setting<OrderedMap<String, Resolved>>,
    /// Timeout in seconds. Lambda's default is 3.
    pub timeout_seconds: Setting<i64>,
    /// Memory in MiB. Lambda's default is 128.
    pub memory_mib: Setting<i64>,
    /// The execution role.
    pub role: Link,
}

/// A published version of a function: its frozen code and configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Version {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The function.
    pub function: FunctionLink,
}

/// An alias: a movable name for a version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alias {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
    /// The function.
    pub function: FunctionLink,
    /// The version, if it is one of this template.
    pub version: Link,
}

/// A permission: a statement in the resource policy of a function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Permission {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The function, and the qualifier that the permission covers (row D19).
    pub function: FunctionLink,
    /// `lambda:InvokeFunction`.
    pub action: Option<Text>,
    /// `apigateway.amazonaws.com`.
    pub principal: Option<Text>,
    /// The caller: `arn:…:execute-api:…:{api}/{stage}/{route}`.
    pub source_arn: Option<Text>,
}

/// Environment variables that the runtime defines, from the Lambda Developer Guide.
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

/// True if Lambda sets an environment variable of that name itself, and refuses functions that set it.
pub fn is_reserved_variable(name: &str) -> bool {
    RESERVED.contains(&name)
}
