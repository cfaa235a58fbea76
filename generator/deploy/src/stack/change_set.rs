//! Preparing an update: a change set that shows what would change.

use tokio::time::Instant;

use super::delete::delete_failed;
use super::error::StackError;
use super::event::ValidationFinding;
use super::ports::{StackReader, StackService};
use super::status::Readiness;
use super::types::{
    ChangeSet, ChangeSetId, ChangeSetStatus, StackDescription, StackName, StackRequest,
};
use crate::DeployError;
use crate::progress::DeployStep;
use crate::retry::{MOST_STALE_READS, OperationContext};

/// The state of a stack before a deploy.
#[derive(Clone, Debug, PartialEq)]
pub enum StackReadiness {
    /// There is no stack of this name.
    New,
    /// A stack that can be updated, or that only has change sets so far.
    Stack(StackDescription),
    /// A stack whose creation failed. A deploy deletes it and creates it again.
    Failed(StackDescription),
    /// CloudFormation executes the change set of the same request: an earlier run was interrupted.
    Running(ChangeSet),
}

/// A prepared operation on a stack.
#[derive(Clone, Debug, PartialEq)]
pub enum PreparedUpdate {
    /// A change set that can be executed.
    Changes(ChangeSet),
    /// The stack is as the template says.
    Unchanged(StackDescription),
    /// CloudFormation executes this change set already: an earlier run was interrupted.
    Running(ChangeSet),
}

/// Reads the state of a stack. Changes nothing.
///
/// # Errors
///
/// [`StackError::Busy`] and [`StackError::Blocked`], except if the running operation executes the change set of this name.
pub async fn readiness(
    service: &impl StackService,
    stack: &StackName,
    change_set: &str,
    ctx: OperationContext<'_>,
) -> Result<StackReadiness, StackError> {
    let Some(mut found) = ctx.read(|| service.stack(stack.as_str())).await? else {
        return Ok(StackReadiness::New);
    };
    if found.status.readiness() == Readiness::Busy {
        let running = ctx.read(|| service.change_set(stack.as_str(), change_set));
        let running = running.await?;
        if let Some(running) = running.filter(|one| one.status == ChangeSetStatus::Executing) {
            return Ok(StackReadiness::Running(running));
        }
        // The operation may have ended between the two reads.
        let Some(again) = ctx.read(|| service.stack(stack.as_str())).await? else {
            return Ok(StackReadiness::New);
        };
        found = again;
    }
    match found.status.readiness() {
        Readiness::Create | Readiness::Update => Ok(StackReadiness::Stack(found)),
        Readiness::Recreate => Ok(StackReadiness::Failed(found)),
        Readiness::Busy => Err(StackError::Busy {
            stack: stack.clone(),
            status: found.status,
        }),
        Readiness::Blocked => Err(blocked(found)),
    }
}

/// Reads a stack that a deploy would update, also while an operation changes it: that may be an earlier run's. `None` if a
/// deploy would create the stack. Changes nothing.
///
/// # Errors
///
/// [`StackError::Blocked`].
pub async fn stack_to_update(
    service: &impl StackReader,
    stack: &StackName,
    ctx: OperationContext<'_>,
) -> Result<Option<StackDescription>, StackError> {
    let Some(found) = ctx.read(|| service.stack(stack.as_str())).await? else {
        return Ok(None);
    };
    match found.status.readiness() {
        // A stack that only has change sets has no template yet.
        Readiness::Create | Readiness::Recreate => Ok(None),
        Readiness::Update | Readiness::Busy => Ok(Some(found)),
        Readiness::Blocked => Err(blocked(found)),
    }
}

fn blocked(found: StackDescription) -> StackError {
    StackError::Blocked {
        stack: found.name,
        status: found.status,
        reason: found.reason,
    }
}

/// Prepares a request: deletes what a failed creation left, and creates a change set. A change set that an earlier run
/// created for the same request is used again.
///
/// # Errors
///
/// Those of [`readiness`], [`StackError::ChangeSetFailed`], [`StackError::ChangeSetTimedOut`].
pub async fn prepare(
    service: &impl StackService,
    request: &StackRequest,
    ctx: OperationContext<'_>,
) -> Result<PreparedUpdate, StackError> {
    let readiness = readiness(service, &request.stack, &request.change_set, ctx).await?;
    let found = match readiness {
        StackReadiness::Running(running) => return Ok(PreparedUpdate::Running(running)),
        StackReadiness::Failed(stack) => {
            delete_failed(service, &stack, ctx).await?;
            None
        }
        StackReadiness::New => None,
        StackReadiness::Stack(stack) => Some(stack),
    };
    let is_review = |stack: &StackDescription| stack.status.readiness() == Readiness::Create;
    let request = StackRequest {
        creates: found.as_ref().is_none_or(is_review),
        ..request.clone()
    };
    let made = make(service, &request, found.is_some(), ctx).await?;
    if made.status == ChangeSetStatus::Ready {
        for warning in findings(service, &made, ctx).await? {
            ctx.step(DeployStep::ValidationWarning {
                finding: &warning.to_string(),
            });
        }
        return Ok(PreparedUpdate::Changes(made));
    }
    // The findings are gone with the change set.
    let findings = match made.is_empty() {
        true => Vec::new(),
        false => findings(service, &made, ctx).await?,
    };
    discard(service, &made, request.creates, ctx).await?;
    match found.filter(|_| made.is_empty() && !request.creates) {
        Some(stack) => Ok(PreparedUpdate::Unchanged(stack)),
        None => Err(StackError::ChangeSetFailed {
            stack: request.stack,
            reason: made
                .reason
                .unwrap_or_else(|| "no reason is given".to_owned()),
            findings,
        }),
    }
}

