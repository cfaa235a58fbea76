//! Operations of AWS, and the errors of calls to them.

use std::error::Error;
use std::fmt::Display;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stackgen_deploy::{AccountError, AccountErrorKind as Kind, FunctionName};

use crate::permissions::AwsCall;

/// Message for status 407.
const PROXY_CREDENTIALS: &str =
    "the proxy does not accept the user name and password, or there are none";

/// An operation, and the IAM permission that it takes.
#[derive(Debug)]
pub(crate) struct AwsOperation {
    name: &'static str,
    permission: String,
}

impl AwsOperation {
    /// An operation that takes no permission on a resource.
    pub(crate) fn unlimited(call: AwsCall) -> Self {
        AwsOperation {
            name: call.name(),
            permission: call.action().to_owned(),
        }
    }

    /// An operation on a resource.
    pub(crate) fn on(call: AwsCall, resource: impl Display) -> Self {
        AwsOperation {
            name: call.name(),
            permission: format!("{} on {resource}", call.action()),
        }
    }

    /// An operation of API Gateway on a path.
    pub(crate) fn gateway(call: AwsCall, path: impl Display) -> Self {
        Self::on(call, path)
    }

    /// An operation of Lambda on a function.
    pub(crate) fn lambda(call: AwsCall, function: &FunctionName) -> Self {
        Self::on(call, format_args!("function {function}"))
    }

    /// AssumeRole of STS.
    pub(crate) fn assume_role(role: &str) -> Self {
        Self::on(AwsCall::AssumeRole, role)
    }

    /// Converts the SDK's result.
    pub(crate) fn result<T, E>(
        &self,
        result: Result<T, SdkError<E, Response>>,
    ) -> Result<T, AccountError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        result.map_err(|error| self.failed(&error))
    }

    fn failed<E>(&self, error: &SdkError<E, Response>) -> AccountError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (kind, message) = match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                service_error(service.err(), status)
            }
            other => transport_error(other),
        };
        self.error(kind, message)
    }

    /// Error for an answer that lacks a required field.
    pub(crate) fn lacks(&self, field: &str) -> AccountError {
        self.error(Kind::Garbled, format!("the answer has no {field}"))
    }

    /// Returns the items of a page. API Gateway always returns a list; without one, the answer is cut off or not from it. An
    /// empty list in its place would hide every part of an API.
    pub(crate) fn items<T>(&self, items: Option<Vec<T>>) -> Result<Vec<T>, AccountError> {
        items.ok_or_else(|| self.lacks("items"))
    }

    /// Error for a stream that broke off.
    pub(crate) fn unclear(&self, message: String) -> AccountError {
        self.error(Kind::Unclear, message)
    }

    /// Error for a list whose pages repeat.
    pub(crate) fn endless(&self) -> AccountError {
        let message = "the list does not end: its pages repeat; another server may answer here";
        self.error(Kind::Refused, message.to_owned())
    }

    fn error(&self, kind: Kind, message: String) -> AccountError {
        AccountError {
            kind,
            operation: self.name,
            message,
            permission: self.permission.clone(),
        }
    }
}

