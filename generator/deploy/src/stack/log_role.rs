//! The role by which API Gateway writes logs: a check before a deploy, because API Gateway refuses a stage with logs without
//! it (row L3).

use super::error::StackError;
use super::ports::GatewaySettings;
use crate::error::{AccountErrorKind, DeployError};
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// Checks that the settings of API Gateway name a role for CloudWatch Logs. Without permission to read them, nothing is checked.
///
/// # Errors
///
/// [`StackError::NoLogRole`].
pub async fn check_log_role(
    settings: &impl GatewaySettings,
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    match ctx.read(|| settings.log_role()).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(StackError::NoLogRole),
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
            ctx.step(DeployStep::Skipped {
                what: "the check of API Gateway's role for logs",
                reason: &error.to_string(),
            });
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
