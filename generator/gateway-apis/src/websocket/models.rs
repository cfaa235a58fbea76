//! Validation of messages against models (row M6).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jsonschema::{Draft, Validator};
use serde_json::Value;
use stackgen_gateway_common::RouteKey;

use super::selection::select;
use crate::apis::{Snapshot, StoredRoute};

/// Maximum number of cached schemas. An API has few, but old deployments add theirs.
const MAX_VALIDATORS: usize = 256;

/// Cache of compiled schemas, by their text.
#[derive(Default)]
pub(super) struct ModelValidators(RwLock<HashMap<String, Option<Arc<Validator>>>>);

impl ModelValidators {
    /// Validates a message against the model of its route.
    ///
    /// # Errors
    ///
    /// A reason that does not quote the message. If the model is missing or its schema is not valid, no message is
    /// valid.
    pub(super) fn check(
        &self,
        snapshot: &Snapshot,
        route: &StoredRoute,
        body: &str,
    ) -> Result<(), String> {
        // Without an expression, messages are not validated. `DisableSchemaValidation` is about the schemas themselves.
        let Some(expression) = route.model_selection_expression.as_deref() else {
            return Ok(());
        };
        let key = select(expression, body);
        let models = &route.request_models;
        let Some(name) = models.get(&key).or_else(|| models.get(RouteKey::DEFAULT)) else {
            let key: String = key.chars().take(64).collect();
            return Err(format!(
                "{expression} is `{key}`: the route has no such model, and no $default"
            ));
        };
        let model = snapshot.models.get(name);
        let model = model.ok_or_else(|| format!("there is no model {name}"))?;
        let Some(validator) = self.compiled(&model.schema) else {
            return Err(format!("the schema of model {name} is not a JSON Schema"));
        };
        let Ok(body) = serde_json::from_str::<Value>(body) else {
            return Err(format!("the body is not JSON, as model {name} requires"));
        };
        validator.validate(&body).map_err(|error| {
            let location = error.instance_path().to_string();
            let location = if location.is_empty() {
                "the body"
            } else {
                &location
            };
            format!("{location} does not match model {name}")
        })
    }

    fn compiled(&self, schema: &str) -> Option<Arc<Validator>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(schema) {
            return validator.clone();
        }
        drop(known);
        let validator = serde_json::from_str(schema)
            .ok()
            .and_then(|schema: Value| {
                let options = jsonschema::options().with_draft(Draft::Draft4);
                options.build(&schema).ok()
            })
            .map(Arc::new);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_VALIDATORS {
            known.clear();
        }
        known.insert(schema.to_owned(), validator.clone());
        validator
    }
}
