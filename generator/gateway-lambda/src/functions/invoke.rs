//! Invocations: permissions, limits and retries.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use stackgen_gateway_common::FunctionArn;
use stackgen_gateway_common::invoke::{
    Invocation, InvocationCaller, InvocationOutcome, Invoke, InvokeError, InvokeErrorKind,
};
use tokio::sync::mpsc;

use super::environment::QueuedInvocation;
use super::function::FunctionRecord;
use super::pool::SubmitResult;
use super::{FunctionHost, FunctionVersion, Functions};

/// Maximum size of an event: 6 MB.
const MAX_EVENT: usize = 6 * 1024 * 1024;

impl Invoke for Functions {
    fn invoke(
        &self,
        invocation: Invocation,
    ) -> BoxFuture<'_, Result<InvocationOutcome, InvokeError>> {
        Box::pin(async move {
            let target = self.target(&invocation, MAX_EVENT)?;
            run_invocation(&self.host, &target, invocation).await
        })
    }
}

impl Functions {
    /// Invokes a function as [`Invoke::invoke`] does, and also returns the log lines of the invocation.
    ///
    /// # Errors
    ///
    /// As [`Invoke::invoke`].
    pub async fn invoke_with_log(
        &self,
        invocation: Invocation,
    ) -> Result<(InvocationOutcome, Vec<String>), InvokeError> {
        let (log, mut lines) = mpsc::unbounded_channel();
        let log = Some(log);
        let outcome = self.invoke(Invocation { log, ..invocation }).await?;
        Ok((outcome, lines.recv().await.unwrap_or_default()))
    }

    /// Checks whether an invocation is allowed: `DryRun`.
    ///
    /// # Errors
    ///
    /// If the invocation is not allowed, or its payload is too large.
    pub fn check_invocation(&self, invocation: &Invocation) -> Result<(), InvokeError> {
        self.target(invocation, MAX_EVENT).map(drop)
    }

    /// Returns the version to invoke, if the caller may invoke it (rows C7, A16, D19).
    pub(super) fn target(
        &self,
        invocation: &Invocation,
        max_size: usize,
    ) -> Result<Arc<FunctionVersion>, InvokeError> {
        let error = |kind, message| Err(InvokeError { kind, message });
        let arn = &invocation.function;
        let qualifier = arn.qualifier.as_deref();
        let function = self.find(&arn.name);
        let function = function.filter(|function| function.arn.scope == arn.scope);
        let found = function.and_then(|function| Some((function.version(qualifier)?, function)));
        let Some((version, function)) = found else {
            return error(
                InvokeErrorKind::NotFound,
                format!("Function not found: {arn}"),
            );
        };
        if let Err(reason) = self.check_permission(&function, invocation) {
            return error(InvokeErrorKind::AccessDenied, reason);
        }
        let size = invocation.payload.len();
        if size > max_size {
            return error(
                InvokeErrorKind::TooLarge,
                format!(
                    "{size} byte payload is too large for the Invoke operation (limit {max_size} bytes)"
                ),
            );
        }
        Ok(version)
    }

    fn check_permission(
        &self,
        function: &FunctionRecord,
        invocation: &Invocation,
    ) -> Result<(), String> {
        let arn = &invocation.function;
        match &invocation.caller {
            InvocationCaller::Account => Ok(()),
            InvocationCaller::Role(role) => {
                let roles = &self.host.roles;
                roles.check(role, "lambda:InvokeFunction", &arn.to_string())
            }
            InvocationCaller::ApiGateway { source_arn } => {
                check_policy(function, arn, "apigateway.amazonaws.com", source_arn)
            }
            InvocationCaller::Service {
                principal,
                source_arn,
            } => check_policy(function, arn, principal, source_arn),
        }
    }
}

/// Checks whether the policy of a function allows a service to invoke it.
fn check_policy(
    function: &FunctionRecord,
    arn: &FunctionArn,
    principal: &str,
    source_arn: &str,
) -> Result<(), String> {
    match function.allows_service(arn.qualifier.as_deref(), principal, source_arn) {
        true => Ok(()),
        false => Err(format!(
            "the policy of {arn} does not allow {principal} to invoke it for {source_arn}"
        )),
    }
}

/// Runs an invocation on a version and waits for the answer.
pub(super) async fn run_invocation(
    host: &FunctionHost,
    version: &FunctionVersion,
    invocation: Invocation,
) -> Result<InvocationOutcome, InvokeError> {
    let throttled = || InvokeError {
        kind: InvokeErrorKind::TooManyRequests,
        message: "Rate Exceeded.".to_owned(),
    };
    let name = invocation.function.name.clone();
    let stopped = || InvokeError {
        kind: InvokeErrorKind::Unrunnable,
        message: format!("{name} was stopped"),
    };
    if host.stop.is_cancelled() {
        return Err(stopped());
    }
    let (queued, mut answer) = QueuedInvocation::new(invocation);
    let request_id = queued.request_id.clone();
    match version.pool.submit(queued) {
        SubmitResult::Throttled => return Err(throttled()),
        SubmitResult::Taken => return answer.await.unwrap_or_else(|_| Err(stopped())),
        SubmitResult::Waiting => {}
    }
    // Lambda throttles at once. The local limit of environments is far lower, so invocations wait here as long as an
    // invocation and the start of a process may take.
    let max_wait = version.configuration.timeout + host.settings.functions.init;
    let waited = tokio::time::timeout(max_wait, &mut answer);
    match host.stop.run_until_cancelled(waited).await {
        Some(Ok(answer)) => answer.unwrap_or_else(|_| Err(stopped())),
        Some(Err(_)) if version.pool.cancel_waiting(&request_id) => Err(throttled()),
        None if version.pool.cancel_waiting(&request_id) => Err(stopped()),
        // A process has accepted it, and will answer or be killed.
        _ => answer.await.unwrap_or_else(|_| Err(stopped())),
    }
}
