//! Conversion of the events of CloudFormation's operations (`DescribeEvents`).

use aws_sdk_cloudformation::types::{EventType, HookFailureMode, OperationEvent, ValidationStatus};
use stackgen_deploy::stack::{OperationId, StackEvent, StackId, ValidationFinding};

use crate::convert::{text, time};

/// Converts an event of a validation; `None` for another event, and for a validation that passed.
pub(crate) fn validation_finding(event: &OperationEvent) -> Option<ValidationFinding> {
    let is_validation = event.event_type() == Some(&EventType::ValidationError);
    let passed = event.validation_status() == Some(&ValidationStatus::Skipped);
    if !is_validation || passed {
        return None;
    }
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let reason = event.validation_status_reason();
    Some(ValidationFinding {
        logical_id: text(event.logical_resource_id()),
        kind: text(event.resource_type()),
        path: event
            .validation_path()
            .and_then(|path| (!path.is_empty()).then(|| path.to_owned())),
        reason: text(reason.or(event.validation_name())),
        fails: event.validation_failure_mode() != Some(&HookFailureMode::Warn),
    })
}

/// Converts an event; `None` for one that has no status. In the failure mode `WARN`, a hook or a validation fails nothing.
pub(crate) fn event(event: &OperationEvent) -> Option<StackEvent> {
    let (status, reason) = match event.event_type()? {
        EventType::HookInvocationError => {
            let is_warning = event.hook_failure_mode() == Some(&HookFailureMode::Warn);
            let reason = hook_reason(event.hook_type(), event.hook_status_reason());
            let status = if is_warning {
                "HOOK_WARNED"
            } else {
                HOOK_FAILED
            };
            (status, Some(reason))
        }
        EventType::ValidationError => {
            let is_warning = event.validation_failure_mode() == Some(&HookFailureMode::Warn)
                || event.validation_status() == Some(&ValidationStatus::Skipped);
            let status = match is_warning {
                true => "VALIDATION_WARNED",
                false => "VALIDATION_FAILED",
            };
            (status, event.validation_status_reason().and_then(text))
        }
        _ => {
            let reason = event.resource_status_reason().and_then(text);
            (event.resource_status()?.as_str(), reason)
        }
    };
    Some(StackEvent {
        id: event.event_id()?.to_owned(),
        stack: StackId::new(event.stack_id()?),
        time: time(event.timestamp().or(event.start_time())?)?,
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: event.physical_resource_id().and_then(text),
        kind: event.resource_type().unwrap_or_default().to_owned(),
        status: status.to_owned(),
        reason,
        token: event.client_request_token().and_then(text),
        operation: event.operation_id().and_then(text).map(OperationId::new),
    })
}

/// Status of a hook that failed an operation. CloudFormation has no such status of a resource.
pub(crate) const HOOK_FAILED: &str = "HOOK_FAILED";

/// Returns the reason of a hook's failure, with the hook.
pub(crate) fn hook_reason(hook: Option<&str>, reason: Option<&str>) -> String {
    let hook = hook.unwrap_or("a hook");
    format!("{hook}: {}", reason.unwrap_or("it failed"))
}

/// Returns events with the latest first. CloudFormation does not document the order of `DescribeEvents`.
pub(crate) fn latest_first(mut events: Vec<StackEvent>) -> Vec<StackEvent> {
    if events.first().map(|event| event.time) < events.last().map(|event| event.time) {
        events.reverse();
    }
    events
}

/// True for a page with the event `until` whose latest event is the first one: all later pages are older.
pub(crate) fn is_last_page(page: &[StackEvent], until: Option<&str>) -> bool {
    let is_latest_first = page.is_sorted_by(|a, b| a.time >= b.time);
    until.is_some_and(|until| is_latest_first && page.iter().any(|event| event.id == until))
}
