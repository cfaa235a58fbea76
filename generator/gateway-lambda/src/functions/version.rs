//! Versions, aliases and policies of a function.

use std::sync::Arc;

use stackgen_gateway_common::{EpochMillis, FunctionArn};

use super::{CodeCopy, Configuration, PermissionStatement};

/// Name of the version that can change.
pub const LATEST: &str = "$LATEST";

/// Immutable code and configuration of a function. A change of `$LATEST` creates a new value.
#[derive(Debug)]
pub struct FunctionVersion {
    /// Unqualified ARN of the function.
    pub function: FunctionArn,
    /// `$LATEST` or a number.
    pub version: String,
    /// Configuration.
    pub configuration: Arc<Configuration>,
    /// Code.
    pub code: Arc<CodeCopy>,
    /// `RevisionId`, which changes with every change.
    pub revision_id: String,
    /// `LastModified`.
    pub last_modified: EpochMillis,
    /// Processes of this version.
    pub(super) pool: Arc<super::pool::EnvironmentPool>,
}

impl FunctionVersion {
    /// Returns the qualified ARN.
    pub fn arn(&self) -> FunctionArn {
        self.function.qualified(self.version.clone())
    }
}

/// Name that points to a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionAlias {
    /// Name of the alias.
    pub name: String,
    /// Version that the alias points to: a number or `$LATEST`.
    pub version: String,
    /// `Description`.
    pub description: String,
    /// `RevisionId`.
    pub revision_id: String,
}

/// Resource policy of one qualifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// Statements in the order in which they were added.
    pub statements: Vec<PermissionStatement>,
    /// `RevisionId`.
    pub revision_id: String,
}

/// Effect of an update on a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionChange {
    /// The function was created.
    Created,
    /// The code changed, and perhaps the configuration.
    Code,
    /// Only the configuration changed.
    Configuration,
    /// Nothing changed, and no process was restarted.
    None,
}
