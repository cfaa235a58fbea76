//! Failures of calls, as the engine knows them.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stackgen_deploy::{AccountError, AccountErrorKind as Kind};

/// An operation, and what the caller must be allowed to do.
pub(crate) struct Call {
    operation: &'static str,
    permission: String,
}

impl Call {
    pub(crate) fn new(operation: &'static str, permission: impl Into<String>) -> Call {
        Call {
            operation,
            permission: permission.into(),
        }
    }

    /// The answer, or why there is none.
    pub(crate) fn answer<T, E>(
        &self,
        result: Result<T, SdkError<E, Response>>,
    ) -> Result<T, AccountError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        result.map_err(|error| {
            let (kind, message) = match &error {
                SdkError::ServiceError(service) => {
                    let status = service.raw().status().as_u16();
                    refused(service.err(), status)
                }
                other => unanswered(other),
            };
            self.error(kind, message)
        })
    }

    /// An answer that lacks what it must have.
    pub(crate) fn lacks(&self, what: &str) -> AccountError {
        self.error(Kind::Garbled, format!("the answer has no {what}"))
    }

    /// A list whose pages do not end.
    pub(crate) fn endless(&self) -> AccountError {
        let message = "the list does not end: its pages repeat; another server may answer here";
        self.error(Kind::Refused, message.to_owned())
    }

    fn error(&self, kind: Kind, message: String) -> AccountError {
        AccountError {
            kind,
            operation: self.operation,
            message,
            permission: self.permission.clone(),
        }
    }
}

/// What the service says.
fn refused(error: &impl ProvideErrorMetadata, status: u16) -> (Kind, String) {
    if (200..400).contains(&status) {
        let message = format!("the answer, of status {status}, is not one of AWS");
        return (Kind::Garbled, message);
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
        "AccessDenied" | "AccessDeniedException" | "ForbiddenException" => Kind::AccessDenied,
        "NotFoundException" | "ResourceNotFoundException" => Kind::NotFound,
        "ConflictException" | "ResourceConflictException" | "PreconditionFailedException" => {
            Kind::Conflict
        }
        "TooManyRequestsException"
        | "LimitExceededException"
        | "Throttling"
        | "ThrottlingException" => Kind::TooManyRequests,
        _ if status == 429 => Kind::TooManyRequests,
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

/// Why no answer came. What never left this machine is not [`Kind::Unclear`].
fn unanswered<E: Error + 'static>(error: &SdkError<E, Response>) -> (Kind, String) {
    let text = causes(error);
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

/// Why there are no credentials. They are never part of it.
pub(crate) fn credentials(error: &CredentialsError) -> AccountError {
    let text = match error {
        CredentialsError::CredentialsNotLoaded(_) => "no credentials were found".to_owned(),
        other => causes(other),
    };
    let kind = match text.contains("expired") {
        true => Kind::ExpiredCredentials,
        false => Kind::NoCredentials,
    };
    Call::new("", "").error(kind, text)
}

/// What went wrong, and why, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
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
