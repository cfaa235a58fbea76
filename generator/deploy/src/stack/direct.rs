//! Updating a stack without a change set.

use super::apply::{AppliedStack, follow, resume};
use super::change_set::{StackReadiness, readiness};
use super::delete::delete_failed;
use super::error::StackError;
use super::history::last_deploy;
use super::ports::StackService;
use super::status::Readiness;
use super::types::{StackDescription, StackOperation, StackRequest, StartedOperation};
use crate::DeployError;
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// The result of an update without a change set.
#[derive(Clone, Debug, PartialEq)]
pub enum DirectUpdate {
    /// The stack is as requested, and nothing changed.
    Unchanged(StackDescription),
    /// The stack was created or updated.
    Applied(AppliedStack),
}

/// Creates or updates a stack at once, and follows CloudFormation until the operation ends. An operation that an earlier run of
/// the same request started is followed, and not started again.
///
/// `run` is an ID that no other run has.
///
/// # Errors
///
/// Those of [`readiness`] and of [`execute`](super::apply::execute).
pub async fn update_directly(
    service: &impl StackService,
    request: &StackRequest,
    run: &str,
    ctx: OperationContext<'_>,
) -> Result<DirectUpdate, StackError> {
    let name = &request.stack;
    let found = match readiness(service, name, &request.change_set, ctx).await {
        Ok(StackReadiness::Stack(stack)) if stack.status.readiness() == Readiness::Update => {
            Some(stack)
        }
        // A stack that only has change sets cannot be updated directly.
        Ok(StackReadiness::Stack(stack) | StackReadiness::Failed(stack)) => {
            delete_failed(service, &stack, ctx).await?;
            None
        }
        Ok(StackReadiness::New) => None,
        Ok(StackReadiness::Running(running)) => {
            return resume(service, name, &running, ctx)
                .await
                .map(DirectUpdate::Applied);
        }
        Err(StackError::Busy { stack, status }) => {
            let Some(operation) = running(service, request, ctx).await? else {
                return Err(StackError::Busy { stack, status });
            };
            ctx.step(DeployStep::Resuming);
            return follow(service, &operation, ctx)
                .await
                .map(DirectUpdate::Applied);
        }
        Err(error) => return Err(error),
    };
    let token = format!("{}{run}", token_prefix(request));
    let Some(started) = start(service, request, found.as_ref(), &token, ctx).await? else {
        return found
            .map(DirectUpdate::Unchanged)
            .ok_or_else(|| StackError::NoStack {
                stack: name.clone(),
            });
    };
    let operation = StackOperation {
        name: name.clone(),
        stack: started.stack,
        token,
        id: started.id,
    };
    follow(service, &operation, ctx)
        .await
        .map(DirectUpdate::Applied)
}

/// Starts the operation; `None` if there is nothing to update. CloudFormation ignores a repeated request with the same token.
async fn start(
    service: &impl StackService,
    request: &StackRequest,
    found: Option<&StackDescription>,
    token: &str,
    ctx: OperationContext<'_>,
) -> Result<Option<StartedOperation>, StackError> {
    match found {
        None => Ok(Some(
            ctx.call(|| service.create_stack(request, token)).await?,
        )),
        Some(_) => Ok(ctx.call(|| service.update_stack(request, token)).await?),
    }
}

/// Returns the beginning of the tokens of all runs of a request. The name of the change set is a digest of the request.
fn token_prefix(request: &StackRequest) -> String {
    format!("{}-", request.change_set)
}

/// Returns the running operation of the stack if a run of the same request started it.
async fn running(
    service: &impl StackService,
    request: &StackRequest,
    ctx: OperationContext<'_>,
) -> Result<Option<StackOperation>, StackError> {
    let Some(stack) = ctx.read(|| service.stack(request.stack.as_str())).await? else {
        return Ok(None);
    };
    let events = match last_deploy(service, &stack, ctx).await {
        Ok(events) => events,
        Err(DeployError::Interrupted) => return Err(DeployError::Interrupted.into()),
        // That the stack is busy matters more.
        Err(error) => {
            ctx.step(DeployStep::Skipped {
                what: "looking whether an earlier run started the operation",
                reason: &error.to_string(),
            });
            return Ok(None);
        }
    };
    let latest = events.into_iter().rev().find_map(|event| event.token);
    let own = latest.filter(|token| token.starts_with(&token_prefix(request)));
    Ok(own.map(|token| StackOperation {
        name: request.stack.clone(),
        stack: stack.id,
        token,
        id: None,
    }))
}
