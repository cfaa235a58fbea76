//! Deleting a stack, and canceling an update.

use super::cause::first_cause;
use super::error::StackError;
use super::operation_log::{OperationLog, wait_until_ended};
use super::ports::StackService;
use super::status::Readiness;
use super::types::{StackDescription, StackId, StackName, StackOperation};
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
    let count = before.unwrap_or_default().len();
    let unique = stack.id.as_str().rsplit('/').next().unwrap_or_default();
    // Deleting a stack whose deletion failed is another operation, so the token counts the stack's events.
    let token = format!("stackgen-delete-{count}-{unique}");
    ctx.call(|| service.delete_stack(&stack.id, role_arn, &token))
        .await?;
    let operation = StackOperation {
        name: stack.name.clone(),
        stack: stack.id.clone(),
        token,
        id: None,
    };
    let mut log = OperationLog::default();
    match wait_until_ended(service, &operation, &mut log, ctx).await {
        Ok(now) if !now.status.is_deleted() => {
            let failures = log.failures(service, &operation, ctx).await;
            let cause = first_cause(service, &failures, ctx).await;
            return Err(StackError::Failed {
                stack: now.id,
                status: now.status,
                cause: cause.map(Box::new),
            });
        }
        Ok(_) | Err(StackError::NoStack { .. }) => {}
        Err(error) => return Err(error),
    }
    let events = log.events().iter();
    let skipped = events.filter(|event| event.status == "DELETE_SKIPPED");
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
