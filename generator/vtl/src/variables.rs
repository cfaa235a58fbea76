//! Variables of a template, as callers give them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::value::{Computed, Heap, ListKind, VtlValue, from_json};

/// Rendering of references without a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnresolvedReferences {
    /// As empty strings, also in expressions, as on API Gateway: `$missing == ""` holds, and so does `#if($missing)`.
    #[default]
    Empty,
    /// As they stand in the template, which is Velocity's default.
    Source,
}

/// Variables of a template: `$context`, `$stageVariables` and others as JSON, and `$input` and `$util` of a request.
///
/// A JSON object becomes a map and an array a list. `null` is a variable without a value.
#[derive(Clone, Debug, Default)]
pub struct TemplateVariables {
    pub(crate) values: Map<String, Value>,
    pub(crate) request: Option<TemplateRequest>,
    pub(crate) unresolved: UnresolvedReferences,
}

/// Request or response that `$input` gives access to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateRequest {
    /// Payload. `$input.body` is `{}` if it is empty, as on API Gateway.
    pub body: String,
    /// `$input.params().path`.
    pub path: Vec<TemplateParameter>,
    /// `$input.params().querystring`.
    pub querystring: Vec<TemplateParameter>,
    /// `$input.params().header`.
    pub header: Vec<TemplateParameter>,
}

/// Parameter of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateParameter {
    /// Name as the client sent it.
    pub name: String,
    /// Value.
    pub value: String,
}

impl TemplateVariables {
    /// Returns variables without `$input` and `$util`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the variables of a mapping template: `$input` and `$util` for a request, `$context` and `$stageVariables`.
    ///
    /// Sources: [variables of WebSocket APIs] and [variables for data transformations].
    ///
    /// [variables of WebSocket APIs]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
    /// [variables for data transformations]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    pub fn of_request(request: TemplateRequest, context: Value, stage_variables: Value) -> Self {
        let mut variables = Self::new();
        variables.request = Some(request);
        variables.set("context", context);
        variables.set("stageVariables", stage_variables);
        variables
    }

    /// Sets a variable. `input` and `util` are those of the request, if there is one.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.values.insert(name.into(), value);
    }

    /// Sets how references without a value render.
    pub fn set_unresolved(&mut self, unresolved: UnresolvedReferences) {
        self.unresolved = unresolved;
    }

    pub(crate) fn to_values(&self, heap: &mut Heap) -> Computed<HashMap<String, VtlValue>> {
        let mut values = HashMap::new();
        for (name, value) in &self.values {
            values.insert(name.clone(), from_json(heap, value, ListKind::List)?);
        }
        if self.request.is_some() {
            values.insert("input".to_owned(), VtlValue::Input);
            values.insert("util".to_owned(), VtlValue::Util);
        }
        Ok(values)
    }
}
