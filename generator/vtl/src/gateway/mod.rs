//! `$input` and `$util` of API Gateway.
//!
//! Source: [variables for data transformations], and for what they leave open, outputs of API Gateway that LocalStack has
//! recorded (see `tests/aws`).
//!
//! [variables for data transformations]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html

mod input;
mod util;

use crate::value::{Computed, Heap, VtlValue};
use crate::variables::TemplateRequest;

/// The request of a render, and its payload once it is parsed.
#[derive(Default)]
pub(crate) struct RequestState<'a> {
    request: Option<&'a TemplateRequest>,
    /// Parsed payload. Changes of a template to it are visible to later calls, as on API Gateway.
    document: Option<VtlValue>,
}

impl<'a> RequestState<'a> {
    pub(crate) fn new(request: Option<&'a TemplateRequest>) -> Self {
        RequestState {
            request,
            document: None,
        }
    }
}

/// Calls a method of `$input` or `$util`; `None` for other values and methods.
pub(crate) fn call(
    heap: &mut Heap,
    state: &mut RequestState<'_>,
    receiver: &VtlValue,
    method: &str,
    arguments: &[VtlValue],
) -> Computed<Option<VtlValue>> {
    match receiver {
        VtlValue::Input => input::call(heap, state, method, arguments),
        VtlValue::Util => util::call(heap, method, arguments),
        _ => Ok(None),
    }
}

/// Reads a property of `$input`; `None` for other values.
pub(crate) fn property(
    heap: &mut Heap,
    state: &mut RequestState<'_>,
    receiver: &VtlValue,
    name: &str,
) -> Computed<Option<VtlValue>> {
    match (receiver, name) {
        (VtlValue::Input, "body") => input::body(heap, state).map(Some),
        _ => Ok(None),
    }
}
