//! Stacks, change sets and events, as CloudFormation returns them.

use std::fmt;

use serde::{Deserialize, Serialize};
use stackgen_model::identifier;
use time::OffsetDateTime;

use super::status::StackStatus;
use crate::progress::DeployStep;

identifier! {
    /// Name of a stack: `rooms-prod`.
    StackName
}
identifier! {
    /// ARN of a stack. It stays unique after the stack is deleted.
    StackId
}
identifier! {
    /// ARN of a change set: `arn:…:changeSet/NAME/UUID`.
    ChangeSetId
}

impl ChangeSetId {
    /// Returns the change set's name.
    pub fn name(&self) -> Option<&str> {
        self.as_str().split('/').nth(1)
    }

    /// Returns the part that no other change set has.
    pub fn unique(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }
}

/// A stack of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct StackDescription {
    /// The ARN.
    pub id: StackId,
    /// The name.
    pub name: StackName,
    /// The status.
    pub status: StackStatus,
    /// The reason of the status.
    pub reason: Option<String>,
    /// The parameters. Values of `NoEcho` parameters are `****`.
    pub parameters: Vec<(String, String)>,
    /// The tags.
    pub tags: Vec<(String, String)>,
    /// The outputs.
    pub outputs: Vec<(String, String)>,
    /// True if the stack cannot be deleted.
    pub termination_protection: bool,
    /// The role with which CloudFormation works.
    pub role_arn: Option<String>,
}

impl StackDescription {
    /// Returns a parameter's value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(parameter, _)| parameter == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// The logical ID.
    pub logical_id: String,
    /// The physical ID; absent until the resource exists.
    pub physical_id: Option<String>,
    /// The type: `AWS::ApiGatewayV2::Deployment`.
    pub kind: String,
    /// The status: `UPDATE_COMPLETE`.
    pub status: String,
    /// The time of the last change.
    pub changed: OffsetDateTime,
}

/// The value of a parameter in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterValue {
    /// A value.
    Value(String),
    /// The stack's current value.
    Previous,
}

/// The place of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateLocation {
    /// URL of an object in a bucket.
    Url(String),
    /// In the request itself, which holds at most 51,200 bytes.
    Inline(String),
}

/// A request to create or update a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackRequest {
    /// The stack.
    pub stack: StackName,
    /// Create the stack, instead of updating it.
    pub creates: bool,
    /// The template.
    pub template: TemplateLocation,
    /// Every parameter of the template.
    pub parameters: Vec<(String, ParameterValue)>,
    /// The capabilities that the user consents to: `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// The tags.
    pub tags: Vec<(String, String)>,
    /// The role with which CloudFormation works; `None` keeps the stack's, or works with the caller's permissions.
    pub role_arn: Option<String>,
    /// True for express mode: CloudFormation ends the operation before all resources are ready, and rolls back on a failure
    /// as ever.
    pub express: bool,
    /// The name of the change set.
    pub change_set: String,
    /// A description for people.
    pub description: String,
}

/// The status of a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSetStatus {
    /// CloudFormation computes the changes.
    Pending,
    /// It can be executed.
    Ready,
    /// CloudFormation executes it.
    Executing,
    /// It was executed.
    Executed,
    /// The stack changed since it was computed.
    Outdated,
    /// It could not be computed.
    Failed,
}

/// A change set: the changes that an update would make.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSet {
    /// The ARN.
    pub id: ChangeSetId,
    /// The ARN of the stack.
    pub stack: StackId,
    /// The status.
    pub status: ChangeSetStatus,
    /// The reason of the status.
    pub reason: Option<String>,
    /// The changes.
    pub changes: Vec<PlannedChange>,
}

impl ChangeSet {
    /// True if CloudFormation could not compute it because nothing changes.
    pub fn is_empty(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        self.status == ChangeSetStatus::Failed
            && (reason.contains("didn't contain changes")
                || reason.contains("No updates are to be performed"))
    }
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceAction {
    /// It is created.
    Add,
    /// It is updated.
    Modify,
    /// It leaves the stack.
    Remove,
    /// It is imported.
    Import,
    /// A nested stack or a value known only later decides.
    Dynamic,
}

/// Whether CloudFormation replaces a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Replacement {
    /// It does not.
    Never,
    /// It depends on values that are known only later.
    Conditional,
    /// It does: the resource's physical ID changes, and its data is lost unless it is retained.
    Always,
}

/// A change of a resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// What happens.
    pub action: ResourceAction,
    /// The logical ID.
    pub logical_id: String,
    /// The physical ID of a resource that exists.
    pub physical_id: Option<String>,
    /// The resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is replaced.
    pub replacement: Replacement,
    /// True if the resource stays in the account when it leaves the stack.
    pub retained: bool,
    /// The properties that change.
    pub properties: Vec<PropertyChange>,
}

/// A change of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyChange {
    /// The path of the property: `/Properties/Timeout`.
    pub path: String,
    /// The value now.
    pub before: Option<String>,
    /// The value after the update.
    pub after: Option<String>,
    /// True if the change replaces the resource.
    pub replaces: bool,
}

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

/// An operation on a stack, which its events name by a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StackOperation {
    pub(super) name: StackName,
    pub(super) stack: StackId,
    pub(super) token: String,
}

/// Number of concurrent executions of an account and region that cannot be reserved (a Lambda quota).
pub(super) const MIN_UNRESERVED: u32 = 100;
