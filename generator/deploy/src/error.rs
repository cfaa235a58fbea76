//! Why something failed, and what to do about it.

use std::time::Duration;

use thiserror::Error;

use crate::trial::Evidence;
use crate::{ApiId, DeploymentId, FunctionName, StageName};

/// A call that the account did not answer as it should.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.shown())]
pub struct AccountError {
    /// Which kind of failure.
    pub kind: AccountErrorKind,
    /// The operation by its AWS name: `CreateDeployment`; empty before any is called.
    pub operation: &'static str,
    /// What the service, or the way to it, says.
    pub message: String,
    /// The IAM action and resource that the operation takes: `apigateway:POST on /apis/a1b2/deployments`.
    pub permission: String,
}

/// Result of a call to an account.
pub type AccountResult<T> = Result<T, AccountError>;

/// The failures that make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountErrorKind {
    /// There are no credentials.
    NoCredentials,
    /// The credentials were good once.
    ExpiredCredentials,
    /// No region is set.
    NoRegion,
    /// The caller may not do this.
    AccessDenied,
    /// There is no such thing.
    NotFound,
    /// Something else changes it at this moment (row D13), or it is in use.
    Conflict,
    /// Too many calls (row D15).
    TooManyRequests,
    /// The service does not take this.
    Refused,
    /// The call never got there.
    Unreachable,
    /// The call was sent and its answer lost, or the service failed: it may have happened.
    Unclear,
    /// The answer is not one of the service: something else answers in its place. It may have happened.
    Garbled,
}

impl AccountError {
    fn shown(&self) -> String {
        match self.operation {
            "" => self.message.clone(),
            operation => format!("{operation}: {}", self.message),
        }
    }

    /// True when the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        use AccountErrorKind::{Conflict, Garbled, TooManyRequests, Unclear, Unreachable};
        matches!(
            self.kind,
            Conflict | Garbled | TooManyRequests | Unclear | Unreachable
        )
    }

    /// True when the call may have been carried out all the same.
    pub fn may_have_happened(&self) -> bool {
        matches!(
            self.kind,
            AccountErrorKind::Unclear | AccountErrorKind::Garbled
        )
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        use AccountErrorKind as Kind;
        Some(match self.kind {
            Kind::NoCredentials => {
                "set AWS_PROFILE or `--profile`, or sign in; `--local` needs none".to_owned()
            }
            Kind::ExpiredCredentials => {
                "sign in again, for instance with `aws sso login`".to_owned()
            }
            Kind::NoRegion => "set AWS_REGION, or give `--region`".to_owned(),
            Kind::AccessDenied => format!("the caller needs {}", self.permission),
            Kind::NotFound => {
                "check the region and the account: `aws sts get-caller-identity`".to_owned()
            }
            Kind::Conflict => {
                "something else changes the same API; run it again when that is done".to_owned()
            }
            Kind::TooManyRequests => {
                "AWS throttles these calls, for all callers of the account and region together; run it again in a few minutes".to_owned()
            }
            Kind::Garbled => {
                "does a proxy, a captive portal or another server answer at this endpoint? check `--endpoint-url` and AWS_ENDPOINT_URL".to_owned()
            }
            Kind::Unreachable => "check the network, the region and `--endpoint-url`".to_owned(),
            Kind::Unclear => "run it again; it goes on from what it finds".to_owned(),
            Kind::Refused => return None,
        })
    }
}

