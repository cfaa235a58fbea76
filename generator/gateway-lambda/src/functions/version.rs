//! A version of a function: code and configuration that never change.

use std::sync::Arc;

use stackgen_gateway_common::{EpochMillis, FunctionArn};

use super::{Configuration, Frozen, Permission};

/// The name of the version that changes.
pub const LATEST: &str = "$LATEST";

/// Code and configuration of a function at one moment. A change of `$LATEST` makes another.
#[derive(Debug)]
pub struct Version {
    /// The function's unqualified ARN.
    pub function: FunctionArn,
    /// `$LATEST` or a number.
    pub version: String,
    /// How it runs.
    pub configuration: Arc<Configuration>,
    /// What runs.
    pub code: Arc<Frozen>,
    /// `RevisionId`, another one after every change.
    pub revision_id: String,
    /// `LastModified`.
    pub last_modified: EpochMillis,
    /// Its processes.
    pub(super) pool: Arc<super::pool::Pool>,
}

impl Version {
    /// The ARN that its own configuration shows: qualified, and unqualified for `$LATEST` when it was asked for without one.
    pub fn arn(&self) -> FunctionArn {
        self.function.qualified(self.version.clone())
    }
}

/// A name that points at a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// The version: a number or `$LATEST`.
    pub version: String,
    /// `Description`.
    pub description: String,
    /// `RevisionId`.
    pub revision_id: String,
}

/// A policy of one qualifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its statements, in the order that they were added in.
    pub statements: Vec<Permission>,
    /// `RevisionId`.
    pub revision_id: String,
}

/// What a change came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The function is new.
    Created,
    /// Its code is another; its configuration may be, too.
    Code,
    /// Its configuration is another.
    Configuration,
    /// Nothing changed, and nothing was restarted.
    None,
}
