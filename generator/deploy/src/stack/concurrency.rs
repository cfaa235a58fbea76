//! Reserved concurrency: a check before a deploy, because Lambda refuses too much of it only while the stack changes.

use super::error::StackError;
use super::ports::FunctionQuotas;
use super::types::MIN_UNRESERVED;
use crate::FunctionName;
use crate::error::{AccountErrorKind, DeployError};
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// Concurrent executions that a template reserves for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedConcurrency {
    /// The function.
    pub function: FunctionName,
    /// Number of concurrent executions.
    pub executions: u32,
}

/// Checks that the account can reserve what the functions of a template ask for. Without permission to read the quota, nothing
/// is checked.
///
/// # Errors
///
/// [`StackError::Concurrency`].
pub async fn check_concurrency(
    quotas: &impl FunctionQuotas,
    planned: &[ReservedConcurrency],
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    if planned.is_empty() {
        return Ok(());
    }
    let needed: u32 = planned.iter().map(|one| one.executions).sum();
    match available(quotas, planned, ctx).await {
        Ok(available) if needed > available => Err(StackError::Concurrency { needed, available }),
        Ok(_) => Ok(()),
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
            ctx.step(DeployStep::Skipped {
                what: "the check of reserved concurrency",
                reason: &error.to_string(),
            });
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns how many concurrent executions the functions can reserve: what they have, and what nobody has.
async fn available(
    quotas: &impl FunctionQuotas,
    planned: &[ReservedConcurrency],
    ctx: OperationContext<'_>,
) -> Result<u32, DeployError> {
    let unreserved = ctx.read(|| quotas.unreserved_concurrency()).await?;
    let mut available = unreserved.saturating_sub(MIN_UNRESERVED);
    for one in planned {
        let reserved = ctx.read(|| quotas.reserved_concurrency(&one.function));
        available += reserved.await?.unwrap_or(0);
    }
    Ok(available)
}
