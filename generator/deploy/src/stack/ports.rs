//! Interfaces to CloudFormation and to the bucket of artifacts.

use std::time::Duration;

use time::OffsetDateTime;

use super::event::{EventScope, StackEvent, ValidationFinding};
use super::fixed_names::FixedName;
use super::quota::QuotaUsage;
use super::types::{
    ChangeSet, ChangeSetId, CredentialsLifetime, StackDescription, StackId, StackName,
    StackRequest, StackResource, StartedOperation,
};
use crate::FunctionName;
use crate::error::AccountResult;

/// Calls to CloudFormation that change nothing. Like [`Account`](crate::Account), each method sends one operation once.
pub trait StackReader {
    /// Returns a stack by name or ARN; `None` if there is none. A deleted stack is found by its ARN only.
    fn stack(
        &self,
        name_or_id: &str,
    ) -> impl Future<Output = AccountResult<Option<StackDescription>>>;

    /// Returns the resources of a stack.
    fn resources(&self, stack: &StackId)
    -> impl Future<Output = AccountResult<Vec<StackResource>>>;

    /// Returns the events of a stack since a time, the latest first. CloudFormation keeps them for 90 days.
    fn events_since(
        &self,
        stack: &StackId,
        since: OffsetDateTime,
    ) -> impl Future<Output = AccountResult<Vec<StackEvent>>>;

    /// Returns the template of a stack, with macros and transforms expanded.
    fn template(&self, stack: &StackId) -> impl Future<Output = AccountResult<String>>;
}

/// Calls to CloudFormation. Like [`Account`](crate::Account), each method sends one operation once.
pub trait StackService: StackReader {
    /// Returns the ARNs of deleted stacks of this name, the latest first. CloudFormation keeps them for 90 days.
    fn deleted_stacks(&self, name: &StackName)
    -> impl Future<Output = AccountResult<Vec<StackId>>>;

    /// Creates a change set. CloudFormation computes it afterwards.
    fn create_change_set(
        &self,
        request: &StackRequest,
    ) -> impl Future<Output = AccountResult<ChangeSetId>>;

    /// Returns a change set by ARN, or by name and stack.
    fn change_set(
        &self,
        stack: &str,
        name_or_id: &str,
    ) -> impl Future<Output = AccountResult<Option<ChangeSet>>>;

    /// Returns the findings of CloudFormation's validation of a change set.
    fn validation_findings(
        &self,
        change_set: &ChangeSetId,
    ) -> impl Future<Output = AccountResult<Vec<ValidationFinding>>>;

    /// Creates a stack without a change set. A creation that fails leaves no stack. CloudFormation ignores a second request with
    /// the same token.
    fn create_stack(
        &self,
        request: &StackRequest,
        token: &str,
    ) -> impl Future<Output = AccountResult<StartedOperation>>;

    /// Updates a stack without a change set; `None` if there is nothing to update. CloudFormation ignores a second request with
    /// the same token.
    fn update_stack(
        &self,
        request: &StackRequest,
        token: &str,
    ) -> impl Future<Output = AccountResult<Option<StartedOperation>>>;

