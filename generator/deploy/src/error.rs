//! Errors, and hints about what to do.

use std::time::Duration;

use thiserror::Error;

use crate::evidence::VerifyEvidence;
use crate::{ApiId, DeploymentId, FunctionName, StageName};

/// Result of a call to an account.
pub type AccountResult<T> = Result<T, AccountError>;

/// Error of a call to an account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub struct AccountError {
    /// The kind.
    pub kind: AccountErrorKind,
    /// The operation by its AWS name, such as `CreateDeployment`; empty before the first call.
    pub operation: &'static str,
    /// The message of the service, or of the connection to it.
    pub message: String,
    /// The IAM action and resource of the operation: `apigateway:POST on /apis/a1b2/deployments`.
    pub permission: String,
}

/// Kinds of errors, as far as they are handled differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountErrorKind {
    /// There are no credentials.
    NoCredentials,
    /// The credentials are expired.
    ExpiredCredentials,
    /// No region is set.
    NoRegion,
    /// The caller lacks a permission.
    AccessDenied,
    /// The resource does not exist.
    NotFound,
    /// Something else changes the resource (row D13), or it is in use.
    Conflict,
    /// The resource changed since the caller read it.
    Outdated,
    /// Too many calls (row D15).
    TooManyRequests,
    /// The service rejects the request.
    Refused,
    /// The request did not reach the service.
    Unreachable,
    /// The service's certificate is not trusted.
    UntrustedCertificate,
    /// The proxy requires credentials.
    Proxy,
    /// A role takes a code of an MFA device, and there is none, or STS rejects it.
    MfaCode,
    /// A profile does not exist, or its settings are wrong.
    BadConfiguration,
    /// The answer was lost or the service failed, so the request may have taken effect.
    Unclear,
    /// The answer is not from the service: another server answers in its place. The request may have taken effect.
    Garbled,
}

impl AccountError {
    /// Creates an error from before the first call.
    pub fn before_calls(kind: AccountErrorKind, message: String) -> Self {
        AccountError {
            kind,
            operation: "",
            message,
            permission: String::new(),
        }
    }

    fn text(&self) -> String {
        match self.operation {
            "" => self.message.clone(),
            operation => format!("{operation}: {}", self.message),
        }
    }

    /// True if the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        use AccountErrorKind::{Conflict, Garbled, TooManyRequests, Unclear, Unreachable};
        matches!(
            self.kind,
            Conflict | Garbled | TooManyRequests | Unclear | Unreachable
        )
    }

    /// True if something of that name exists, or is in use.
    pub fn is_conflict(&self) -> bool {
        self.kind == AccountErrorKind::Conflict
    }

    /// Returns what to do.
    pub fn hint(&self) -> Option<String> {
        use AccountErrorKind as Kind;
        Some(match self.kind {
            Kind::NoCredentials => {
                "set AWS_PROFILE or `--profile`, or sign in; `--local` needs no credentials".to_owned()
            }
            Kind::ExpiredCredentials => {
                "sign in again, for instance with `aws sso login`".to_owned()
            }
            Kind::NoRegion => "set AWS_REGION or `--region`".to_owned(),
            Kind::AccessDenied => format!("the caller needs {}", self.permission),
            Kind::NotFound => {
                "check the region and the account: `aws sts get-caller-identity`".to_owned()
            }
            Kind::Conflict => {
                "something else changes the same API; run it again when that is done".to_owned()
            }
            Kind::Outdated => "something else changed it meanwhile; run it again".to_owned(),
            Kind::TooManyRequests => {
                "AWS throttles these calls for all callers of the account and region together; run it again in a few minutes".to_owned()
            }
            Kind::Garbled => {
                "check for a proxy, a captive portal or another server at this endpoint, which `--endpoint-url` or AWS_ENDPOINT_URL sets".to_owned()
            }
            Kind::Unreachable => {
                "check the network, the proxy in HTTPS_PROXY, the region and `--endpoint-url`".to_owned()
            }
            Kind::UntrustedCertificate => {
                "if a proxy decrypts the traffic, set AWS_CA_BUNDLE, or `ca_bundle` in the profile, to a file with its root certificate".to_owned()
            }
            Kind::Proxy => {
                "check the URL, user name and password in HTTPS_PROXY; NO_PROXY names hosts to reach without the proxy".to_owned()
            }
            Kind::MfaCode => {
                "run it on a terminal, and enter a code that was not used before; without questions, use a profile with `credential_process = aws configure export-credentials --profile NAME`".to_owned()
            }
            Kind::BadConfiguration => {
                "check the profiles in ~/.aws/config, AWS_PROFILE and `--profile`".to_owned()
            }
            Kind::Unclear => "run it again; it continues from the account's state".to_owned(),
            Kind::Refused => return None,
        })
    }
}

