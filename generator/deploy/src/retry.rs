//! How long to wait for what, and how often to ask.

use std::time::Duration;

use crate::progress::{Interrupt, Step, Steps};
use crate::verify::Tries;
use crate::{AccountError, AccountErrorKind, DeployError};

/// Waiting. [`RetryPolicy::default`] keeps within API Gateway's rates (row D15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Between two tries of CreateDeployment, of which one every 5 s is allowed.
    pub create: Duration,
    /// Before the second try of another call; every further one waits twice as long.
    pub again: Duration,
    /// The longest that one call is tried, and a wait between two tries.
    pub calls: (Duration, Duration),
    /// The longest that a call is tried which does not even reach the service.
    pub unreachable: Duration,
    /// Between two looks at something that is being made.
    pub poll: Duration,
    /// For a deployment to be DEPLOYED.
    pub deployed: Duration,
    /// For an update of a function to be Successful.
    pub updated: Duration,
    /// For the stage to answer.
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
    /// With a gateway on this machine, where everything is seen at once.
    pub fn local() -> Self {
        let millis = Duration::from_millis;
        RetryPolicy {
            create: millis(200),
            again: millis(100),
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

/// How something is done: what every operation is given.
#[derive(Clone, Copy)]
pub struct OperationContext<'a> {
    /// How long to wait for what.
    pub retry: &'a RetryPolicy,
    /// Who is told every step.
    pub steps: Steps<'a>,
    /// When to stop.
    pub interrupt: &'a Interrupt,
}

impl OperationContext<'_> {
    pub(crate) fn step(&self, step: Step<'_>) {
        (self.steps)(step);
    }

    /// Makes a call that may be made more than once, until it succeeds, fails for good, or retry ends.
    ///
    /// # Errors
    ///
    /// The last failure, or that it was interrupted.
    pub async fn call<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, DeployError>
    where
        F: Future<Output = Result<T, AccountError>>,
    {
        let longest = |error: &AccountError| match error.kind {
            AccountErrorKind::Unreachable => self.retry.unreachable,
            _ => self.retry.calls.0,
        };
        let mut wait = self.retry.again;
        let started = tokio::time::Instant::now();
        loop {
            self.interrupt.check()?;
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(error)
                    if error.is_transient() && started.elapsed() + wait <= longest(&error) =>
                {
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
}
