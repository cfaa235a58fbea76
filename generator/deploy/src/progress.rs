//! What is told while something is done, and being told to stop.

use std::time::Duration;

use tokio::sync::watch;

use crate::error::{AccountError, DeployError};
use crate::{DeploymentId, FunctionName, FunctionVersion, Judgement};

/// Is told every step.
pub type Steps<'a> = &'a dyn Fn(Step<'_>);

/// Something that happened, or begins and may take a while.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are what the steps are about")]
pub enum Step<'a> {
    /// The code of a function is what was built.
    CodeIsCurrent { function: &'a FunctionName },
    /// Begins: the code of a function is replaced.
    Updating { function: &'a FunctionName },
    /// It is live, for whoever calls the function itself.
    Updated { function: &'a FunctionName },
    /// A version was published, or is the latest already.
    Published {
        function: &'a FunctionName,
        version: &'a FunctionVersion,
    },
    /// An integration or authorizer calls another version as soon as it is deployed.
    Retargeted {
        what: &'a str,
        version: &'a FunctionVersion,
    },
    /// What the API is wired like, and what the stage's deployment says that it froze.
    Described {
        routes: usize,
        digest: &'a str,
        served: Option<&'a str>,
    },
    /// Begins: a deployment is made.
    Creating,
    /// It is there, and not served yet.
    Created { deployment: &'a DeploymentId },
    /// The API changed while the deployment was made, so that another one is made.
    Changed { deployment: &'a DeploymentId },
    /// The stage was moved.
    Activated {
        deployment: &'a DeploymentId,
        previous: Option<&'a DeploymentId>,
    },
    /// The answer to a caller.
    Tried {
        caller: &'a str,
        meaning: &'a str,
        judgement: Judgement,
    },
    /// The stage was moved back.
    Restored { deployment: &'a DeploymentId },
    /// A deployment was deleted.
    Deleted { deployment: &'a DeploymentId },
    /// Something that need not be done was not done.
    LeftOut { what: &'a str, reason: &'a str },
    /// Begins: the same call is made once more after a while.
    Again {
        error: &'a AccountError,
        after: Duration,
    },
}

/// Tells the engine to stop at the next place where that is safe. No call that changes something is cut off.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// One that never comes.
    pub fn never() -> Interrupt {
        Interrupt(watch::channel(false).1)
    }

    /// One that comes when `true` is sent.
    pub fn new(receiver: watch::Receiver<bool>) -> Interrupt {
        Interrupt(receiver)
    }

    /// Fails when it came.
    pub(crate) fn check(&self) -> Result<(), DeployError> {
        match *self.0.borrow() {
            true => Err(DeployError::Interrupted),
            false => Ok(()),
        }
    }

    /// Waits for something that may be cut off.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`] when it came first.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, DeployError> {
        let mut receiver = self.0.clone();
        let came = async move {
            if receiver.wait_for(|interrupted| *interrupted).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = came => Err(DeployError::Interrupted),
            done = work => Ok(done),
        }
    }

    pub(crate) async fn sleep(&self, duration: Duration) -> Result<(), DeployError> {
        self.unless(tokio::time::sleep(duration)).await
    }
}
