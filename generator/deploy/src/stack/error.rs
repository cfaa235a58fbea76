//! Errors of operations on stacks.

use std::time::Duration;

use thiserror::Error;

use super::event::{FailureCause, ValidationFinding};
use super::fixed_names::FixedName;
use super::quota::QuotaExceeded;
use super::remedy::remedy;
use super::status::StackStatus;
use super::types::{MIN_UNRESERVED, StackId, StackName};
use crate::DeployError;
use crate::error::AccountError;

/// Error of an operation on a stack.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs, reason = "the messages explain the fields")]
pub enum StackError {
    #[error(transparent)]
    Deploy(#[from] DeployError),
    #[error("there is no stack {stack} in this account and region")]
    NoStack { stack: StackName },
    #[error("another operation changes stack {stack}: its status is {status}")]
    Busy {
        stack: StackName,
        status: StackStatus,
    },
    #[error(
        "stack {stack} cannot be deployed: its status is {status}{}",
        reason_text(reason)
    )]
    Blocked {
        stack: StackName,
        status: StackStatus,
        reason: Option<String>,
    },
    #[error("CloudFormation refuses the changes of stack {stack}: {reason}")]
    ChangeSetFailed {
        stack: StackName,
        reason: String,
        findings: Vec<ValidationFinding>,
    },
    #[error("CloudFormation did not compute the changes of stack {stack} within {} s", .after.as_secs())]
    ChangeSetTimedOut { stack: StackName, after: Duration },
    #[error("the plan does not apply any more: {reason}")]
    PlanOutdated { reason: String },
    #[error("{}", failed_text(.stack, .status, .cause.as_deref()))]
    Failed {
        stack: StackId,
        status: StackStatus,
        cause: Option<Box<FailureCause>>,
    },
    #[error("no update of stack {stack} runs: its status is {status}")]
    NothingToCancel {
        stack: StackName,
        status: StackStatus,
    },
    #[error("stack {stack} has termination protection")]
    TerminationProtected { stack: StackName },
    #[error("the template has {size} bytes, and CloudFormation accepts {limit}")]
    TemplateTooLarge { size: usize, limit: usize },
    #[error(
        "the functions reserve {needed} concurrent executions, and the account can give them {available}: {} must stay unreserved",
        MIN_UNRESERVED
    )]
    Concurrency { needed: u32, available: u32 },
    #[error(
        "a stage writes logs, and API Gateway has no role for CloudWatch Logs in this account and region (row L3)"
    )]
    NoLogRole,
    #[error("{} already outside of stack {stack}", exist_text(taken))]
    NamesTaken {
        stack: StackName,
        taken: Vec<FixedName>,
    },
    #[error("{}", list_text(.0))]
    Quotas(Vec<QuotaExceeded>),
    #[error("there is no bucket {bucket} in this account")]
    NoBucket { bucket: String },
    #[error("bucket {bucket} is in {actual}, and the stack is deployed to {expected}")]
    BucketRegion {
        bucket: String,
        actual: String,
        expected: String,
    },
    #[error("interrupted while CloudFormation works on stack {stack}, which it continues")]
    InterruptedRunning { stack: StackName },
}

