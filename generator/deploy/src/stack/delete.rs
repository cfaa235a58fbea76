//! Deleting a stack, and canceling an update.

use super::cause::{first_cause, sorted};
use super::error::StackError;
use super::ports::StackService;
use super::status::Readiness;
use super::types::{StackDescription, StackEvent, StackId, StackName};
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// The result of deleting a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletedStack {
    /// The stack.
    pub stack: StackId,
    /// Resources that stay in the account because the template retains them: logical ID, type and physical ID.
    pub retained: Vec<RetainedResource>,
}

/// A resource that a deleted stack left in the account.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetainedResource {
    /// The logical ID.
    pub logical_id: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The physical ID.
    pub physical_id: Option<String>,
}

/// Deletes a stack, and waits until it is gone.
///
/// # Errors
///
/// [`StackError::NoStack`], [`StackError::Busy`], [`StackError::TerminationProtected`], [`StackError::Failed`].
pub async fn delete(
    service: &impl StackService,
    name: &StackName,
    role_arn: Option<&str>,
    ctx: OperationContext<'_>,
) -> Result<DeletedStack, StackError> {
    let found = ctx.read(|| service.stack(name.as_str())).await?;
    let stack = found.ok_or_else(|| StackError::NoStack {
        stack: name.clone(),
    })?;
    if stack.termination_protection {
        return Err(StackError::TerminationProtected {
            stack: name.clone(),
        });
    }
    let is_deleted_already = stack.status.name() == "DELETE_IN_PROGRESS";
    if stack.status.readiness() == Readiness::Busy && !is_deleted_already {
        return Err(StackError::Busy {
            stack: name.clone(),
            status: stack.status,
        });
    }
    remove(service, &stack, role_arn, ctx).await
}

/// Deletes a stack whose creation failed.
pub(super) async fn delete_failed(
    service: &impl StackService,
    stack: &StackDescription,
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    ctx.step(DeployStep::DeletingFailedStack {
        status: stack.status.name(),
    });
    remove(service, stack, stack.role_arn.as_deref(), ctx)
        .await
        .map(drop)
}

async fn remove(
    service: &impl StackService,
    stack: &StackDescription,
    role_arn: Option<&str>,
    ctx: OperationContext<'_>,
) -> Result<DeletedStack, StackError> {
    let before = ctx.read(|| service.events(&stack.id, None)).await;
    let known: Vec<String> = before
        .unwrap_or_default()
        .into_iter()
        .map(|event| event.id)
        .collect();
    let unique = stack.id.as_str().rsplit('/').next().unwrap_or_default();
    // Deleting a stack whose deletion failed is another operation, so the token counts the stack's events.
    let token = format!("stackgen-delete-{}-{unique}", known.len());
    ctx.call(|| service.delete_stack(&stack.id, role_arn, &token))
        .await?;
    let mut events: Vec<StackEvent> = Vec::new();
    loop {
        let now = ctx.read(|| service.stack(stack.id.as_str())).await;
        let read = ctx.read(|| service.events(&stack.id, None)).await;
        for event in sorted(read.unwrap_or_default()) {
            let is_known = known.contains(&event.id) || events.iter().any(|one| one.id == event.id);
            if !is_known {
                ctx.step(event.step());
                events.push(event);
            }
        }
        match now.map_err(|error| interrupted(error, &stack.name))? {
            Some(now) if now.status.is_in_progress() => {}
            Some(now) if !now.status.is_deleted() => {
                let cause = first_cause(service, &events, ctx).await?;
                return Err(StackError::Failed {
                    stack: now.id,
                    status: now.status,
                    cause: cause.map(Box::new),
                });
            }
            _ => break,
        }
        let wait = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
        wait.map_err(|error| interrupted(error, &stack.name))?;
    }
    let skipped = events
        .iter()
        .filter(|event| event.status == "DELETE_SKIPPED");
    let retained = skipped.map(|event| RetainedResource {
        logical_id: event.logical_id.clone(),
        kind: event.kind.clone(),
        physical_id: event.physical_id.clone(),
    });
    Ok(DeletedStack {
        stack: stack.id.clone(),
        retained: retained.collect(),
    })
}

fn interrupted(error: crate::DeployError, stack: &StackName) -> StackError {
    match error {
        crate::DeployError::Interrupted => StackError::InterruptedRunning {
            stack: stack.clone(),
        },
        other => other.into(),
    }
}

/// Cancels a running update, and waits until the earlier state is restored.
///
/// # Errors
///
/// [`StackError::NoStack`]; [`StackError::Blocked`] if no update runs.
pub async fn cancel(
    service: &impl StackService,
    name: &StackName,
    ctx: OperationContext<'_>,
) -> Result<StackDescription, StackError> {
    let found = ctx.read(|| service.stack(name.as_str())).await?;
    let stack = found.ok_or_else(|| StackError::NoStack {
        stack: name.clone(),
    })?;
    if stack.status.name() != "UPDATE_IN_PROGRESS" {
        return Err(StackError::NothingToCancel {
            stack: name.clone(),
            status: stack.status,
        });
    }
    ctx.call(|| service.cancel_update(&stack.id)).await?;
    loop {
        let now = ctx.read(|| service.stack(stack.id.as_str())).await;
        match now.map_err(|error| interrupted(error, name))? {
            Some(now) if !now.status.is_in_progress() => return Ok(now),
            Some(_) => {}
            None => {
                return Err(StackError::NoStack {
                    stack: name.clone(),
                });
            }
        }
        let wait = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
        wait.map_err(|error| interrupted(error, name))?;
    }
}
