//! Why a service refuses a resource.

use stackgen_gateway_apis::apis::{ApiError, ApiErrorKind};
use stackgen_gateway_lambda::functions::{FunctionError, FunctionErrorKind};

use super::TableStoreError;

/// A refusal in the service's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// True when there is no such thing, which is fine when it is to be deleted.
    pub(super) gone: bool,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Fault {
            message: message.into(),
            hint: None,
            gone: false,
        }
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Fault {
            gone: error.kind == ApiErrorKind::NotFound,
            ..Fault::new(format!("API Gateway refuses it: {}", error.message))
        }
    }
}

impl From<FunctionError> for Fault {
    fn from(error: FunctionError) -> Self {
        Fault {
            gone: error.kind == FunctionErrorKind::NotFound,
            ..Fault::new(format!("Lambda refuses it: {}", error.message))
        }
    }
}

impl From<TableStoreError> for Fault {
    fn from(error: TableStoreError) -> Self {
        Fault {
            hint: error.hint,
            ..Fault::new(error.message)
        }
    }
}

/// Deleting what is gone is done.
pub(super) fn gone(deleted: Result<(), impl Into<Fault>>) -> Result<(), Fault> {
    match deleted.map_err(Into::into) {
        Err(fault) if fault.gone => Ok(()),
        deleted => deleted,
    }
}
