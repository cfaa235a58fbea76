//! Calls with retries: one call of a port is one or several requests within one time budget.

use std::error::Error as _;
use std::time::Duration;

use aws_sdk_dynamodb::Error;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use live_session_core::ports::StoreError;
use tokio::time::{Instant, sleep, timeout_at};

use super::item::Item;

/// Retry policy for requests to a table.
///
/// The SDK's own retries are off, so that there is a single policy. The SDK does not retry transactions that conflict,
/// which happens here when many callers join at once, and it does not know the time that the function has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Time for one call of a port, with all its requests and pauses. A function runs for at most 25 seconds, and API
    /// Gateway waits 29 (row C8); several calls must fit.
    pub budget: Duration,
    /// Timeout of one request. DynamoDB answers within milliseconds; after a timeout the next request uses a new
    /// connection.
    pub request_timeout: Duration,
    /// Maximum of the first pause. The maximum doubles with each pause. The actual pause is random (full jitter), so
    /// that requests that collided do not collide again.
    pub first_pause: Duration,
    /// Maximum of all pauses. Those who take the last places of a session at once try up to 16 times within the budget:
    /// see `docs/decisions/0020-places-in-shards.md` of stackgen.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            budget: Duration::from_secs(3),
            request_timeout: Duration::from_millis(1000),
            first_pause: Duration::from_millis(25),
            longest_pause: Duration::from_millis(200),
        }
    }
}

/// Failure of a request.
#[derive(Debug)]
pub(super) enum RequestFailure {
    /// The condition was false. Contains the item, if it exists.
    Condition(Option<Item>),
    /// A transaction was canceled, with a reason for each write.
    Canceled(Vec<CancellationReason>),
    /// Throttled or in conflict: nothing was written, and a retry may succeed.
    Rejected,
    /// No response, or a server error: the write may have happened. A retry finds out.
    Unanswered(String),
    /// A retry does not help: a missing permission or table, or an invalid request.
    Permanent(String),
}

/// State of one call of a port.
#[derive(Debug)]
pub(super) struct StoreCall {
    pub(super) operation: &'static str,
    retry: RetryPolicy,
    deadline: Instant,
    pauses: u32,
    /// True if a write may have happened although its response was lost. Then the table may hold this call's own write.
    pub(super) maybe_written: bool,
}

impl StoreCall {
    pub(super) fn new(operation: &'static str, retry: RetryPolicy) -> Self {
        StoreCall {
            operation,
            retry,
            deadline: Instant::now() + retry.budget,
            pauses: 0,
            maybe_written: false,
        }
    }

    /// Sends one request.
    pub(super) async fn send<T, E>(
        &self,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, RequestFailure>
    where
        Error: From<SdkError<E, HttpResponse>>,
    {
        let until = self
            .deadline
            .min(Instant::now() + self.retry.request_timeout);
        match timeout_at(until, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let answer = error.raw_response();
                let is_server_error =
                    answer.is_some_and(|answer| answer.status().is_server_error());
                Err(match request_failure(error.into()) {
                    // A server error, whatever its code.
                    RequestFailure::Permanent(code) if is_server_error => {
                        RequestFailure::Unanswered(code)
                    }
                    failure => failure,
                })
            }
            Err(_) => Err(RequestFailure::Unanswered("no response in time".to_owned())),
        }
    }

    /// Pauses before a retry of a write.
    pub(super) async fn pause_before_write(
        &mut self,
        failure: RequestFailure,
    ) -> Result<(), StoreError> {
        self.maybe_written |= matches!(failure, RequestFailure::Unanswered(_));
        self.pause_before_retry(failure).await
    }