/// Why a command on deployments failed. Whatever it is, the stage serves a complete deployment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the fields are what the messages name")]
pub enum DeployError {
    /// A call failed for good.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// No API has that name.
    #[error("there is no API named {name}")]
    NoApi { name: String },
    /// No API has that id.
    #[error("there is no API with the id {id}")]
    NoApiId { id: ApiId },
    /// Several have.
    #[error("{} APIs are named {name}: {}", ids.len(), join(ids))]
    AmbiguousApi { name: String, ids: Vec<ApiId> },
    /// The API has no such stage, or none was named and it has not just one.
    #[error("{}", no_stage(api, stage.as_ref(), stages))]
    NoStage {
        api: ApiId,
        stage: Option<StageName>,
        stages: Vec<StageName>,
    },
    /// API Gateway moves the stage by itself (row D5).
    #[error(
        "stage {stage} of API {api} is under AutoDeploy: API Gateway deploys every change by itself, and refuses a deployment id (row D5)"
    )]
    AutoDeploy { api: ApiId, stage: StageName },
    /// A function that the stack names is not in the account.
    #[error("there is no function {function}")]
    NoFunction { function: FunctionName },
    /// Lambda could not make a change of a function.
    #[error("function {function} could not be updated: {reason}")]
    FunctionFailed {
        function: FunctionName,
        reason: String,
    },
    /// Lambda is still at it.
    #[error("function {function} is still being updated after {} s", after.as_secs())]
    FunctionTimedOut {
        function: FunctionName,
        after: Duration,
    },
    /// What a pinned release would call could not be called (row D19).
    #[error(
        "{what} calls {function} by the function's own permission, which covers no published version (row D19)"
    )]
    NotCallable {
        what: String,
        function: FunctionName,
    },
    /// API Gateway could not make the deployment.
    #[error("deployment {id} failed: {message}; the stage was not moved")]
    DeploymentFailed { id: DeploymentId, message: String },
    /// It takes too long.
    #[error("deployment {id} is still PENDING after {} s; the stage was not moved", after.as_secs())]
    DeploymentTimedOut { id: DeploymentId, after: Duration },
    /// Others change the API all the time.
    #[error(
        "API {api} changed while it was being deployed, {times} times; the stage was not moved"
    )]
    KeepsChanging { api: ApiId, times: usize },
    /// Somebody else moved the stage meanwhile.
    #[error(
        "stage {stage} was moved by another run or another tool: it serves {}, not {}",
        shown(found),
        shown(expected)
    )]
    Moved {
        stage: StageName,
        expected: Option<DeploymentId>,
        found: Option<DeploymentId>,
    },
    /// API Gateway accepted a move that the stage does not show.
    #[error(
        "stage {stage} still serves {} {} s after API Gateway accepted {deployment}; if it serves {deployment} later on, that was not tried",
        shown(serves),
        after.as_secs_f32()
    )]
    NotSeen {
        stage: StageName,
        deployment: DeploymentId,
        serves: Option<DeploymentId>,
        after: Duration,
    },
    /// The stage cannot be read after it was, or may have been, moved.
    #[error(
        "cannot tell which deployment stage {stage} serves: {reason}; if it is {deployment}, that is not verified"
    )]
    StageUnknown {
        stage: StageName,
        deployment: DeploymentId,
        reason: String,
    },
    /// Nothing about the stage can be tried.
    #[error("stage {stage} of {api} cannot be verified: {reason}")]
    NothingToTry {
        api: String,
        stage: StageName,
        reason: String,
    },
    /// The new deployment does not answer as it should.
    #[error(transparent)]
    NotVerified(Box<NotVerified>),
    /// There is no such deployment.
    #[error("API {api} has no deployment {id}")]
    NoDeployment { api: ApiId, id: DeploymentId },
    /// It cannot be served.
    #[error("deployment {id} is {status}, so no stage can serve it")]
    NotDeployed {
        id: DeploymentId,
        status: &'static str,
    },
    /// Nothing earlier is known to be good.
    #[error("there is no earlier deployment that is known to have served well")]
    NothingEarlier,
    /// The user stopped it.
    #[error("interrupted")]
    Interrupted,
    /// The user stopped it after the stage was moved, before it was known to answer.
    #[error(
        "interrupted: stage {stage} serves deployment {deployment}, which was not tried (was {})",
        shown(previous)
    )]
    NotTried {
        stage: StageName,
        deployment: DeploymentId,
        previous: Option<DeploymentId>,
    },
}

/// A stage that did not answer as it should after it was moved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("stage {stage} {} on deployment {failed}: {evidence}; {}", self.verb(), self.now())]
pub struct NotVerified {
    /// The stage.
    pub stage: StageName,
    /// The deployment that was tried.
    pub failed: DeploymentId,
    /// What was seen.
    pub evidence: Evidence,
    /// Whether an authorizer refused every caller, so that nothing is known of the integration.
    pub inconclusive: bool,
    /// The deployment that the stage serves again.
    pub restored: Option<DeploymentId>,
    /// Why the previous deployment could not be restored.
    pub not_restored: Option<String>,
    /// Whether the failed deployment was deleted.
    pub pruned: bool,
}