    /// Replaces the stack policy, which determines what updates may change.
    fn set_stack_policy(
        &self,
        stack: &StackId,
        policy: &str,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Executes a change set. CloudFormation ignores a second request with the same token.
    fn execute_change_set(
        &self,
        change_set: &ChangeSetId,
        token: &str,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Deletes a change set.
    fn delete_change_set(
        &self,
        change_set: &ChangeSetId,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Returns events of a stack, the latest first, down to the event `until` or a page that has it (`DescribeStackEvents`).
    fn events(
        &self,
        stack: &StackId,
        until: Option<&str>,
    ) -> impl Future<Output = AccountResult<Vec<StackEvent>>>;

    /// Returns events of operations, the latest first, down to the event `until` or a page that has it (`DescribeEvents`).
    /// Unlike [`StackService::events`] they include validations and all results of hooks.
    fn operation_events(
        &self,
        scope: &EventScope,
        until: Option<&str>,
    ) -> impl Future<Output = AccountResult<Vec<StackEvent>>>;

    /// Deletes a stack. CloudFormation keeps the resources that the template retains.
    fn delete_stack(
        &self,
        stack: &StackId,
        role_arn: Option<&str>,
        token: &str,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Cancels a running update. CloudFormation restores the earlier state.
    fn cancel_update(&self, stack: &StackId) -> impl Future<Output = AccountResult<()>>;
}

/// Reads of names that others may have.
pub trait NameReader {
    /// Returns true if a resource has a name: in this account and region or, where names are global, anywhere. Resources with one
    /// of the physical IDs `own` do not count: the stack's APIs, whose names CloudFormation does not list.
    fn is_taken(&self, name: &FixedName, own: &[&str])
    -> impl Future<Output = AccountResult<bool>>;
}

/// Credentials of the caller.
pub trait CallerCredentials {
    /// Returns the lifetime of the credentials; `None` if they carry no expiry. Credentials that expire within a time are
    /// fetched again first, and later calls use the new ones if these last longer.
    fn lifetime(
        &self,
        needed: Duration,
    ) -> impl Future<Output = AccountResult<Option<CredentialsLifetime>>>;
}

/// Reads of quotas of the account, and of how much of them is used.
pub trait QuotaReader {
    /// Returns the size of the code of all functions and layers of the region, in bytes.
    fn code_storage(&self) -> impl Future<Output = AccountResult<QuotaUsage>>;

    /// Returns the number of roles of the account.
    fn roles(&self) -> impl Future<Output = AccountResult<QuotaUsage>>;

    /// Returns the number of stacks that the account can have in the region.
    fn stack_quota(&self) -> impl Future<Output = AccountResult<Option<u64>>>;

    /// Returns the number of stacks of the region.
    fn stack_count(&self) -> impl Future<Output = AccountResult<u64>>;

    /// Returns the number of WebSocket and HTTP APIs of the region.
    fn api_count(&self) -> impl Future<Output = AccountResult<u64>>;

    /// Returns the value of a quota of API Gateway by its code in Service Quotas; `None` if it has no value.
    fn gateway_quota(&self, code: &str) -> impl Future<Output = AccountResult<Option<u64>>>;
}

/// Calls to API Gateway about the settings of the account.
pub trait GatewaySettings {
    /// Returns the ARN of the role by which API Gateway writes logs; `None` if none is set (row L3).
    fn log_role(&self) -> impl Future<Output = AccountResult<Option<String>>>;
}

/// Calls to Lambda about quotas.
pub trait FunctionQuotas {
    /// Returns the number of concurrent executions of the account and region that no function reserves.
    fn unreserved_concurrency(&self) -> impl Future<Output = AccountResult<u32>>;

    /// Returns the concurrent executions that a function reserves; `None` if it reserves none or does not exist.
    fn reserved_concurrency(
        &self,
        function: &FunctionName,
    ) -> impl Future<Output = AccountResult<Option<u32>>>;
}

/// What came of storing an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It was uploaded.
    Uploaded,
    /// An object with this key exists. Keys name contents, so it is the same.
    Existed,
}

/// Calls to the bucket of artifacts.
pub trait ArtifactBucket {
    /// Returns the region of a bucket; `None` if there is no such bucket. Fails if it belongs to another account.
    fn bucket_region(&self, bucket: &str) -> impl Future<Output = AccountResult<Option<String>>>;

    /// Returns true if an object exists.
    fn has_object(&self, bucket: &str, key: &str) -> impl Future<Output = AccountResult<bool>>;

    /// Stores an object, unless one with this key exists. S3 checks the digest: SHA-256 in base64.
    fn put_object(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        sha256: &str,
    ) -> impl Future<Output = AccountResult<Stored>>;

    /// Returns the URL of an object, in the form that CloudFormation takes as `TemplateURL`.
    fn object_url(&self, bucket: &str, key: &str) -> String;
}
