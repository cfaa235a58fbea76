//! Executing a change set, and following the operation to its end.

use std::collections::BTreeSet;

use super::cause::first_cause;
use super::error::StackError;
use super::operation_log::{OperationLog, wait_until_ended};
use super::ports::StackService;
use super::types::{ChangeSet, ChangeSetStatus, StackDescription, StackName, StackOperation};
use crate::AccountError;
use crate::progress::DeployStep;
use crate::retry::{MOST_STALE_READS, OperationContext};

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
        id: None,
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
        id: None,
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
    let mut reads = 1;
    loop {
        ctx.interrupt.check()?;
        let error = match service.execute_change_set(&change_set.id, token).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // The request may have taken effect, or an earlier run may have made it.
        if is_executed(service, change_set, reads, &error, ctx).await? {
            return Ok(());
        }
        match retries.allow(&error) {
            true => retries.wait(&error).await?,
            false => return Err(error.into()),
        }
        // If this attempt is refused, the reason may be that an earlier one took effect, which is not visible at once.
        reads = MOST_STALE_READS;
    }
}

/// True if a change set is executed already. Reads it so many times, until one shows that.
async fn is_executed(
    service: &impl StackService,
    change_set: &ChangeSet,
    reads: u32,
    error: &AccountError,
    ctx: OperationContext<'_>,
) -> Result<bool, StackError> {
    for read in 0..reads {
        if read > 0 {
            ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
        }
        match service.change_set("", change_set.id.as_str()).await {
            Ok(Some(found)) if is_started(found.status) => return Ok(true),
            Ok(None) if !error.is_transient() => {
                return Err(StackError::PlanOutdated {
                    reason: error.message.clone(),
                });
            }
            _ => {}
        }
    }
    Ok(false)
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
    let mut log = OperationLog::default();
    let stack = wait_until_ended(service, operation, &mut log, ctx).await?;
    if stack.status.is_success() {
        return Ok(AppliedStack {
            stack,
            changed: log.changed(),
            deleted: log.deleted(),
        });
    }
    let failures = log.failures(service, operation, ctx).await;
    let cause = first_cause(service, &failures, ctx).await;
    Err(StackError::Failed {
        stack: stack.id,
        status: stack.status,
        cause: cause.map(Box::new),
    })
}
