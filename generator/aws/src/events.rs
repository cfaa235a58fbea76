//! Conversion of the events of CloudFormation's operations (`DescribeEvents`).

use aws_sdk_cloudformation::types::{EventType, HookFailureMode, OperationEvent, ValidationStatus};
use stackgen_deploy::stack::{StackEvent, StackId, ValidationFinding};

use crate::convert::time;

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

/// Converts a failure of a resource, a hook or a validation; `None` for another event.
pub(crate) fn failure(event: &OperationEvent) -> Option<StackEvent> {
    let (status, reason) = match event.event_type()? {
        EventType::HookInvocationError => {
            let hook = event.hook_type().unwrap_or("a hook");
            let reason = event.hook_status_reason().unwrap_or("it failed");
            ("HOOK_FAILED", Some(format!("{hook}: {reason}")))
        }
        EventType::ValidationError => {
            let reason = event.validation_status_reason().map(str::to_owned);
            ("VALIDATION_FAILED", reason)
        }
        _ => {
            let reason = event.resource_status_reason().map(str::to_owned);
            (event.resource_status()?.as_str(), reason)
        }
    };
    Some(StackEvent {
        id: event.event_id()?.to_owned(),
        stack: StackId::new(event.stack_id()?),
        time: time(event.timestamp().or(event.start_time())?)?,
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: event.physical_resource_id().map(str::to_owned),
        kind: event.resource_type().unwrap_or_default().to_owned(),
        status: status.to_owned(),
        reason,
        token: event.client_request_token().map(str::to_owned),
    })
}
