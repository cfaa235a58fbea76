//! Checks before a deploy, and the notes about what they skip.

use std::cell::RefCell;

use stackgen_cfn::{Node, Sources};
use stackgen_deploy::{
    AccountError, AccountErrorKind, DeployStep, Interrupt, OffsetDateTime, OperationContext,
    RetryPolicy,
};

/// Runs a check in second 1000. Returns its result, and what it skipped.
pub(crate) async fn checked<T>(
    check: impl AsyncFnOnce(OperationContext<'_>) -> T,
) -> (T, Vec<String>) {
    let (retry, never) = (RetryPolicy::default(), Interrupt::never());
    let skipped = RefCell::new(Vec::new());
    let steps = |step: DeployStep<'_>| {
        if let DeployStep::Skipped { what, reason } = step {
            skipped.borrow_mut().push(format!("{what}: {reason}"));
        }
    };
    let ctx = OperationContext {
        retry: &retry,
        steps: &steps,
        interrupt: &never,
        now: || OffsetDateTime::from_unix_timestamp(1_000).unwrap(),
    };
    let result = check(ctx).await;
    (result, skipped.into_inner())
}

/// Parses a template.
pub(crate) fn parsed(text: &str) -> Node {
    stackgen_cfn::parse(Sources::new().add("template.yaml", text.to_owned())).unwrap()
}

/// Error of an operation.
pub(crate) fn error(kind: AccountErrorKind, operation: &'static str) -> AccountError {
    AccountError {
        kind,
        operation,
        message: "no".to_owned(),
        permission: format!("service:{operation}"),
    }
}
