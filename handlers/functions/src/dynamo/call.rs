//! Asking, and asking again: one call of a port is one or several requests within one budget of time.

use std::error::Error as _;
use std::time::Duration;

use aws_sdk_dynamodb::Error;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use live_session_core::ports::StoreError;
use tokio::time::{Instant, sleep, timeout_at};

use super::item::Item;

/// How long and how often a table is asked.
///
/// The SDK's own retries are off, so that there is one policy: the SDK gives up a transaction that conflicts with another
/// one, which is what happens here when many people come at once, and does not know how much time the function has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// For one call of a port, all its requests and pauses together. A function has 25 seconds, and API Gateway waits 29
    /// (row C8); several calls must find room in that.
    pub budget: Duration,
    /// For one request. DynamoDB answers within milliseconds; one that does not answer is asked on a new connection.
    pub request: Duration,
    /// The longest first pause. Each further one may be twice as long; how long it really is, is random (full jitter), so
    /// that those who collided do not meet again.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            budget: Duration::from_secs(3),
            request: Duration::from_millis(1000),
            first_pause: Duration::from_millis(25),
            longest_pause: Duration::from_millis(400),
        }
    }
}

/// What went wrong with a request.
#[derive(Debug)]
pub(super) enum Failed {
    /// Its condition did not hold; the item, if there is one.
    Condition(Option<Item>),
    /// A transaction was cancelled; a reason for each of its parts.
    Cancelled(Vec<CancellationReason>),
    /// Turned away: nothing happened, and later it may go well.
    Busy,
    /// No answer, or a failure on the other side: nobody knows whether it happened. Asking again tells.
    Lost(String),
    /// Asking again does not help: a missing permission or table, a request that is wrong.
    Hopeless(String),
}

/// A call of a port, as far as it has got.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: &'static str,
    retry: Retry,
    deadline: Instant,
    pauses: u32,
    /// Whether a write of this call may have happened although its answer was lost. What the table then holds may be
    /// this call's own doing.
    pub(super) unsure: bool,
}

impl Call {
    pub(super) fn new(operation: &'static str, retry: Retry) -> Self {
        Call {
            operation,
            retry,
            deadline: Instant::now() + retry.budget,
            pauses: 0,
            unsure: false,
        }
    }

    /// Sends a request once.
    pub(super) async fn send<T, E>(
        &self,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failed>
    where
        Error: From<SdkError<E, HttpResponse>>,
    {
        let until = self.deadline.min(Instant::now() + self.retry.request);
        match timeout_at(until, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let answer = error.raw_response();
                let theirs = answer.is_some_and(|answer| answer.status().is_server_error());
                Err(match failed(error.into()) {
                    // A failure on their side, whatever its code.
                    Failed::Hopeless(code) if theirs => Failed::Lost(code),
                    failed => failed,
                })
            }
            Err(_) => Err(Failed::Lost("no answer in time".to_owned())),
        }
    }

    /// Pauses before the same write is sent again.
    pub(super) async fn write_again(&mut self, failed: Failed) -> Result<(), StoreError> {
        self.unsure |= matches!(failed, Failed::Lost(_));
        self.again(failed).await
    }

    /// Pauses before the request is sent again. An error if it would fail again, or if there is no time left.
    pub(super) async fn again(&mut self, failed: Failed) -> Result<(), StoreError> {
        let growth = 2u32.saturating_pow(self.pauses);
        let longest = self
            .retry
            .first_pause
            .saturating_mul(growth)
            .min(self.retry.longest_pause);
        let next = Instant::now() + longest.mul_f64(fastrand::f64());
        let hopeless = !matches!(failed, Failed::Busy | Failed::Lost(_));
        if hopeless || next >= self.deadline {
            return Err(self.give_up(failed));
        }
        self.pauses += 1;
        sleep(next - Instant::now()).await;
        Ok(())
    }

    fn give_up(&self, failed: Failed) -> StoreError {
        let operation = self.operation;
        let reason = match failed {
            Failed::Busy => return StoreError::Throttled { operation },
            Failed::Lost(reason) | Failed::Hopeless(reason) => reason,
            Failed::Condition(_) => "a condition failed that was not set".to_owned(),
            Failed::Cancelled(reasons) => {
                let codes: Vec<_> = reasons
                    .iter()
                    .filter_map(CancellationReason::code)
                    .collect();
                format!("the transaction was cancelled: {}", codes.join(", "))
            }
        };
        StoreError::Unavailable { operation, reason }
    }
}

/// Codes of requests that were turned away: nothing happened.
const BUSY: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

/// Codes of failures after which nobody knows.
const LOST: [&str; 4] = [
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    // An earlier request with this token, whose answer was lost, is not done yet.
    "TransactionInProgressException",
];

fn failed(error: Error) -> Failed {
    match error {
        Error::ConditionalCheckFailedException(error) => return Failed::Condition(error.item),
        Error::TransactionCanceledException(error) => {
            return Failed::Cancelled(error.cancellation_reasons.unwrap_or_default());
        }
        _ => {}
    }
    match error.code() {
        Some(code) if BUSY.contains(&code) => Failed::Busy,
        Some(code) if LOST.contains(&code) => Failed::Lost(code.to_owned()),
        // These texts have names in them, of the caller, the action and the table, and no data.
        Some(code @ ("AccessDeniedException" | "ResourceNotFoundException")) => {
            Failed::Hopeless(format!("{code}: {}", error.message().unwrap_or_default()))
        }
        Some(code) => Failed::Hopeless(code.to_owned()),
        None => Failed::Lost(causes(&error)),
    }
}

/// What the SDK says about a request that got no proper answer, from the outside in.
fn causes(error: &Error) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts.dedup();
    texts.join(": ")
}

/// What the reasons of a cancelled transaction come to.
pub(super) enum Verdict {
    /// Conditions did not hold: for each part whether its did, and the item if it did not.
    Conditions(Vec<Check>),
    /// It met another transaction, or too many requests: nothing happened, and later it may go well.
    Busy,
    /// Something else.
    Hopeless,
}

/// Whether the condition of a part of a transaction held.
#[derive(Debug)]
pub(super) enum Check {
    Held,
    /// It did not; the item, if there is one.
    Failed(Option<Item>),
}

/// Reads the reasons by their codes, which are an interface; the texts are not.
pub(super) fn verdict(reasons: &[CancellationReason]) -> Verdict {
    const BUSY: [&str; 3] = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    let mut checks = Vec::with_capacity(reasons.len());
    for reason in reasons {
        match reason.code() {
            None | Some("None") => checks.push(Check::Held),
            Some("ConditionalCheckFailed") => checks.push(Check::Failed(reason.item.clone())),
            // Whatever else is said: who met another transaction saw a moment in between.
            Some(code) if BUSY.contains(&code) => return Verdict::Busy,
            Some(_) => return Verdict::Hopeless,
        }
    }
    match checks.iter().all(|check| matches!(check, Check::Held)) {
        true => Verdict::Hopeless,
        false => Verdict::Conditions(checks),
    }
}
