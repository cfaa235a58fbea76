//! Invocations: who may, where to, and how often it is tried.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use stackgen_gateway_common::invoke::{
    Caller, Invocation, Invoke, InvokeError, InvokeErrorKind, Outcome,
};
use tokio::sync::oneshot;

use super::environment::Job;
use super::function::Function;
use super::pool::Submitted;
use super::{Functions, Host, Version};

/// The largest event: 6 MB.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
/// The largest event of an asynchronous invocation: 1 MB.
const LARGEST_LATER: usize = 1024 * 1024;
/// How often an asynchronous invocation that failed is tried again.
const RETRIES: u32 = 2;

impl Invoke for Functions {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Outcome, InvokeError>> {
        Box::pin(async move {
            let target = self.target(&invocation, LARGEST_EVENT)?;
            run(&self.host, &target, invocation, None).await
        })
    }
}

impl Functions {
    /// As [`Invoke::invoke`], with the lines that this invocation wrote.
    ///
    /// # Errors
    ///
    /// As [`Invoke::invoke`].
    pub async fn invoke_with_log(
        &self,
        invocation: Invocation,
    ) -> Result<(Outcome, Vec<String>), InvokeError> {
        let target = self.target(&invocation, LARGEST_EVENT)?;
        let (tail, lines) = oneshot::channel();
        let outcome = run(&self.host, &target, invocation, Some(tail)).await?;
        Ok((outcome, lines.await.unwrap_or_default()))
    }

    /// Invokes without waiting: an `Event`. It is tried again twice when it fails, later each time, and then it is lost.
    ///
    /// # Errors
    ///
    /// As [`Invoke::invoke`], as far as that is known at once.
    pub fn invoke_later(&self, invocation: Invocation) -> Result<(), InvokeError> {
        let target = self.target(&invocation, LARGEST_LATER)?;
        let host = self.host.clone();
        self.host.tasks.spawn(async move {
            let stop = host.stop.clone();
            stop.run_until_cancelled(insist(host, target, invocation))
                .await
        });
        Ok(())
    }

    /// Says whether an invocation would be let in: a `DryRun`.
    ///
    /// # Errors
    ///
    /// As [`Invoke::invoke`], as far as that is known at once.
    pub fn may_invoke(&self, invocation: &Invocation) -> Result<(), InvokeError> {
        self.target(invocation, LARGEST_EVENT).map(drop)
    }

    /// The version that an invocation is for, if the caller may invoke it (rows C7, A16, D19).
    fn target(&self, invocation: &Invocation, largest: usize) -> Result<Arc<Version>, InvokeError> {
        let refused = |kind, message| Err(InvokeError { kind, message });
        let arn = &invocation.function;
        let qualifier = arn.qualifier.as_deref();
        let function = self.find(&arn.name);
        let function = function.filter(|function| function.arn.scope == arn.scope);
        let found = function.and_then(|one| Some((one.version(qualifier)?, one)));
        let Some((version, function)) = found else {
            return refused(
                InvokeErrorKind::NotFound,
                format!("Function not found: {arn}"),
            );
        };
        if let Err(reason) = self.check(&function, invocation) {
            return refused(InvokeErrorKind::AccessDenied, reason);
        }
        let size = invocation.payload.len();
        if size > largest {
            return refused(
                InvokeErrorKind::TooLarge,
                format!(
                    "{size} byte payload is too large for the Invoke operation (limit {largest} bytes)"
                ),
            );
        }
        Ok(version)
    }

    fn check(&self, function: &Function, invocation: &Invocation) -> Result<(), String> {
        let arn = &invocation.function;
        match &invocation.caller {
            Caller::Account => Ok(()),
            Caller::Role(role) => {
                let roles = &self.host.roles;
                roles.check(role, "lambda:InvokeFunction", &arn.to_string())
            }
            Caller::ApiGateway { source_arn } => {
                if function.lets_api_gateway(arn.qualifier.as_deref(), source_arn) {
                    return Ok(());
                }
                Err(format!(
                    "the policy of {arn} has no statement that lets apigateway.amazonaws.com invoke it for {source_arn}"
                ))
            }
        }
    }
}

/// Gives an invocation to a version and waits for its answer.
async fn run(
    host: &Host,
    version: &Version,
    invocation: Invocation,
    tail: Option<oneshot::Sender<Vec<String>>>,
) -> Result<Outcome, InvokeError> {
    let throttled = || InvokeError {
        kind: InvokeErrorKind::TooManyRequests,
        message: "Rate Exceeded.".to_owned(),
    };
    let name = &invocation.function.name;
    let ended = || InvokeError {
        kind: InvokeErrorKind::Unrunnable,
        message: format!("{name} was stopped"),
    };
    if host.stop.is_cancelled() {
        return Err(ended());
    }
    let arn = invocation.function.to_string();
    let (job, mut answer) = Job::new(arn, invocation.payload, invocation.trace_id, tail);
    let request_id = job.request_id.clone();
    match version.pool.submit(job) {
        Submitted::Throttled => return Err(throttled()),
        Submitted::Taken => return answer.await.unwrap_or_else(|_| Err(ended())),
        Submitted::Waiting => {}
    }
    // Lambda throttles at once; here it may wait as long as an invocation may take, with the start of a process.
    let patience = version.configuration.timeout + host.settings.functions.init;
    let waited = tokio::time::timeout(patience, &mut answer);
    match host.stop.run_until_cancelled(waited).await {
        Some(Ok(answer)) => answer.unwrap_or_else(|_| Err(ended())),
        Some(Err(_)) if version.pool.take_back(&request_id) => Err(throttled()),
        None if version.pool.take_back(&request_id) => Err(ended()),
        // A process has it, and answers or is killed.
        _ => answer.await.unwrap_or_else(|_| Err(ended())),
    }
}

/// Tries until it goes well, or is given up.
async fn insist(host: Arc<Host>, version: Arc<Version>, invocation: Invocation) {
    for attempt in 0..=RETRIES {
        if attempt > 0 {
            tokio::time::sleep(host.settings.functions.retry * attempt).await;
        }
        let outcome = run(&host, &version, invocation.clone(), None).await;
        if outcome.is_ok_and(|outcome| !outcome.failed) {
            return;
        }
    }
}
