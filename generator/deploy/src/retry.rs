//! Retry policy for calls to AWS, and the context that every operation is given.

use std::time::Duration;

use crate::progress::{Interrupt, Step, Steps};
use crate::trial::Tries;
use crate::{AccountError, AccountErrorKind, DeployError, Timestamp};

/// Waiting times. [`RetryPolicy::default`] keeps within API Gateway's rates (row D15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The time between two tries of CreateDeployment, of which API Gateway allows one every 5 s.
    pub create: Duration,
    /// The time before the second try of another call; it doubles with every further one.
    pub again: Duration,
    /// The longest time for which one call is tried, and the longest wait between two tries.
    pub calls: (Duration, Duration),
    /// The longest time for which a call is tried that does not reach the service.
    pub unreachable: Duration,
    /// The time between two looks at something that is in progress.
    pub poll: Duration,
    /// The longest time until a deployment is DEPLOYED.
    pub deployed: Duration,
    /// The longest time until an update of a function is Successful.
    pub updated: Duration,
    /// How a stage is tried.
    pub tries: Tries,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        RetryPolicy {
            create: seconds(5),
            again: seconds(1),
            calls: (seconds(60), seconds(8)),
            unreachable: seconds(10),
            poll: seconds(1),
            deployed: seconds(120),
            updated: seconds(300),
            tries: Tries {
                enough: 2,
                pause: seconds(1),
                window: seconds(20),
            },
        }
    }
}

impl RetryPolicy {
    /// Policy for an endpoint on this machine, where every change is visible at once.
    pub fn local() -> Self {
        let millis = Duration::from_millis;
        RetryPolicy {
            create: millis(200),
            again: millis(100),
            calls: (Duration::from_secs(10), Duration::from_secs(1)),
            unreachable: millis(500),
            poll: millis(20),
            tries: Tries {
                enough: 1,
                pause: millis(200),
                window: Duration::from_secs(5),
            },
            ..RetryPolicy::default()
        }
    }
}

/// What every operation is given.
#[derive(Clone, Copy)]
pub struct OperationContext<'a> {
    /// Waiting times.
    pub retry: &'a RetryPolicy,
    /// Receives every step.
    pub steps: Steps<'a>,
    /// Tells when to stop.
    pub interrupt: &'a Interrupt,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl<'a> OperationContext<'a> {
    pub(crate) fn step(&self, step: Step<'_>) {
        (self.steps)(step);
    }

    /// The same context with another interrupt.
    pub(crate) fn with_interrupt<'b>(self, interrupt: &'b Interrupt) -> OperationContext<'b>
    where
        'a: 'b,
    {
        OperationContext { interrupt, ..self }
    }

    /// Makes a call that changes something and may be repeated, until it succeeds, fails for good, or the policy's time is
    /// up. An interrupt ends the wait between two tries and never a call.
    ///
    /// # Errors
    ///
    /// The last failure, or [`DeployError::Interrupted`].
    pub async fn call<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, DeployError>
    where
        F: Future<Output = Result<T, AccountError>>,
    {
        let mut wait = self.retry.again;
        let started = tokio::time::Instant::now();
        loop {
            self.interrupt.check()?;
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) if started.elapsed() + wait <= self.longest(&error) => {
                    self.step(Step::Again {
                        error: &error,
                        after: wait,
                    });
                    self.interrupt.sleep(wait).await?;
                    wait = (wait * 2).min(self.retry.calls.1);
                }
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

    /// The longest time for which a call is tried that fails like this.
    fn longest(&self, error: &AccountError) -> Duration {
        match error.kind {
            AccountErrorKind::Unreachable => self.retry.unreachable,
            _ if error.is_transient() => self.retry.calls.0,
            _ => Duration::ZERO,
        }
    }
}