/// Error of an operation on deployments. After any of them, the stage serves a complete deployment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages explain the fields")]
pub enum DeployError {
    /// A call failed for good.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// No API has the name.
    #[error("there is no API named {name}")]
    NoApi { name: String },
    /// No API has the ID.
    #[error("there is no API with the ID {id}")]
    NoApiId { id: ApiId },
    /// Several APIs have the name.
    #[error("{} APIs are named {name}: {}", ids.len(), join(ids))]
    AmbiguousApi { name: String, ids: Vec<ApiId> },
    /// The API has no such stage, or no stage was named and it does not have exactly one.
    #[error("{}", no_stage(api, stage.as_ref(), stages))]
    NoStage {
        api: ApiId,
        stage: Option<StageName>,
        stages: Vec<StageName>,
    },
    /// API Gateway activates deployments by itself (row D5).
    #[error(
        "stage {stage} of API {api} is under AutoDeploy: API Gateway deploys every change by itself, and refuses a deployment ID (row D5)"
    )]
    AutoDeploy { api: ApiId, stage: StageName },
    /// Versions cannot be released together under AutoDeploy (row D5).
    #[error(
        "stage {stage} of API {api} is under AutoDeploy: API Gateway would deploy each version of a pinned release by itself (row D5)"
    )]
    PinnedAutoDeploy { api: ApiId, stage: StageName },
    /// AutoDeploy could not deploy the API.
    #[error("API Gateway could not deploy stage {stage} by itself: {message}")]
    AutoDeployFailed { stage: StageName, message: String },
    /// AutoDeploy did not deploy the API in time.
    #[error("{reason} after {} s; API Gateway deploys stage {stage} by itself (row D5)", after.as_secs())]
    AutoDeployTimedOut {
        stage: StageName,
        reason: String,
        after: Duration,
    },
    /// The account has no such function.
    #[error("there is no function {function}")]
    NoFunction { function: FunctionName },
    /// Lambda could not update a function.
    #[error("function {function} could not be updated: {reason}")]
    FunctionFailed {
        function: FunctionName,
        reason: String,
    },
    /// Lambda did not finish an update in time.
    #[error("function {function} is still being updated after {} s", after.as_secs())]
    FunctionTimedOut {
        function: FunctionName,
        after: Duration,
    },
    /// API Gateway could not invoke a published version (row D19).
    #[error(
        "{part} invokes {function} by a permission of the function, which covers no published version (row D19)"
    )]
    NotInvokable {
        part: String,
        function: FunctionName,
    },
    /// API Gateway could not create the deployment.
    #[error("deployment {id} failed: {message}; the stage was not moved")]
    DeploymentFailed { id: DeploymentId, message: String },
    /// API Gateway did not create the deployment in time.
    #[error("deployment {id} is still PENDING after {} s; the stage was not moved", after.as_secs())]
    DeploymentTimedOut { id: DeploymentId, after: Duration },
    /// The API changed during every attempt to deploy it.
    #[error("API {api} changed {times} times while it was being deployed; the stage was not moved")]
    KeepsChanging { api: ApiId, times: usize },
    /// Another run moved the stage.
    #[error(
        "stage {stage} was moved by another run or another tool: it serves {}, not {}",
        or_none(found.as_ref()),
        or_none(expected.as_ref())
    )]
    Moved {
        stage: StageName,
        expected: Option<DeploymentId>,
        found: Option<DeploymentId>,
    },
    /// API Gateway accepted a move, but the stage does not show it.
    #[error(
        "stage {stage} still serves {} {} s after API Gateway accepted {deployment}; if it serves {deployment} later, that is not verified",
        or_none(serves.as_ref()),
        after.as_secs_f32()
    )]
    MoveNotVisible {
        stage: StageName,
        deployment: DeploymentId,
        serves: Option<DeploymentId>,
        after: Duration,
    },
    /// The stage cannot be read after it was, or may have been, moved.
    #[error(
        "cannot read which deployment stage {stage} serves: {reason}; if it is {deployment}, that is not verified"
    )]
    StageUnknown {
        stage: StageName,
        deployment: DeploymentId,
        reason: String,
    },
    /// No caller can reach the stage.
    #[error("stage {stage} of {api} cannot be verified: {reason}")]
    CannotVerify {
        api: String,
        stage: StageName,
        reason: String,
    },
    /// The stage did not answer as expected.
    #[error(transparent)]
    NotVerified(Box<NotVerified>),
    /// The API has no such deployment.
    #[error("API {api} has no deployment {id}")]
    NoDeployment { api: ApiId, id: DeploymentId },
    /// No stage can serve the deployment.
    #[error("deployment {id} is {status}, so no stage can serve it")]
    NotDeployed {
        id: DeploymentId,
        status: &'static str,
    },
    /// No earlier deployment can be rolled back to.
    #[error(
        "there is no earlier deployment that was verified, or that the stage is known to have served"
    )]
    NothingEarlier,
    /// No stack is known to have the API.
    #[error("no stack of CloudFormation is known to have API {api}")]
    NoStack { api: ApiId },
    /// The template of a stack does not describe the API.
    #[error("the template of stack {stack} cannot be compared: {reason}")]
    StackTemplate { stack: String, reason: String },
    /// The user interrupted the operation.
    #[error("interrupted")]
    Interrupted,
    /// The user interrupted the operation after the stage was moved, and before it was verified.
    #[error(
        "interrupted: stage {stage} serves deployment {deployment}, which is not verified (was {})",
        or_none(previous.as_ref())
    )]
    InterruptedUnverified {
        stage: StageName,
        deployment: DeploymentId,
        previous: Option<DeploymentId>,
    },
}

