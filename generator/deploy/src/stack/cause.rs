//! The first cause of a failed operation.

use serde::Serialize;

use super::error::StackError;
use super::ports::StackService;
use super::types::{FailureCause, StackEvent, StackId, StackName, StackOperation};
use crate::retry::OperationContext;

/// The deepest nesting of stacks that is searched.
const MAX_NESTING: usize = 5;

/// Returns the first cause of a failure in an operation's events, which are sorted by time. Searches nested stacks.
///
/// # Errors
///
/// If the events of a nested stack cannot be read.
pub async fn first_cause(
    service: &impl StackService,
    events: &[StackEvent],
    ctx: OperationContext<'_>,
) -> Result<Option<FailureCause>, StackError> {
    let mut nested_in = Vec::new();
    let mut event = first_failure(events).cloned();
    while let Some(failed) = &event
        && let Some(stack) = failed.nested_stack()
        && nested_in.len() < MAX_NESTING
    {
        let inner = ctx.read(|| service.events(&stack, None)).await?;
        let inner = last_operation(&sorted(inner)).to_vec();
        let Some(inner) = first_failure(&inner).cloned() else {
            break;
        };
        nested_in.push(failed.logical_id.clone());
        event = Some(inner);
    }
    Ok(event.map(|event| FailureCause {
        logical_id: event.logical_id,
        kind: event.kind,
        status: event.status,
        reason: event.reason,
        nested_in,
    }))
}

/// Returns the first cause of the failure of an operation that was followed. CloudFormation's record of failures has those of
/// hooks and validations too; where it cannot be read, or has nothing of the operation, the events of the stack decide.
///
/// # Errors
///
/// If the events of a nested stack cannot be read.
pub(super) async fn cause_of(
    service: &impl StackService,
    operation: &StackOperation,
    events: &[StackEvent],
    ctx: OperationContext<'_>,
) -> Result<Option<FailureCause>, StackError> {
    let failures = ctx.read(|| service.failures(&operation.stack)).await;
    let mut failures = sorted(failures.unwrap_or_default());
    failures.retain(|event| event.token.as_deref() == Some(operation.token.as_str()));
    match first_cause(service, &failures, ctx).await? {
        Some(cause) => Ok(Some(cause)),
        None => first_cause(service, events, ctx).await,
    }
}

/// What the last failed operation of a stack was about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The stack. It may be deleted.
    pub stack: StackId,
    /// The status of the stack.
    pub status: String,
    /// The first cause; `None` if the last operation did not fail.
    pub cause: Option<FailureCause>,
}

/// Returns why the last operation of a stack failed. If there is no stack of this name, looks at the stack of this name
/// that was deleted last.
///
/// # Errors
///
/// [`StackError::NoStack`] if there never was one.
pub async fn diagnose(
    service: &impl StackService,
    stack: &StackName,
    ctx: OperationContext<'_>,
) -> Result<Diagnosis, StackError> {
    let found = ctx.read(|| service.stack(stack.as_str())).await?;
    let found = match found {
        Some(found) => found,
        None => {
            let deleted = ctx.read(|| service.deleted_stacks(stack)).await?;
            let missing = || StackError::NoStack {
                stack: stack.clone(),
            };
            let latest = deleted.first().ok_or_else(missing)?;
            let found = ctx.read(|| service.stack(latest.as_str())).await?;
            found.ok_or_else(missing)?
        }
    };
    let events = sorted(ctx.read(|| service.events(&found.id, None)).await?);
    let cause = first_cause(service, last_operation(&events), ctx).await?;
    Ok(Diagnosis {
        stack: found.id,
        status: found.status.name().to_owned(),
        cause,
    })
}

/// Sorts events by time. Events of one moment stay in the order in which CloudFormation recorded them.
pub(super) fn sorted(latest_first: Vec<StackEvent>) -> Vec<StackEvent> {
    let mut events = latest_first;
    events.reverse();
    events.sort_by_key(|event| event.time);
    events
}

/// Returns the events of a stack's last operation. A deletion after a failed creation belongs to the creation.
fn last_operation(events: &[StackEvent]) -> &[StackEvent] {
    let starts = |event: &StackEvent| {
        let starting = [
            "CREATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "IMPORT_IN_PROGRESS",
        ];
        event.is_about_stack() && starting.contains(&event.status.as_str())
    };
    let start = events.iter().rposition(starts).unwrap_or(0);
    &events[start..]
}

fn first_failure(events: &[StackEvent]) -> Option<&StackEvent> {
    let of_resources = || events.iter().filter(|event| !event.is_about_stack());
    let cause = of_resources().find(|event| event.is_cause());
    // A hook or an early validation fails the stack itself.
    cause.or_else(|| events.iter().find(|event| event.is_cause()))
}