/// Returns the findings of CloudFormation's validation. Where they cannot be read, there are none: they only inform.
async fn findings(
    service: &impl StackService,
    change_set: &ChangeSet,
    ctx: OperationContext<'_>,
) -> Result<Vec<ValidationFinding>, StackError> {
    match ctx
        .read(|| service.validation_findings(&change_set.id))
        .await
    {
        Ok(findings) => Ok(findings),
        Err(DeployError::Interrupted) => Err(DeployError::Interrupted.into()),
        Err(error) => {
            ctx.step(DeployStep::Skipped {
                what: "reading the findings of CloudFormation's validation",
                reason: &error.to_string(),
            });
            Ok(Vec::new())
        }
    }
}

/// Reads a change set again, before it is executed.
///
/// # Errors
///
/// [`StackError::PlanOutdated`] if it is gone, or if the stack changed since.
pub async fn reopen(
    service: &impl StackService,
    id: &ChangeSetId,
    ctx: OperationContext<'_>,
) -> Result<ChangeSet, StackError> {
    let found = ctx.read(|| service.change_set("", id.as_str())).await?;
    let outdated = |reason: &str| StackError::PlanOutdated {
        reason: reason.to_owned(),
    };
    match found {
        None => Err(outdated(
            "its change set is gone: another change set was executed since, or the stack was deleted",
        )),
        Some(found) if is_open(found.status) => Ok(found),
        Some(found) => {
            Err(outdated(found.reason.as_deref().unwrap_or(
                "its change set was executed, or the stack changed since",
            )))
        }
    }
}

fn is_open(status: ChangeSetStatus) -> bool {
    matches!(status, ChangeSetStatus::Ready | ChangeSetStatus::Executing)
}

/// Creates the change set, unless an earlier run did. Waits until CloudFormation has computed it.
async fn make(
    service: &impl StackService,
    request: &StackRequest,
    exists: bool,
    ctx: OperationContext<'_>,
) -> Result<ChangeSet, StackError> {
    let (stack, name) = (request.stack.as_str(), request.change_set.as_str());
    let earlier = match exists {
        true => ctx.read(|| service.change_set(stack, name)).await?,
        false => None,
    };
    if let Some(earlier) = earlier {
        match earlier.status {
            ChangeSetStatus::Ready => return Ok(earlier),
            ChangeSetStatus::Pending => {
                return computed(service, &request.stack, earlier.id, ctx).await;
            }
            _ => {
                ctx.call(|| service.delete_change_set(&earlier.id)).await?;
            }
        }
    }
    ctx.step(DeployStep::ComputingChanges);
    let id = create(service, request, ctx).await?;
    computed(service, &request.stack, id, ctx).await
}

/// Creates a change set. After a call whose answer was lost, looks whether it took effect.
async fn create(
    service: &impl StackService,
    request: &StackRequest,
    ctx: OperationContext<'_>,
) -> Result<ChangeSetId, StackError> {
    let mut retries = ctx.retries();
    loop {
        ctx.interrupt.check()?;
        let error = match service.create_change_set(request).await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        let (stack, name) = (request.stack.as_str(), &request.change_set);
        let is_lost = error.is_transient() || error.is_conflict();
        if is_lost && let Ok(Some(found)) = service.change_set(stack, name).await {
            return Ok(found.id);
        }
        match retries.allow(&error) {
            true => retries.wait(&error).await?,
            false => return Err(error.into()),
        }
    }
}

/// Waits until CloudFormation has computed a change set. A new one may not be visible at once.
async fn computed(
    service: &impl StackService,
    stack: &StackName,
    id: ChangeSetId,
    ctx: OperationContext<'_>,
) -> Result<ChangeSet, StackError> {
    let started = Instant::now();
    let mut missing_reads = 0;
    loop {
        match ctx.read(|| service.change_set("", id.as_str())).await? {
            Some(found) if found.status != ChangeSetStatus::Pending => return Ok(found),
            Some(_) => missing_reads = 0,
            None => missing_reads += 1,
        }
        if missing_reads >= MOST_STALE_READS {
            return Err(StackError::PlanOutdated {
                reason: "another run deleted its change set".to_owned(),
            });
        }
        if started.elapsed() > ctx.retry.change_set_timeout {
            return Err(StackError::ChangeSetTimedOut {
                stack: stack.clone(),
                after: ctx.retry.change_set_timeout,
            });
        }
        ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
    }
}

/// Deletes a change set, and the empty stack that came with it.
///
/// # Errors
///
/// If a call fails.
pub async fn discard(
    service: &impl StackService,
    made: &ChangeSet,
    creates: bool,
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    ctx.call(|| service.delete_change_set(&made.id)).await?;
    if creates {
        let token = format!("stackgen-{}", made.id.unique());
        ctx.call(|| service.delete_stack(&made.stack, None, &token))
            .await?;
    }
    Ok(())
}