impl StackError {
    /// Returns what to do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            StackError::Deploy(error) => return error.hint(),
            StackError::NoStack { .. } => {
                "check the environment, the account and `--region`".to_owned()
            }
            StackError::Busy { status, .. } | StackError::Blocked { status, .. } => {
                status.remedy().to_owned()
            }
            StackError::ChangeSetFailed { .. } => {
                "nothing was changed; mend the template, and run it again".to_owned()
            }
            StackError::ChangeSetTimedOut { .. } => {
                "nothing was changed; run it again: it waits for the same change set".to_owned()
            }
            StackError::PlanOutdated { .. } => {
                "nothing was changed; make a new plan with `stackgen deploy --plan-out FILE`".to_owned()
            }
            StackError::Failed {
                stack,
                status,
                cause,
            } => failed_hint(stack, status, cause.as_deref()),
            StackError::NothingToCancel { .. } => {
                "only a running update can be canceled; a stack that is created can be deleted with `stackgen destroy`"
                    .to_owned()
            }
            StackError::TerminationProtected { .. } => {
                "turn it off with `aws cloudformation update-termination-protection --no-enable-termination-protection`"
                    .to_owned()
            }
            StackError::TemplateTooLarge { .. } => {
                "split the stack: stackgen.yaml describes one API of each protocol".to_owned()
            }
            StackError::Concurrency { .. } => {
                "lower `reservedConcurrency`, or raise the quota of concurrent executions of the account"
                    .to_owned()
            }
            StackError::NoLogRole => {
                "set it once: `aws apigateway update-account --patch-operations \
                 op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN`, with a role that has the policy \
                 AmazonAPIGatewayPushToCloudWatchLogs"
                    .to_owned()
            }
            StackError::NamesTaken { .. } => {
                "another stack or a person created them, or a deleted stack retained them: delete them, or give the environment or the resources another name"
                    .to_owned()
            }
            StackError::Quotas(exceeded) => quotas_hint(exceeded),
            StackError::NoBucket { .. } => {
                "create the bucket for artifacts with `stackgen bootstrap`, or name another one with `--bucket`"
                    .to_owned()
            }
            StackError::BucketRegion { .. } => {
                "name a bucket of the stack's region with `--bucket`".to_owned()
            }
            StackError::InterruptedRunning { .. } => {
                "run the same command again to follow it to the end, or undo it with `stackgen cancel`".to_owned()
            }
        };
        Some(hint)
    }

    /// True if the input was wrong, as opposed to an operation that failed.
    pub fn is_bad_input(&self) -> bool {
        match self {
            StackError::Deploy(error) => error.is_bad_input(),
            StackError::TemplateTooLarge { .. } => true,
            _ => false,
        }
    }
}

impl From<AccountError> for StackError {
    fn from(error: AccountError) -> Self {
        StackError::Deploy(error.into())
    }
}

fn exist_text(taken: &[FixedName]) -> String {
    let names: Vec<_> = taken.iter().map(FixedName::to_string).collect();
    match names.as_slice() {
        [name] => format!("{name} exists"),
        names => format!("{} exist", names.join(", ")),
    }
}

fn list_text(exceeded: &[QuotaExceeded]) -> String {
    let texts: Vec<_> = exceeded.iter().map(QuotaExceeded::to_string).collect();
    texts.join("; ")
}

fn quotas_hint(exceeded: &[QuotaExceeded]) -> String {
    let mut hints: Vec<_> = exceeded.iter().map(|one| one.quota.remedy()).collect();
    hints.dedup();
    hints.join("; ")
}

fn reason_text(reason: &Option<String>) -> String {
    match reason {
        Some(reason) => format!(" ({reason})"),
        None => String::new(),
    }
}

fn failed_hint(stack: &StackId, status: &StackStatus, cause: Option<&FailureCause>) -> String {
    let state = match status.is_deleted() {
        true => format!(
            "mend the cause, and run it again; the stack is deleted, and its events remain under {stack}"
        ),
        false => status.remedy().to_owned(),
    };
    let reason = cause.and_then(|cause| cause.reason.as_deref());
    match reason.and_then(remedy) {
        Some(remedy) => format!("{remedy}; {state}"),
        None => state,
    }
}

fn failed_text(stack: &StackId, status: &StackStatus, cause: Option<&FailureCause>) -> String {
    // ARN: `arn:…:stack/NAME/UUID`.
    let name = stack.as_str().split('/').nth(1).unwrap_or_default();
    match cause {
        Some(cause) => format!("stack {name} failed: {cause}"),
        None => format!("stack {name} failed: its status is {status}"),
    }
}
