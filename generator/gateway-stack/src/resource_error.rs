//! Errors of services while a template is applied.

use stackgen_gateway_apis::apis::{ApiError, ApiErrorKind};
use stackgen_gateway_lambda::functions::{FunctionError, FunctionErrorKind};

use super::{EventSourceError, TableStoreError};

/// Error of a service about a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResourceError {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// True if the resource does not exist, which is fine for a deletion.
    pub(super) not_found: bool,
}

impl ResourceError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ResourceError {
            message: message.into(),
            hint: None,
            not_found: false,
        }
    }
}

impl From<ApiError> for ResourceError {
    fn from(error: ApiError) -> Self {
        ResourceError {
            not_found: error.kind == ApiErrorKind::NotFound,
            ..ResourceError::new(format!("API Gateway rejects it: {}", error.message))
        }
    }
}

impl From<FunctionError> for ResourceError {
    fn from(error: FunctionError) -> Self {
        ResourceError {
            not_found: error.kind == FunctionErrorKind::NotFound,
            ..ResourceError::new(format!("Lambda rejects it: {}", error.message))
        }
    }
}

impl From<TableStoreError> for ResourceError {
    fn from(error: TableStoreError) -> Self {
        ResourceError {
            hint: error.hint,
            ..ResourceError::new(error.message)
        }
    }
}

impl From<EventSourceError> for ResourceError {
    fn from(error: EventSourceError) -> Self {
        ResourceError {
            hint: error.hint,
            ..ResourceError::new(error.message)
        }
    }
}

/// Treats the deletion of a missing resource as a success.
pub(super) fn ignore_missing(
    deleted: Result<(), impl Into<ResourceError>>,
) -> Result<(), ResourceError> {
    match deleted.map_err(Into::into) {
        Err(error) if error.not_found => Ok(()),
        deleted => deleted,
    }
}
