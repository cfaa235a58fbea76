//! Progress of an operation, and its interruption.

use std::time::Duration;

use tokio::sync::watch;

use crate::error::{AccountError, DeployError};
use crate::evidence::Judgement;
use crate::{CalledVersion, DeploymentId, FunctionName, FunctionVersion, StageName};

/// Receiver of steps.
pub type StepReporter<'a> = &'a dyn Fn(DeployStep<'_>);

/// A step of an operation: something that happened, or that begins and may take a while.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the variants explain the fields")]
pub enum DeployStep<'a> {
    /// A function runs the built code already.
    CodeIsCurrent { function: &'a FunctionName },
    /// The code of a function is about to be replaced.
    Updating { function: &'a FunctionName },
    /// New code is live for every caller of the unqualified function.
    Updated { function: &'a FunctionName },
    /// A version was published, or was the latest already.
    Published {
        function: &'a FunctionName,
        version: &'a FunctionVersion,
    },
    /// An integration or authorizer invokes another version with the next deployment.
    Retargeted {
        part: &'a str,
        version: &'a FunctionVersion,
    },
    /// The wiring was read, and the digest in the description of the stage's deployment.
    WiringRead {
        routes: usize,
        digest: &'a str,
        served: Option<&'a str>,
    },
    /// A deployment is about to be created.
    Creating,
    /// API Gateway is about to deploy a stage by itself.
    AwaitingAutoDeploy { stage: &'a StageName },
    /// A deployment was created. No stage serves it yet.
    Created { deployment: &'a DeploymentId },
    /// The API changed while the deployment was created, so another one is needed.
    ApiChanged { deployment: &'a DeploymentId },
    /// The stage was moved.
    Activated {
        deployment: &'a DeploymentId,
        previous: Option<&'a DeploymentId>,
    },
    /// A caller got an answer.
    Attempted {
        caller: &'a str,
        meaning: &'a str,
        judgement: Judgement,
    },
    /// The stage was moved back.
    Restored { deployment: &'a DeploymentId },
    /// A deployment was deleted.
    Deleted { deployment: &'a DeploymentId },
    /// A function version was deleted.
    DeletedVersion { version: &'a CalledVersion },
    /// An artifact is about to be uploaded.
    Uploading { name: &'a str, bytes: usize },
    /// An artifact was uploaded.
    Uploaded { name: &'a str },
    /// CloudFormation computes a change set.
    ComputingChanges,
    /// CloudFormation executes the change set of an earlier run.
    Resuming,
    /// A stack whose creation failed is about to be deleted.
    DeletingFailedStack { status: &'a str },
    /// CloudFormation reports an event.
    StackChanged {
        resource: &'a str,
        kind: &'a str,
        status: &'a str,
        reason: Option<&'a str>,
    },
    /// An optional step failed, and was skipped.
    Skipped { what: &'a str, reason: &'a str },
    /// CloudFormation's validation found something that does not fail the change set.
    ValidationWarning { finding: &'a str },
    /// A call failed and is about to be repeated.
    Retrying {
        error: &'a AccountError,
        after: Duration,
    },
}

/// Interrupt of an operation, which stops it at the next safe point. No call that changes something is cut off.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// An interrupt that never comes.
    pub fn never() -> Interrupt {
        Interrupt(watch::channel(false).1)
    }

    /// An interrupt that comes when `true` is sent.
    pub fn new(receiver: watch::Receiver<bool>) -> Interrupt {
        Interrupt(receiver)
    }

    /// Fails once the interrupt came.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`].
    pub fn check(&self) -> Result<(), DeployError> {
        match *self.0.borrow() {
            true => Err(DeployError::Interrupted),
            false => Ok(()),
        }
    }

    /// Waits for work that may be cut off.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`] if the interrupt comes first.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, DeployError> {
        let mut receiver = self.0.clone();
        let interrupted = async move {
            // Without a sender, nothing can interrupt.
            if receiver.wait_for(|interrupted| *interrupted).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = interrupted => Err(DeployError::Interrupted),
            done = work => Ok(done),
        }
    }

    pub(crate) async fn sleep(&self, duration: Duration) -> Result<(), DeployError> {
        self.unless(tokio::time::sleep(duration)).await
    }
}