    /// Pauses before a retry. Fails if a retry does not help, or if no time is left.
    pub(super) async fn pause_before_retry(
        &mut self,
        failure: RequestFailure,
    ) -> Result<(), StoreError> {
        let growth = 2u32.saturating_pow(self.pauses);
        let longest = self
            .retry
            .first_pause
            .saturating_mul(growth)
            .min(self.retry.longest_pause);
        let next = Instant::now() + longest.mul_f64(fastrand::f64());
        let is_permanent = !matches!(
            failure,
            RequestFailure::Rejected | RequestFailure::Unanswered(_)
        );
        if is_permanent || next >= self.deadline {
            return Err(self.give_up(failure));
        }
        self.pauses += 1;
        sleep(next - Instant::now()).await;
        Ok(())
    }

    fn give_up(&self, failure: RequestFailure) -> StoreError {
        let operation = self.operation;
        let reason = match failure {
            RequestFailure::Rejected => return StoreError::Throttled { operation },
            RequestFailure::Unanswered(reason) | RequestFailure::Permanent(reason) => reason,
            RequestFailure::Condition(_) => "an unknown condition is false".to_owned(),
            RequestFailure::Canceled(reasons) => {
                let codes: Vec<_> = reasons
                    .iter()
                    .filter_map(CancellationReason::code)
                    .collect();
                format!("the transaction was canceled: {}", codes.join(", "))
            }
        };
        StoreError::Unavailable { operation, reason }
    }
}

/// Error codes of requests that were rejected without effect.
const REJECTED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

/// Error codes after which a write may have happened.
const UNANSWERED: [&str; 4] = [
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    // An earlier request with this token, whose response was lost, is still in progress.
    "TransactionInProgressException",
];

fn request_failure(error: Error) -> RequestFailure {
    match error {
        Error::ConditionalCheckFailedException(error) => {
            return RequestFailure::Condition(error.item);
        }
        Error::TransactionCanceledException(error) => {
            return RequestFailure::Canceled(error.cancellation_reasons.unwrap_or_default());
        }
        _ => {}
    }
    match error.code() {
        Some(code) if REJECTED.contains(&code) => RequestFailure::Rejected,
        Some(code) if UNANSWERED.contains(&code) => RequestFailure::Unanswered(code.to_owned()),
        // These messages name the caller, the action and the table, and contain no data.
        Some(code @ ("AccessDeniedException" | "ResourceNotFoundException")) => {
            RequestFailure::Permanent(format!("{code}: {}", error.message().unwrap_or_default()))
        }
        Some(code) => RequestFailure::Permanent(code.to_owned()),
        None => RequestFailure::Unanswered(causes(&error)),
    }
}

/// Returns the causes of a request without a valid response, outermost first.
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

/// Meaning of the reasons of a canceled transaction.
pub(super) enum Cancellation {
    /// Conditions were false. Contains the result of each write's condition.
    Conditions(Vec<ConditionResult>),
    /// Conflict with another transaction, or throttling: nothing was written, and a retry may succeed.
    Conflict,
    /// Any other reason.
    Other,
}

/// Result of a condition in a transaction.
#[derive(Debug)]
pub(super) enum ConditionResult {
    Held,
    /// The condition was false. Contains the item, if it exists.
    Failed(Option<Item>),
}

/// Interprets the reasons by their codes. Codes are part of DynamoDB's API; messages are not.
pub(super) fn classify_cancellation(reasons: &[CancellationReason]) -> Cancellation {
    const REJECTED: [&str; 3] = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    let mut checks = Vec::with_capacity(reasons.len());
    for reason in reasons {
        match reason.code() {
            None | Some("None") => checks.push(ConditionResult::Held),
            Some("ConditionalCheckFailed") => {
                checks.push(ConditionResult::Failed(reason.item.clone()))
            }
            // Takes precedence: in a conflict, other conditions may have seen an intermediate state.
            Some(code) if REJECTED.contains(&code) => return Cancellation::Conflict,
            Some(_) => return Cancellation::Other,
        }
    }
    match checks
        .iter()
        .all(|check| matches!(check, ConditionResult::Held))
    {
        true => Cancellation::Other,
        false => Cancellation::Conditions(checks),
    }
}
