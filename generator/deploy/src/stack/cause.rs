//! The first cause of a failed operation.

use serde::Serialize;

use super::error::StackError;
use super::event::{FailureCause, StackEvent};
use super::history::last_deploy;
use super::ports::StackService;
use super::types::{StackId, StackName};
use crate::DeployError;
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// The deepest nesting of stacks that is searched.
const MAX_NESTING: usize = 5;

/// Returns the first cause of a failure in an operation's events, which are sorted by time. Searches nested stacks; where one
/// cannot be read, the failure of the stack itself is the cause.
pub(super) async fn first_cause(
    service: &impl StackService,
    events: &[StackEvent],
    ctx: OperationContext<'_>,
) -> Option<FailureCause> {
    let mut nested_in = Vec::new();
    let mut event = first_failure(events)?.clone();
    while let Some(stack) = event.nested_stack()
        && nested_in.len() < MAX_NESTING
    {
        let inner = match nested_events(service, &stack, ctx).await {
            Ok(inner) => inner,
            Err(error) => {
                ctx.step(DeployStep::Skipped {
                    what: &format!("reading the events of nested stack {}", event.logical_id),
                    reason: &error.to_string(),
                });
                break;
            }
        };
        let Some(inner) = first_failure(&inner).cloned() else {
            break;
        };
        nested_in.push(event.logical_id);
        event = inner;
    }
    Some(FailureCause {
        logical_id: event.logical_id,
        kind: event.kind,
        status: event.status,
        reason: event.reason,
        nested_in,
    })
}

async fn nested_events(
    service: &impl StackService,
    stack: &StackId,
    ctx: OperationContext<'_>,
) -> Result<Vec<StackEvent>, DeployError> {
    let found = ctx.read(|| service.stack(stack.as_str())).await?;
    match found {
        Some(found) => last_deploy(service, &found, ctx).await,
        None => Ok(Vec::new()),
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
    let events = last_deploy(service, &found, ctx).await?;
    let cause = first_cause(service, &events, ctx).await;
    Ok(Diagnosis {
        stack: found.id,
        status: found.status.name().to_owned(),
        cause,
    })
}

fn first_failure(events: &[StackEvent]) -> Option<&StackEvent> {
    let of_resources = || events.iter().filter(|event| !event.is_about_stack());
    let cause = of_resources().find(|event| event.is_cause());
    // A hook or an early validation fails the stack itself.
    cause.or_else(|| events.iter().find(|event| event.is_cause()))
}
