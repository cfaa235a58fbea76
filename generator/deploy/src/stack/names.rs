//! Names of functions that are taken: a check before a creation, because CloudFormation refuses them only later.

use super::error::StackError;
use super::ports::StackReader;
use super::types::StackName;
use crate::error::{AccountErrorKind, DeployError};
use crate::progress::DeployStep;
use crate::retry::OperationContext;
use crate::{Account, FunctionName};

/// Checks that no function of a stack that does not exist yet exists already. Without permission to read one, nothing is
/// checked.
///
/// # Errors
///
/// [`StackError::NamesTaken`].
pub async fn check_names(
    account: &(impl Account + StackReader),
    stack: &StackName,
    functions: &[FunctionName],
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    // What a failed creation left has the stack's names.
    if functions.is_empty() || ctx.read(|| account.stack(stack.as_str())).await?.is_some() {
        return Ok(());
    }
    let mut taken = Vec::new();
    for function in functions {
        match ctx.read(|| account.function(function, None)).await {
            Ok(_) => taken.push(function.clone()),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
                ctx.step(DeployStep::Skipped {
                    what: "the check of names that are taken",
                    reason: &error.to_string(),
                });
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    match taken.is_empty() {
        true => Ok(()),
        false => Err(StackError::NamesTaken {
            stack: stack.clone(),
            functions: taken,
        }),
    }
}
