//! Stacks and change sets, as CloudFormation returns them.

use serde::{Deserialize, Serialize};
use stackgen_model::identifier;
use time::OffsetDateTime;

use super::status::StackStatus;

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

identifier! {
    /// ID of an operation on a stack.
    OperationId
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
    /// The last operations, the latest first: `LastOperations`. Emulators name none.
    pub operations: Vec<RecordedOperation>,
}

/// An operation that CloudFormation recorded for a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedOperation {
    /// The ID.
    pub id: OperationId,
    /// The kind.
    pub kind: OperationKind,
}

/// Kind of an operation on a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// A creation or an update.
    Deploy,
    /// The rollback of one that failed, which is an operation of its own.
    Rollback,
    /// A deletion.
    Delete,
    /// Computing a change set, or a kind that is newer than this program.
    Other,
}

/// A creation or an update that CloudFormation accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedOperation {
    /// The stack.
    pub stack: StackId,
    /// The operation. Emulators do not name it.
    pub id: Option<OperationId>,
}

impl StackDescription {
    /// Returns a parameter's value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(parameter, _)| parameter == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the last creation or update, if CloudFormation names it.
    pub(super) fn last_deploy(&self) -> Option<&OperationId> {
        let mut operations = self.operations.iter();
        let found = operations.find(|one| one.kind == OperationKind::Deploy);
        found.map(|one| &one.id)
    }

    /// Returns an operation and the later ones that follow from it, such as its rollback, the latest first.
    pub(super) fn operations_since(&self, id: &OperationId) -> Vec<OperationId> {
        let place = self.operations.iter().position(|one| one.id == *id);
        let later = self.operations[..place.unwrap_or(0)].iter().rev();
        let later = later.take_while(|one| one.kind != OperationKind::Deploy);
        let mut ids = vec![id.clone()];
        ids.extend(
            later
                .filter(|one| one.kind != OperationKind::Other)
                .map(|one| one.id.clone()),
        );
        ids.reverse();
        ids
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

impl StackResource {
    /// True if the resource exists and belongs to the stack: what a stack retained when it deleted the resource does not.
    pub(super) fn exists(&self) -> bool {
        let is_gone = matches!(self.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED");
        self.physical_id.is_some() && !is_gone
    }
}

/// Source and expiry of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsLifetime {
    /// The source in words: `IAM Identity Center`.
    pub source: String,
    /// The time at which they expire.
    pub expires: OffsetDateTime,
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

/// An operation on a stack, which its events name by a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StackOperation {
    pub(super) name: StackName,
    pub(super) stack: StackId,
    pub(super) token: String,
    /// The ID, if CloudFormation named it. For a change set it does not.
    pub(super) id: Option<OperationId>,
}

/// Number of concurrent executions of an account and region that cannot be reserved (a Lambda quota).
pub(super) const MIN_UNRESERVED: u32 = 100;
