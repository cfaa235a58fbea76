//! Conversion of CloudFormation's types to those of `stackgen-deploy`.

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    self as sdk, ChangeAction, ChangeSetStatus as SdkChangeSetStatus, ExecutionStatus,
    HookFailureMode, HookStatus, PolicyAction, RequiresRecreation,
};
use stackgen_deploy::stack::status::StackStatus;
use stackgen_deploy::stack::{
    ChangeSet, ChangeSetId, ChangeSetStatus, OperationId, OperationKind, PlannedChange,
    PropertyChange, RecordedOperation, Replacement, ResourceAction, StackDescription, StackEvent,
    StackId, StackName, StackResource, StartedOperation,
};

use crate::convert::{text, time};
use crate::events::{HOOK_FAILED, hook_reason};

/// Converts a stack; `None` for one without an ID.
pub(crate) fn stack(stack: &sdk::Stack) -> Option<StackDescription> {
    let pair = |key: Option<&str>, value: Option<&str>| {
        Some((key?.to_owned(), value.unwrap_or_default().to_owned()))
    };
    let status = stack.stack_status()?.as_str();
    let parameters = stack.parameters().iter();
    let tags = stack.tags().iter();
    let outputs = stack.outputs().iter();
    Some(StackDescription {
        id: StackId::new(stack.stack_id()?),
        name: StackName::new(stack.stack_name()?),
        status: StackStatus::parse(status),
        reason: stack.stack_status_reason().and_then(text),
        parameters: parameters
            .filter_map(|one| pair(one.parameter_key(), one.parameter_value()))
            .collect(),
        tags: tags
            .filter_map(|one| pair(one.key(), one.value()))
            .collect(),
        outputs: outputs
            .filter_map(|one| pair(one.output_key(), one.output_value()))
            .collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or(false),
        role_arn: stack.role_arn().and_then(text),
        operations: stack
            .last_operations()
            .iter()
            .filter_map(recorded_operation)
            .collect(),
    })
}

fn recorded_operation(entry: &sdk::OperationEntry) -> Option<RecordedOperation> {
    use sdk::OperationType::{ContinueRollback, CreateStack, DeleteStack, Rollback, UpdateStack};
    let kind = match entry.operation_type()? {
        CreateStack | UpdateStack => OperationKind::Deploy,
        Rollback | ContinueRollback => OperationKind::Rollback,
        DeleteStack => OperationKind::Delete,
        _ => OperationKind::Other,
    };
    let id = entry.operation_id().and_then(text)?;
    Some(RecordedOperation {
        id: OperationId::new(id),
        kind,
    })
}

/// Converts the answer to a creation or an update; `None` without a stack.
pub(crate) fn started(stack: Option<&str>, id: Option<&str>) -> Option<StartedOperation> {
    Some(StartedOperation {
        stack: StackId::new(stack?),
        id: id.and_then(text).map(OperationId::new),
    })
}

/// Converts a resource of a stack.
pub(crate) fn resource(resource: &sdk::StackResourceSummary) -> Option<StackResource> {
    Some(StackResource {
        logical_id: resource.logical_resource_id()?.to_owned(),
        physical_id: resource.physical_resource_id().and_then(text),
        kind: resource.resource_type()?.to_owned(),
        status: resource.resource_status()?.as_str().to_owned(),
        changed: time(resource.last_updated_timestamp()?)?,
    })
}

