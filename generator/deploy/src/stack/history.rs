//! Events of operations that are read afterwards.

use super::event::{EventScope, StackEvent};
use super::ports::StackService;
use super::types::{OperationId, StackDescription};
use crate::DeployError;
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// Returns the events of a stack's last creation or update, and of what followed from it, sorted by time. `DescribeEvents` has
/// hooks and validations too; where it cannot be read, or has nothing, `DescribeStackEvents` decides.
///
/// # Errors
///
/// If neither can be read.
pub(super) async fn last_deploy(
    service: &impl StackService,
    stack: &StackDescription,
    ctx: OperationContext<'_>,
) -> Result<Vec<StackEvent>, DeployError> {
    if let Some(id) = stack.last_deploy() {
        let ids = stack.operations_since(id);
        match read_operations(service, &ids, &[], ctx).await {
            Ok(found) if !found.is_empty() => return Ok(sorted(found)),
            Err(DeployError::Interrupted) => return Err(DeployError::Interrupted),
            Ok(_) => {}
            Err(error) => skipped(&error, ctx),
        }
    }
    let events = ctx.read(|| service.events(&stack.id, None)).await?;
    Ok(since_last_start(sorted(events)))
}

/// Reads the events of operations, the latest operation and the latest event first. Of each operation, those that are older
/// than a known one may be missing.
pub(super) async fn read_operations(
    service: &impl StackService,
    ids: &[OperationId],
    known: &[StackEvent],
    ctx: OperationContext<'_>,
) -> Result<Vec<StackEvent>, DeployError> {
    let mut all = Vec::new();
    for id in ids {
        let mut known = known.iter().rev();
        let last = known.find(|event| event.operation.as_ref() == Some(id));
        let last = last.map(|event| event.id.as_str());
        let scope = EventScope::Operation(id.clone());
        all.extend(ctx.read(|| service.operation_events(&scope, last)).await?);
    }
    Ok(all)
}

/// Reports that `DescribeEvents` cannot be read, so that `DescribeStackEvents` is.
pub(super) fn skipped(error: &DeployError, ctx: OperationContext<'_>) {
    ctx.step(DeployStep::Skipped {
        what: "reading the operation's events with DescribeEvents, in favor of DescribeStackEvents",
        reason: &error.to_string(),
    });
}

/// Sorts events by time. Events of one moment stay in the order in which CloudFormation recorded them.
pub(super) fn sorted(latest_first: Vec<StackEvent>) -> Vec<StackEvent> {
    let mut events = latest_first;
    events.reverse();
    events.sort_by_key(|event| event.time);
    events
}

/// Returns the events since a stack's last creation or update began. A deletion after a failed creation belongs to the
/// creation.
fn since_last_start(mut events: Vec<StackEvent>) -> Vec<StackEvent> {
    let starts = |event: &StackEvent| {
        let starting = [
            "CREATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "IMPORT_IN_PROGRESS",
        ];
        event.is_about_stack() && starting.contains(&event.status.as_str())
    };
    let start = events.iter().rposition(starts).unwrap_or(0);
    events.split_off(start)
}
