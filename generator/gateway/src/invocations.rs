//! Asynchronous invocations by schedules, rules and topics, and the reasons why invocations fail.

use std::time::{Duration, Instant};

use bytes::Bytes;
use stackgen_gateway_apis::websocket::InvocationLog;
use stackgen_gateway_common::invoke::{
    Invocation, InvocationCaller, InvocationOutcome, InvokeError,
};
use stackgen_gateway_common::{
    EpochMillis, FailureEvidence, FunctionArn, ThrownError, trace_id_or_new,
};
use stackgen_gateway_lambda::functions::Functions;

/// Result of an asynchronous invocation.
pub(crate) struct AsyncReport {
    /// Reason in words, if it failed.
    pub(crate) reason: Option<String>,
    /// Evidence of the function that failed.
    pub(crate) evidence: Option<FailureEvidence>,
    /// Time from the first attempt to the end of the last one.
    pub(crate) took: Duration,
}

/// Invokes a function asynchronously, with its retries. A refusal is not retried. Returns `None` if the gateway stopped.
pub(crate) async fn invoke_async(
    functions: &Functions,
    function: FunctionArn,
    caller: InvocationCaller,
    payload: Bytes,
) -> Option<AsyncReport> {
    let (log, lines) = InvocationLog::new();
    let started = Instant::now();
    let accepted = functions.accept_async(Invocation {
        function,
        payload,
        caller,
        trace_id: trace_id_or_new(None, EpochMillis::now()),
        log: Some(log),
    });
    let outcome = match accepted {
        Ok(accepted) => accepted.run().await?,
        Err(error) => Err(error),
    };
    let took = started.elapsed();
    let reason = failure_reason(&outcome);
    let evidence = match reason {
        Some(_) => failure_evidence(&outcome, lines).await,
        None => None,
    };
    Some(AsyncReport {
        reason,
        evidence,
        took,
    })
}

/// Returns why an invocation failed.
pub(crate) fn failure_reason(outcome: &Result<InvocationOutcome, InvokeError>) -> Option<String> {
    match outcome {
        Ok(outcome) => outcome.failed.then(|| "the function failed".to_owned()),
        Err(error) => Some(error.message.clone()),
    }
}

/// Returns the evidence of a failure, unless the function was not invoked.
pub(crate) async fn failure_evidence(
    outcome: &Result<InvocationOutcome, InvokeError>,
    lines: InvocationLog,
) -> Option<FailureEvidence> {
    let outcome = outcome.as_ref().ok()?;
    Some(FailureEvidence {
        error: match outcome.failed {
            true => ThrownError::read(&outcome.payload),
            false => None,
        },
        log: lines.first_lines().await,
    })
}