/// Returns kind and message of an error answer.
fn service_error(error: &impl ProvideErrorMetadata, status: u16) -> (Kind, String) {
    if (200..400).contains(&status) {
        let message = format!("the answer with status {status} is not from AWS");
        return (Kind::Garbled, message);
    }
    if status == 407 {
        return (Kind::Proxy, PROXY_CREDENTIALS.to_owned());
    }
    let code = error.code().unwrap_or_default();
    let kind = match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Kind::ExpiredCredentials,
        "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Kind::NoCredentials,
        // STS has no code of its own for this.
        "AccessDenied" if error.message().is_some_and(is_about_mfa_code) => Kind::MfaCode,
        "AccessDenied"
        | "AccessDeniedException"
        | "ForbiddenException"
        | "UnauthorizedOperation" => Kind::AccessDenied,
        "ChangeSetNotFound"
        | "DashboardNotFoundError"
        | "GoneException"
        | "NoSuchBucket"
        | "NoSuchEntity"
        | "NoSuchResourceException"
        | "NotFound"
        | "NotFoundException"
        | "ResourceNotFound"
        | "ResourceNotFoundException" => Kind::NotFound,
        "AlreadyExistsException"
        | "ConditionalRequestConflict"
        | "ConflictException"
        | "OperationAborted"
        | "ResourceConflictException" => Kind::Conflict,
        "PreconditionFailedException" => Kind::Outdated,
        "TooManyRequestsException"
        | "LimitExceededException"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException" => Kind::TooManyRequests,
        _ if status == 429 => Kind::TooManyRequests,
        // Answers to HEAD requests have no body, and so no code.
        "" if status == 403 => Kind::AccessDenied,
        "" if matches!(status, 404 | 410) => Kind::NotFound,
        _ if status >= 500 => Kind::Unclear,
        _ => Kind::Refused,
    };
    let message = match (error.message(), code) {
        (Some(message), _) => message.to_owned(),
        (None, "") => format!("status {status}"),
        (None, code) => code.to_owned(),
    };
    (kind, message)
}

/// Returns kind and message of a call without an answer. It is [`Kind::Unclear`] only if the request may have arrived.
fn transport_error<E: Error + 'static>(error: &SdkError<E, Response>) -> (Kind, String) {
    let text = causes(error);
    if let Some(failure) = lasting_failure(&text) {
        return failure;
    }
    let kind = match error {
        _ if text.contains("Missing Region") || text.contains("region must be set") => {
            Kind::NoRegion
        }
        SdkError::ConstructionFailure(_) => Kind::Refused,
        SdkError::DispatchFailure(failure)
            if text.contains("client error (Connect)") || failure.is_user() =>
        {
            Kind::Unreachable
        }
        SdkError::DispatchFailure(failure) if failure.is_other() && text.contains("credential") => {
            Kind::NoCredentials
        }
        _ => Kind::Unclear,
    };
    (kind, text)
}

/// Returns kind and message of a failure of TLS or of a proxy that lasts. Only its text distinguishes it from others.
fn lasting_failure(text: &str) -> Option<(Kind, String)> {
    if let Some((_, reason)) = text.split_once("invalid peer certificate: ") {
        let message = format!("the server's certificate is not trusted: {reason}");
        return Some((Kind::UntrustedCertificate, message));
    }
    let is_refused = text.contains("proxy authorization required");
    is_refused.then(|| (Kind::Proxy, PROXY_CREDENTIALS.to_owned()))
}

fn is_about_mfa_code(message: &str) -> bool {
    message.contains("MultiFactorAuthentication")
}

/// Converts an error of the provider that assumes a role.
pub(crate) fn assume_role(error: &CredentialsError, role: &str) -> AccountError {
    let sts = error
        .source()
        .and_then(|source| source.downcast_ref::<SdkError<AssumeRoleError, Response>>());
    let operation = AwsOperation::assume_role(role);
    match sts {
        Some(error) => operation.failed(error),
        None => {
            let AccountError { kind, message, .. } = credentials(error);
            operation.error(kind, message)
        }
    }
}

/// Converts an error of a credentials provider. Its text contains no credentials.
pub(crate) fn credentials(error: &CredentialsError) -> AccountError {
    let text = match error {
        CredentialsError::CredentialsNotLoaded(_) => "no credentials were found".to_owned(),
        other => causes(other),
    };
    let (kind, message) = match lasting_failure(&text) {
        Some(failure) => failure,
        None if text.contains("expired") => (Kind::ExpiredCredentials, text),
        None => (Kind::NoCredentials, text),
    };
    AccountError::before_calls(kind, message)
}

/// Returns an error and its causes in one line.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}