/// A stage that did not answer as expected after it was moved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("stage {stage} {} with deployment {failed}: {evidence}; {}", self.verb(), self.result())]
pub struct NotVerified {
    /// The stage.
    pub stage: StageName,
    /// The deployment that it served.
    pub failed: DeploymentId,
    /// The answers.
    pub evidence: VerifyEvidence,
    /// True if an authorizer refused every caller, so that the integration did not run.
    pub inconclusive: bool,
    /// The earlier deployment that the stage serves again.
    pub restored: Option<DeploymentId>,
    /// The reason why the earlier deployment could not be restored.
    pub not_restored: Option<String>,
    /// True if the failed deployment was deleted.
    pub pruned: bool,
    /// True if the stage is under AutoDeploy, so that it cannot be moved back (row D5).
    pub auto_deploy: bool,
}

impl NotVerified {
    fn verb(&self) -> &'static str {
        match self.inconclusive {
            true => "could not be verified",
            false => "is not verified",
        }
    }

    fn result(&self) -> String {
        let failed = &self.failed;
        let pruned = match self.pruned {
            true => "was deleted",
            false => "is kept",
        };
        match (&self.restored, &self.not_restored) {
            _ if self.auto_deploy => format!(
                "it still serves {failed}, because it cannot be moved back while AutoDeploy is on (row D5)"
            ),
            (Some(previous), _) => format!("{previous} is restored, {failed} {pruned}"),
            (None, Some(reason)) => format!("it still serves {failed}: {reason}"),
            (None, None) => {
                format!("it still serves {failed}, because no deployment to go back to is known")
            }
        }
    }
}

impl DeployError {
    /// True if no other call makes sense after this error.
    pub(crate) fn ends_all_calls(&self) -> bool {
        use AccountErrorKind::{ExpiredCredentials, NoCredentials};
        match self {
            DeployError::Interrupted => true,
            DeployError::Account(error) => {
                matches!(error.kind, ExpiredCredentials | NoCredentials)
            }
            _ => false,
        }
    }

