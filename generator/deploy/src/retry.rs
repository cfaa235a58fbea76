//! Retry policy for calls to AWS, and the context that every operation receives.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::progress::{DeployStep, Interrupt, StepReporter};
use crate::{AccountError, AccountErrorKind, DeployError};

/// Retry policy for calls to AWS. [`RetryPolicy::default`] stays within API Gateway's rates (row D15).
///
/// It is the only one: the clients in `stackgen-aws` send every request once. If the SDK retried as well, its attempts
/// and ours would multiply against a rate that all callers of the account and region share. And it could not retry
/// correctly: a CreateDeployment or an UpdateStage without an answer may have taken effect, so the account is read
/// before the call is repeated. Here each retry is reported, an interrupt ends the wait, and a test can replace the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait between two attempts of CreateDeployment, which API Gateway allows every 5 s.
    pub create_interval: Duration,
    /// Wait before the second attempt of any other call. It doubles with every further attempt.
    pub first_wait: Duration,
    /// The longest wait between two attempts.
    pub longest_wait: Duration,
    /// Time for all attempts of one call.
    pub call_timeout: Duration,
    /// Time for all attempts of one call that does not reach the service.
    pub unreachable_timeout: Duration,
    /// Wait between two reads of something that is in progress.
    pub poll_interval: Duration,
    /// Time within which a deployment must become `DEPLOYED`.
    pub deployment_timeout: Duration,
    /// Time within which CloudFormation must compute a change set.
    pub change_set_timeout: Duration,
    /// Time until an update of a function must be Successful.
    pub function_timeout: Duration,
    /// Policy for verifying a stage.
    pub verify: VerifyPolicy,
}

/// The largest number of reads of something that was changed right before until one shows the change. AWS documents for none
/// of these services how soon that is.
pub(crate) const MOST_STALE_READS: u32 = 5;

/// Policy for verifying a stage: number and duration of attempts. API Gateway takes a while to serve a moved stage
/// everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyPolicy {
    /// Number of successive good rounds that verify a stage. A round makes one attempt for each caller.
    pub rounds: usize,
    /// Wait between two rounds.
    pub interval: Duration,
    /// Time for which bad answers are tolerated.
    pub timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        RetryPolicy {
            create_interval: seconds(5),
            first_wait: seconds(1),
            longest_wait: seconds(8),
            call_timeout: seconds(60),
            unreachable_timeout: seconds(10),
            poll_interval: seconds(1),
            deployment_timeout: seconds(120),
            change_set_timeout: seconds(600),
            function_timeout: seconds(300),
            verify: VerifyPolicy {
                rounds: 2,
                interval: seconds(1),
                timeout: seconds(20),
            },
        }
    }
}

impl RetryPolicy {
    /// Policy for an endpoint on this machine, where every change is visible at once.
    pub fn local() -> Self {
        let millis = Duration::from_millis;
        RetryPolicy {
            create_interval: millis(200),
            first_wait: millis(100),
            longest_wait: millis(1_000),
            call_timeout: millis(10_000),
            unreachable_timeout: millis(500),
            poll_interval: millis(20),
            verify: VerifyPolicy {
                rounds: 1,
                interval: millis(200),
                timeout: millis(5_000),
            },
            ..RetryPolicy::default()
        }
    }

    /// Returns the time for all attempts of a call that fails with this error.
    fn timeout(&self, error: &AccountError) -> Duration {
        match error.kind {
            AccountErrorKind::Unreachable => self.unreachable_timeout,
            _ if error.is_transient() => self.call_timeout,
            _ => Duration::ZERO,
        }
    }
}

/// Policy, reporting and interruption of an operation.
#[derive(Clone, Copy)]
pub struct OperationContext<'a> {
    /// The retry policy.
    pub retry: &'a RetryPolicy,
    /// Receives every step.
    pub steps: StepReporter<'a>,
    /// Stops the operation.
    pub interrupt: &'a Interrupt,
    /// Returns the current time.
    pub now: fn() -> OffsetDateTime,
}

impl<'a> OperationContext<'a> {
    pub(crate) fn step(&self, step: DeployStep<'_>) {
        (self.steps)(step);
    }

    /// Returns the same context with another interrupt.
    pub(crate) fn with_interrupt<'b>(self, interrupt: &'b Interrupt) -> OperationContext<'b>
    where
        'a: 'b,
    {
        OperationContext { interrupt, ..self }
    }

    /// Makes a call that changes something and may be repeated. It is repeated until it succeeds, fails for good, or the
    /// policy's time is up. An interrupt ends the wait between two attempts, and never a call.
    ///
    /// # Errors
    ///
    /// The last failure, or [`DeployError::Interrupted`].
    pub async fn call<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, DeployError>
    where
        F: Future<Output = Result<T, AccountError>>,
    {
        let mut retries = self.retries();
        loop {
            self.interrupt.check()?;
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) if retries.allow(&error) => retries.wait(&error).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes a call that changes nothing, like [`OperationContext::call`]. An interrupt ends it at once.
    ///
    /// # Errors
    ///
    /// The last failure, or [`DeployError::Interrupted`].
    pub async fn read<T, F>(&self, call: impl FnMut() -> F) -> Result<T, DeployError>
    where
        F: Future<Output = Result<T, AccountError>>,
    {
        self.interrupt.unless(self.call(call)).await?
    }

    /// Starts the retries of one call, with waits that double.
    pub(crate) fn retries(self) -> Retries<'a> {
        Retries {
            ctx: self,
            started: Instant::now(),
            next_wait: self.retry.first_wait,
            longest_wait: self.retry.longest_wait,
        }
    }

    /// Starts the retries of CreateDeployment, with waits as long as its rate demands.
    pub(crate) fn create_retries(self) -> Retries<'a> {
        Retries {
            next_wait: self.retry.create_interval,
            longest_wait: self.retry.create_interval,
            ..self.retries()
        }
    }
}

/// Retries of one call.
pub(crate) struct Retries<'a> {
    ctx: OperationContext<'a>,
    started: Instant,
    next_wait: Duration,
    longest_wait: Duration,
}

impl Retries<'_> {
    /// True if the policy allows another attempt after this failure.
    pub(crate) fn allow(&self, error: &AccountError) -> bool {
        self.started.elapsed() + self.next_wait <= self.ctx.retry.timeout(error)
    }

    /// Reports the failure, and waits until the next attempt.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`].
    pub(crate) async fn wait(&mut self, error: &AccountError) -> Result<(), DeployError> {
        let after = self.next_wait;
        self.ctx.step(DeployStep::Retrying { error, after });
        self.next_wait = (after * 2).min(self.longest_wait);
        self.ctx.interrupt.sleep(after).await
    }
}
