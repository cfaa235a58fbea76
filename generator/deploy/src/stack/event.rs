//! Events of stacks, as CloudFormation returns them.

use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;

use super::types::{OperationId, StackId};
use crate::progress::DeployStep;

/// An event of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackEvent {
    /// The event's ID.
    pub id: String,
    /// The ARN of the stack.
    pub stack: StackId,
    /// The time.
    pub time: OffsetDateTime,
    /// The logical ID of the resource, or the name of the stack.
    pub logical_id: String,
    /// The physical ID of the resource.
    pub physical_id: Option<String>,
    /// The resource type.
    pub kind: String,
    /// The status: `CREATE_FAILED`.
    pub status: String,
    /// The reason of the status.
    pub reason: Option<String>,
    /// The token of the request that started the operation.
    pub token: Option<String>,
    /// The operation.
    pub operation: Option<OperationId>,
}

impl StackEvent {
    /// True if the event is about the stack itself.
    pub fn is_about_stack(&self) -> bool {
        self.kind == STACK_TYPE && self.physical_id.as_deref() == Some(self.stack.as_str())
    }

    /// Returns the step that reports the event.
    pub(crate) fn step(&self) -> DeployStep<'_> {
        DeployStep::StackChanged {
            resource: &self.logical_id,
            kind: &self.kind,
            status: &self.status,
            reason: self.reason.as_deref(),
        }
    }

    /// True if a resource failed by itself, not because another one failed before it.
    pub fn is_cause(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        self.status.ends_with("_FAILED") && !reason.contains(CANCELLED)
    }

    /// Returns the nested stack whose events have the cause of this failure.
    pub fn nested_stack(&self) -> Option<StackId> {
        let id = self.physical_id.as_deref().filter(|id| !id.is_empty())?;
        (self.kind == STACK_TYPE && !self.is_about_stack()).then(|| StackId::new(id))
    }
}

/// Events that `DescribeEvents` returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventScope {
    /// Those of an operation.
    Operation(OperationId),
    /// Those that CloudFormation returns for a stack, which may be only those of its last operation.
    Stack(StackId),
}

/// A finding of CloudFormation's validation of a change set, before any resource changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationFinding {
    /// The logical ID of the resource; empty for a finding about the whole template.
    pub logical_id: String,
    /// The resource type; empty for a finding about the whole template.
    #[serde(rename = "type")]
    pub kind: String,
    /// The path of the property in the resource.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// True if the change set fails because of it. Otherwise it is a warning.
    pub fails: bool,
}

impl fmt::Display for ValidationFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.logical_id.is_empty() {
            write!(f, "{} ({})", self.logical_id, self.kind)?;
            match &self.path {
                Some(path) => write!(f, " at {path}: ")?,
                None => f.write_str(": ")?,
            }
        }
        f.write_str(&self.reason)
    }
}

/// Resource type of stacks.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// The end of the reason of a resource that CloudFormation gave up because another one failed: "Resource creation cancelled".
const CANCELLED: &str = " cancelled";

/// The resource that failed first, and why. All later failures of the operation follow from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureCause {
    /// The logical ID of the resource in its own template.
    pub logical_id: String,
    /// The resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status: `CREATE_FAILED`.
    pub status: String,
    /// The reason, as the service reports it.
    pub reason: Option<String>,
    /// The logical IDs of the nested stacks that lead to the resource, the outermost first.
    pub nested_in: Vec<String>,
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stack in &self.nested_in {
            write!(f, "{stack} > ")?;
        }
        write!(f, "{} ({}): {}", self.logical_id, self.kind, self.status)?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}
