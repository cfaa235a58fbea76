//! Identifiers as types.

use std::fmt;

use serde::Serialize;
use stackgen_model::identifier;

identifier! {
    /// ID of an API: `a1b2c3d4e5`.
    ApiId
}
identifier! {
    /// Name of a stage: `prod`, `$default`.
    StageName
}
identifier! {
    /// ID of a deployment.
    DeploymentId
}
identifier! {
    /// Name of a function, without account, region and qualifier.
    FunctionName
}
identifier! {
    /// Number of a published version.
    FunctionVersion
}

impl FunctionVersion {
    /// Returns the number, to sort by.
    pub(crate) fn number(&self) -> u64 {
        self.as_str().parse().unwrap_or_default()
    }
}

/// A version of a function that an API calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalledVersion {
    /// The function.
    pub function: FunctionName,
    /// The version.
    pub version: FunctionVersion,
}

impl fmt::Display for CalledVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.function, self.version)
    }
}

impl CalledVersion {
    /// Parses `FUNCTION:NUMBER`, the end of a version's ARN.
    pub fn parse(text: &str) -> Option<CalledVersion> {
        let (function, version) = text.split_once(':')?;
        let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !function.is_empty()).then(|| CalledVersion {
            function: FunctionName::new(function),
            version: FunctionVersion::new(version),
        })
    }
}
