//! Executing a change set, and following the operation to its end.

use std::collections::BTreeSet;

use super::cause::{cause_of, sorted};
use super::error::StackError;
use super::ports::StackService;
use super::types::{
    ChangeSet, ChangeSetStatus, StackDescription, StackEvent, StackName, StackOperation,
};
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// The result of an operation on a stack that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedStack {
    /// The stack afterwards.
    pub stack: StackDescription,
    /// Number of resources that were changed.
    pub changed: usize,
    /// Types of the resources that were deleted.
    pub deleted: BTreeSet<String>,
}

/// Executes a change set, and follows CloudFormation until the operation ends.
///
/// # Errors
///
/// [`StackError::Failed`] with the first cause, [`StackError::PlanOutdated`], and [`StackError::InterruptedRunning`] after
/// an interrupt: CloudFormation continues.
pub async fn execute(
    service: &impl StackService,
    stack: &StackName,
    change_set: &ChangeSet,
    ctx: OperationContext<'_>,
) -> Result<AppliedStack, StackError> {
    let token = token_of(change_set);
    start(service, change_set, &token, ctx).await?;
    let operation = StackOperation {
        name: stack.clone(),
        stack: change_set.stack.clone(),
        token,
    };
    follow(service, &operation, ctx).await
}

/// Follows a change set that an earlier run executed.
///
/// # Errors
///
/// Those of [`execute`].
pub async fn resume(
    service: &impl StackService,
    stack: &StackName,
    change_set: &ChangeSet,
    ctx: OperationContext<'_>,
) -> Result<AppliedStack, StackError> {
    ctx.step(DeployStep::Resuming);
    let operation = StackOperation {
        name: stack.clone(),
        stack: change_set.stack.clone(),
        token: token_of(change_set),
    };
    follow(service, &operation, ctx).await
}

/// Returns the token of an execution. It is the same in every run, and no other change set has it.
fn token_of(change_set: &ChangeSet) -> String {
    format!("stackgen-{}", change_set.id.unique())
}

/// Executes a change set. After a call whose answer was lost, looks whether it took effect.
async fn start(
    service: &impl StackService,
    change_set: &ChangeSet,
    token: &str,
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    let mut retries = ctx.retries();
    loop {
        ctx.interrupt.check()?;
        let error = match service.execute_change_set(&change_set.id, token).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // The request may have taken effect, or an earlier run may have made it.
        match service.change_set("", change_set.id.as_str()).await {
            Ok(Some(found)) if is_started(found.status) => return Ok(()),
            Ok(None) => {
                return Err(StackError::PlanOutdated {
                    reason: error.message,
                });
            }
            _ => {}
        }
        match retries.allow(&error) {
            true => retries.wait(&error).await?,
            false => return Err(error.into()),
        }
    }
}

fn is_started(status: ChangeSetStatus) -> bool {
    matches!(
        status,
        ChangeSetStatus::Executing | ChangeSetStatus::Executed
    )
}

/// Follows an operation to its end, and reports its events.
pub(super) async fn follow(
    service: &impl StackService,
    operation: &StackOperation,
    ctx: OperationContext<'_>,
) -> Result<AppliedStack, StackError> {
    let running = |error: StackError| match error {
        StackError::Deploy(crate::DeployError::Interrupted) => StackError::InterruptedRunning {
            stack: operation.name.clone(),
        },
        other => other,
    };
    let mut log = EventLog::default();
    let stack = loop {
        let stack = ctx.read(|| service.stack(operation.stack.as_str())).await;
        let stack = stack.map_err(|error| running(error.into()))?;
        // Read after the status, so that no event of an ended operation is missed.
        log.read(service, operation, ctx).await.map_err(running)?;
        let stack = stack.ok_or_else(|| StackError::NoStack {
            stack: operation.name.clone(),
        })?;
        if !stack.status.is_in_progress() {
            break stack;
        }
        let wait = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
        wait.map_err(|error| running(error.into()))?;
    };
    if stack.status.is_success() {
        return Ok(AppliedStack {
            stack,
            changed: log.changed(),
            deleted: log.deleted(),
        });
    }
    let cause = cause_of(service, operation, &log.events, ctx).await?;
    Err(StackError::Failed {
        stack: stack.id,
        status: stack.status,
        cause: cause.map(Box::new),
    })
}

/// Events of an operation that were reported, sorted by time.
#[derive(Debug, Default)]
struct EventLog {
    events: Vec<StackEvent>,
}

impl EventLog {
    /// Reads and reports new events. A failure is reported once and does not end the operation: events only inform.
    async fn read(
        &mut self,
        service: &impl StackService,
        operation: &StackOperation,
        ctx: OperationContext<'_>,
    ) -> Result<(), StackError> {
        let last = self.events.last().map(|event| event.id.clone());
        let read = ctx.read(|| service.events(&operation.stack, last.as_deref()));
        let found = match read.await {
            Ok(found) => found,
            Err(crate::DeployError::Interrupted) => {
                return Err(crate::DeployError::Interrupted.into());
            }
            Err(error) => {
                ctx.step(DeployStep::Skipped {
                    what: "reading the stack's events",
                    reason: &error.to_string(),
                });
                return Ok(());
            }
        };
        for event in sorted(found) {
            let is_own = event.token.as_deref() == Some(operation.token.as_str());
            if !is_own || self.events.iter().any(|known| known.id == event.id) {
                continue;
            }
            ctx.step(event.step());
            self.events.push(event);
        }
        Ok(())
    }

    /// Returns the types of the resources that were deleted.
    fn deleted(&self) -> BTreeSet<String> {
        let events = self.events.iter();
        let deleted = events.filter(|event| event.status == "DELETE_COMPLETE");
        deleted.map(|event| event.kind.clone()).collect()
    }

    /// Returns the number of resources that were changed.
    fn changed(&self) -> usize {
        let done = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"];
        let mut changed: Vec<&str> = self
            .events
            .iter()
            .filter(|event| !event.is_about_stack() && done.contains(&event.status.as_str()))
            .map(|event| event.logical_id.as_str())
            .collect();
        changed.sort_unstable();
        changed.dedup();
        changed.len()
    }
}
