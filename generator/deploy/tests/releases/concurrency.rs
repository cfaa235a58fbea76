//! Reserved concurrency is checked against what the account has left.

use std::cell::RefCell;

use stackgen_deploy::stack::concurrency::{ReservedConcurrency, check_concurrency};
use stackgen_deploy::stack::{FunctionQuotas, StackError};
use stackgen_deploy::{
    AccountError, AccountErrorKind, AccountResult, DeployStep, FunctionName, Interrupt,
    OffsetDateTime, OperationContext, RetryPolicy,
};

/// An account with one function, `rooms`, that reserves 50.
struct Quotas {
    unreserved: AccountResult<u32>,
}

impl FunctionQuotas for Quotas {
    async fn unreserved_concurrency(&self) -> AccountResult<u32> {
        self.unreserved.clone()
    }

    async fn reserved_concurrency(&self, function: &FunctionName) -> AccountResult<Option<u32>> {
        Ok((function.as_str() == "rooms").then_some(50))
    }
}

/// Checks functions. Returns the result, and whether the check was skipped.
async fn check(
    unreserved: AccountResult<u32>,
    planned: &[(&str, u32)],
) -> (Result<(), StackError>, bool) {
    let (retry, never, skipped) = (
        RetryPolicy::default(),
        Interrupt::never(),
        RefCell::new(false),
    );
    let steps = |step: DeployStep<'_>| {
        if matches!(step, DeployStep::Skipped { .. }) {
            skipped.replace(true);
        }
    };
    let ctx = OperationContext {
        retry: &retry,
        steps: &steps,
        interrupt: &never,
        now: OffsetDateTime::now_utc,
    };
    let planned: Vec<_> = planned
        .iter()
        .map(|(name, executions)| ReservedConcurrency {
            function: FunctionName::new(*name),
            executions: *executions,
        })
        .collect();
    let checked = check_concurrency(&Quotas { unreserved }, &planned, ctx).await;
    (checked, skipped.into_inner())
}

#[tokio::test]
async fn a_hundred_executions_must_stay_unreserved() {
    assert_eq!(check(Ok(140), &[("new", 40)]).await, (Ok(()), false));
    let refused = Err(StackError::Concurrency {
        needed: 41,
        available: 40,
    });
    assert_eq!(check(Ok(140), &[("new", 41)]).await, (refused, false));
}

#[tokio::test]
async fn what_a_function_reserves_already_is_available_to_it() {
    let planned = [("rooms", 60), ("new", 30)];
    assert_eq!(check(Ok(140), &planned).await, (Ok(()), false));
}

#[tokio::test]
async fn without_the_permission_nothing_is_checked_and_the_run_says_so() {
    let denied = AccountError {
        kind: AccountErrorKind::AccessDenied,
        operation: "GetAccountSettings",
        message: "denied".to_owned(),
        permission: "lambda:GetAccountSettings".to_owned(),
    };
    assert_eq!(check(Err(denied), &[("new", 9000)]).await, (Ok(()), true));
}
