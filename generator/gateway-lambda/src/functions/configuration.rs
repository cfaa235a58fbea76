//! Configuration of functions, which versions store besides the code.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{CodeFolder, FunctionError};

/// Configuration of a function. [`Configuration::default`] has Lambda's defaults; set at least runtime, handler and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// `Description`.
    pub description: String,
    /// `Runtime`: `provided.al2023`, `python3.13`, `nodejs22.x`.
    pub runtime: String,
    /// `Handler`, such as `app.handler`. `provided` runtimes accept any text.
    pub handler: String,
    /// `Role`: ARN by which [`stackgen_gateway_common::RoleStore`] finds the role's permissions.
    pub role: String,
    /// `Timeout`, in whole seconds.
    pub timeout: Duration,
    /// `MemorySize` in MB. The function can read it; the gateway does not enforce it.
    pub memory_size: u32,
    /// `Environment.Variables`.
    pub environment: BTreeMap<String, String>,
    /// `Architectures`: `x86_64` or `arm64`. Not enforced: code runs on this machine's architecture.
    pub architecture: String,
    /// `LoggingConfig.LogGroup` (default: `/aws/lambda/{name}`).
    pub log_group: Option<String>,
    /// `LoggingConfig.LogFormat`.
    pub log_format: LogFormat,
    /// Merged content of the layers.
    pub layers: Option<CodeFolder>,
}

/// Format of Lambda's own log lines. Functions can read it and log in the same format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `START RequestId: …`
    #[default]
    Text,
    /// `{"type":"platform.start",…}`
    Json,
}

impl Default for Configuration {
    fn default() -> Self {
        Configuration {
            description: String::new(),
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
            role: String::new(),
            timeout: Duration::from_secs(3),
            memory_size: 128,
            environment: BTreeMap::new(),
            architecture: "x86_64".to_owned(),
            log_group: None,
            log_format: LogFormat::Text,
            layers: None,
        }
    }
}

impl Configuration {
    /// Returns the log group for a function with this name.
    pub fn log_group(&self, name: &str) -> String {
        let group = self.log_group.clone();
        group.unwrap_or_else(|| format!("/aws/lambda/{name}"))
    }

    /// Checks the limits that Lambda checks.
    pub(crate) fn check(&self) -> Result<(), FunctionError> {
        let seconds = self.timeout.as_secs();
        if !(1..=900).contains(&seconds) || self.timeout.subsec_nanos() > 0 {
            return Err(FunctionError::invalid(format!(
                "Timeout is {:?}: use whole seconds from 1 to 900",
                self.timeout
            )));
        }
        if !(128..=10_240).contains(&self.memory_size) {
            return Err(FunctionError::invalid(format!(
                "MemorySize is {}: use 128 to 10240 MB",
                self.memory_size
            )));
        }
        let reserved: Vec<&str> = self
            .environment
            .keys()
            .map(String::as_str)
            .filter(|name| is_reserved(name))
            .collect();
        if !reserved.is_empty() {
            return Err(FunctionError::invalid(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided contains reserved keys that are currently not supported for modification. Reserved keys used \
                 in this request: {}",
                reserved.join(", ")
            )));
        }
        Ok(())
    }
}

/// Returns true for environment variables that only Lambda may set.
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 13] = [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_RUNTIME_API",
    ];
    RESERVED.contains(&name)
        || (name.starts_with("AWS_LAMBDA_FUNCTION_") || name.starts_with("AWS_LAMBDA_LOG_"))
            && name != "AWS_LAMBDA_LOG_LEVEL"
            && name != "AWS_LAMBDA_LOG_FORMAT"
}