impl NotVerified {
    fn verb(&self) -> &'static str {
        match self.inconclusive {
            true => "could not be verified",
            false => "did not answer as it should",
        }
    }

    fn now(&self) -> String {
        let kept = match self.pruned {
            true => "was deleted",
            false => "is kept",
        };
        match (&self.restored, &self.not_restored) {
            (Some(previous), _) => format!("{previous} is restored, {} {kept}", self.failed),
            (None, Some(reason)) => format!("it still serves {}: {reason}", self.failed),
            (None, None) => format!(
                "it still serves {}: no deployment is known to go back to",
                self.failed
            ),
        }
    }
}

impl DeployError {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            DeployError::Account(error) => return error.hint(),
            DeployError::NoApi { .. } => {
                "deploy the template first; `--api-id` names any other API, `--region` another region".to_owned()
            }
            DeployError::NoApiId { .. } => {
                "`aws apigatewayv2 get-apis` lists those of an account and region; `--region` and `--profile` choose others".to_owned()
            }
            DeployError::AmbiguousApi { .. } => "choose one with `--api-id`".to_owned(),
            DeployError::NoStage { .. } => "`--stage-name` names one".to_owned(),
            DeployError::AutoDeploy { .. } => {
                "there is nothing to redeploy; templates of stackgen deploy explicitly, without AutoDeploy".to_owned()
            }
            DeployError::NoFunction { .. } => "deploy the template first; `--no-code` leaves code alone".to_owned(),
            DeployError::FunctionFailed { .. } | DeployError::FunctionTimedOut { .. } => {
                "nothing was deployed; run it again, or leave code alone with `--no-code`".to_owned()
            }
            DeployError::NotCallable { .. } => {
                "deploy the template first: a pinned release has an invoke role for the API".to_owned()
            }
            DeployError::DeploymentFailed { .. } | DeployError::DeploymentTimedOut { .. } => {
                "the stage serves what it served; run it again".to_owned()
            }
            DeployError::KeepsChanging { .. } => "run it again when nothing else changes the API".to_owned(),
            DeployError::Moved { .. } => "`stackgen status` tells what it serves; run it again if that is meant".to_owned(),
            DeployError::NotVerified(error) => match (&error.restored, &error.not_restored) {
                (None, Some(_)) => "`stackgen deployments activate ID` moves the stage".to_owned(),
                _ if error.inconclusive => {
                    "declare a caller with credentials under `verify:` in stackgen.yaml, or with `--verify-query`, `--verify-header` or `--verify-subprotocol`; `--no-verify` deploys without trying".to_owned()
                }
                _ => "`stackgen probe` tells what a client sees; `--no-verify` deploys without trying".to_owned(),
            },
            DeployError::NoDeployment { .. } | DeployError::NotDeployed { .. } | DeployError::NothingEarlier => {
                "`stackgen deployments list` shows them all".to_owned()
            }
            DeployError::NothingToTry { .. } => {
                "declare a caller under `verify:` in stackgen.yaml; `--no-verify` goes on without trying".to_owned()
            }
            DeployError::NotSeen { .. } | DeployError::StageUnknown { .. } => {
                "run it again: it tries what the stage serves before it calls that current".to_owned()
            }
            DeployError::NotTried { .. } => {
                "`stackgen probe` tells what a client sees; `stackgen deployments rollback` goes back".to_owned()
            }
            DeployError::Interrupted => return None,
        })
    }

    /// True when what was asked for makes no sense, as opposed to an operation that failed.
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            DeployError::NoApi { .. }
                | DeployError::NoApiId { .. }
                | DeployError::AmbiguousApi { .. }
                | DeployError::NoStage { .. }
                | DeployError::NoDeployment { .. }
        )
    }
}

fn join(ids: &[ApiId]) -> String {
    ids.iter().map(ApiId::as_str).collect::<Vec<_>>().join(", ")
}

fn no_stage(api: &ApiId, stage: Option<&StageName>, stages: &[StageName]) -> String {
    let names: Vec<_> = stages.iter().map(StageName::as_str).collect();
    let has = match names.is_empty() {
        true => "it has none".to_owned(),
        false => format!("it has {}", names.join(", ")),
    };
    match stage {
        Some(stage) => format!("API {api} has no stage {stage}; {has}"),
        None => format!("which stage of API {api}? {has}"),
    }
}

fn shown(deployment: &Option<DeploymentId>) -> &str {
    deployment.as_ref().map_or("none", DeploymentId::as_str)
}