/// Converts the pages of a change set; `None` without one.
pub(crate) fn change_set(pages: &[DescribeChangeSetOutput]) -> Option<ChangeSet> {
    let first = pages.first()?;
    let status = match (first.status()?, first.execution_status()) {
        (SdkChangeSetStatus::CreateComplete, Some(ExecutionStatus::Available)) => {
            ChangeSetStatus::Ready
        }
        (_, Some(ExecutionStatus::ExecuteInProgress)) => ChangeSetStatus::Executing,
        (_, Some(ExecutionStatus::ExecuteComplete | ExecutionStatus::ExecuteFailed)) => {
            ChangeSetStatus::Executed
        }
        (SdkChangeSetStatus::CreatePending | SdkChangeSetStatus::CreateInProgress, _) => {
            ChangeSetStatus::Pending
        }
        (SdkChangeSetStatus::Failed, _) => ChangeSetStatus::Failed,
        _ => ChangeSetStatus::Outdated,
    };
    let changes = pages.iter().flat_map(DescribeChangeSetOutput::changes);
    let changes = changes.filter_map(|change| resource_change(change.resource_change()?));
    Some(ChangeSet {
        id: ChangeSetId::new(first.change_set_id()?),
        stack: StackId::new(first.stack_id()?),
        status,
        reason: first.status_reason().and_then(text),
        changes: changes.collect(),
    })
}

fn resource_change(change: &sdk::ResourceChange) -> Option<PlannedChange> {
    let action = match change.action()? {
        ChangeAction::Add => ResourceAction::Add,
        ChangeAction::Modify => ResourceAction::Modify,
        ChangeAction::Remove => ResourceAction::Remove,
        ChangeAction::Import => ResourceAction::Import,
        _ => ResourceAction::Dynamic,
    };
    let replacement = match change.replacement() {
        Some(sdk::Replacement::True) => Replacement::Always,
        Some(sdk::Replacement::Conditional) => Replacement::Conditional,
        _ => Replacement::Never,
    };
    let retained = matches!(
        change.policy_action(),
        Some(PolicyAction::Retain | PolicyAction::ReplaceAndRetain)
    );
    let mut properties: Vec<PropertyChange> = change
        .details()
        .iter()
        .filter_map(|detail| property_change(detail.target()?))
        .collect();
    properties.sort_by(|a, b| a.path.cmp(&b.path));
    // CloudFormation lists a property once for each of its causes.
    properties.dedup();
    Some(PlannedChange {
        action,
        logical_id: change.logical_resource_id()?.to_owned(),
        physical_id: change.physical_resource_id().and_then(text),
        kind: change.resource_type()?.to_owned(),
        replacement,
        retained,
        properties,
    })
}

fn property_change(target: &sdk::ResourceTargetDefinition) -> Option<PropertyChange> {
    let attribute = || target.attribute().map(|attribute| attribute.as_str());
    let path = target.path().or(target.name()).or_else(attribute)?;
    Some(PropertyChange {
        path: path.trim_start_matches("/Properties/").to_owned(),
        before: target.before_value().map(str::to_owned),
        after: target.after_value().map(str::to_owned),
        replaces: target.requires_recreation() == Some(&RequiresRecreation::Always),
    })
}

/// Converts an event; `None` for one without a status.
pub(crate) fn event(event: &sdk::StackEvent) -> Option<StackEvent> {
    let mut status = event.resource_status()?.as_str();
    let mut reason = event.resource_status_reason().and_then(text);
    // The event of a hook has the status of the resource before it.
    if let Some(hook) = event.hook_type() {
        let has_failed = matches!(
            event.hook_status(),
            Some(HookStatus::HookCompleteFailed | HookStatus::HookFailed)
        );
        if has_failed && event.hook_failure_mode() != Some(&HookFailureMode::Warn) {
            status = HOOK_FAILED;
            reason = Some(hook_reason(Some(hook), event.hook_status_reason()));
        }
    }
    Some(StackEvent {
        id: event.event_id()?.to_owned(),
        stack: StackId::new(event.stack_id()?),
        time: time(event.timestamp()?)?,
        logical_id: event.logical_resource_id()?.to_owned(),
        physical_id: event.physical_resource_id().and_then(text),
        kind: event.resource_type()?.to_owned(),
        status: status.to_owned(),
        reason,
        token: event.client_request_token().and_then(text),
        operation: event.operation_id().and_then(text).map(OperationId::new),
    })
}