    /// Returns what to do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            DeployError::Account(error) => return error.hint(),
            DeployError::NoApi { .. } => {
                "deploy the template first; `--api-id` selects any other API, `--region` another region"
            }
            DeployError::NoApiId { .. } => {
                "list the APIs with `aws apigatewayv2 get-apis`; `--region` and `--profile` select another region and account"
            }
            DeployError::AmbiguousApi { .. } => "select one with `--api-id`",
            DeployError::NoStage { .. } => "select one with `--stage-name`",
            DeployError::AutoDeploy { .. } => {
                "to choose the stage's deployments, turn AutoDeploy off: \"Leaving AutoDeploy\" in docs/guide/releases.md"
            }
            DeployError::PinnedAutoDeploy { .. } => {
                "turn AutoDeploy off (\"Leaving AutoDeploy\" in docs/guide/releases.md), or leave functions and versions alone with `--no-code`"
            }
            DeployError::AutoDeployFailed { .. } => {
                "the stage serves what it served before; correct the API, and API Gateway deploys it again"
            }
            DeployError::AutoDeployTimedOut { .. } => {
                "run it again; see the deployments with `stackgen deployments list`"
            }
            DeployError::NoFunction { .. } => {
                "deploy the template first, or leave code alone with `--no-code`"
            }
            DeployError::FunctionFailed { .. } | DeployError::FunctionTimedOut { .. } => {
                "nothing was deployed; run it again, or leave code alone with `--no-code`"
            }
            DeployError::NotInvokable { .. } => {
                "deploy the template first: a pinned release has an invoke role for the API"
            }
            DeployError::DeploymentFailed { .. } | DeployError::DeploymentTimedOut { .. } => {
                "the stage serves what it served before; run it again"
            }
            DeployError::KeepsChanging { .. } => "run it again when nothing else changes the API",
            DeployError::Moved { .. } => {
                "check what it serves with `stackgen status`; run it again to deploy anyway"
            }
            DeployError::NotVerified(error) => error.hint(),
            DeployError::NoDeployment { .. }
            | DeployError::NotDeployed { .. }
            | DeployError::NothingEarlier => "list all with `stackgen deployments list`",
            DeployError::CannotVerify { .. } => {
                "declare a caller under `verify:` in stackgen.yaml, or deploy without verification: `--no-verify`"
            }
            DeployError::MoveNotVisible { .. } | DeployError::StageUnknown { .. } => {
                "run it again: it verifies what the stage serves"
            }
            DeployError::InterruptedUnverified { .. } => {
                "see what a client gets with `stackgen probe`, or go back with `stackgen deployments rollback`"
            }
            DeployError::NoStack { .. } => {
                "its tag `aws:cloudformation:stack-name` names the stack, or the project's environment: select one with `--env`"
            }
            DeployError::StackTemplate { .. } | DeployError::Interrupted => return None,
        };
        Some(hint.to_owned())
    }

    /// True if the input was wrong, as opposed to an operation that failed.
    pub fn is_bad_input(&self) -> bool {
        match self {
            DeployError::Account(error) => error.kind == AccountErrorKind::BadConfiguration,
            DeployError::NoApi { .. }
            | DeployError::NoApiId { .. }
            | DeployError::AmbiguousApi { .. }
            | DeployError::NoStage { .. }
            | DeployError::NoStack { .. }
            | DeployError::NoDeployment { .. } => true,
            _ => false,
        }
    }
}

impl NotVerified {
    fn hint(&self) -> &'static str {
        match (&self.restored, &self.not_restored) {
            (None, Some(_)) => "move the stage with `stackgen deployments activate ID`",
            _ if self.inconclusive => {
                "declare a caller with credentials under `verify:` in stackgen.yaml, or with `--verify-query`, `--verify-header` or `--verify-subprotocol`; `--no-verify` deploys without verification"
            }
            _ if self.auto_deploy => {
                "see what a client gets with `stackgen probe`; to be able to go back, turn AutoDeploy off: \"Leaving AutoDeploy\" in docs/guide/releases.md"
            }
            _ => {
                "see what a client gets with `stackgen probe`; `--no-verify` deploys without verification"
            }
        }
    }
}

fn join(ids: &[ApiId]) -> String {
    ids.iter().map(ApiId::as_str).collect::<Vec<_>>().join(", ")
}

fn no_stage(api: &ApiId, stage: Option<&StageName>, stages: &[StageName]) -> String {
    let names: Vec<_> = stages.iter().map(StageName::as_str).collect();
    let names = names.join(", ");
    match (stage, names.is_empty()) {
        (Some(stage), true) => format!("API {api} has no stage {stage}, and no other stage"),
        (Some(stage), false) => format!("API {api} has no stage {stage}; it has {names}"),
        (None, true) => format!("API {api} has no stage"),
        (None, false) => format!("API {api} has several stages: {names}"),
    }
}

fn or_none(deployment: Option<&DeploymentId>) -> &str {
    deployment.map_or("none", DeploymentId::as_str)
}
