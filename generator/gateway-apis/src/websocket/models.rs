//! Models that messages are held against (row M6).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::selection::select;
use crate::apis::{Route, Snapshot};

/// How many compiled schemas are kept. An api has a handful; old deployments add theirs.
const KEPT: usize = 256;

/// Schemas, compiled once, by their text.
#[derive(Default)]
pub(super) struct Models(RwLock<HashMap<String, Option<Arc<Validator>>>>);

impl Models {
    /// Holds a message against the model that its route names for it.
    ///
    /// # Errors
    ///
    /// Why it does not fit, without what it says. A model that is missing or no schema fits nothing.
    pub(super) fn check(
        &self,
        snapshot: &Snapshot,
        route: &Route,
        body: &str,
    ) -> Result<(), String> {
        if route.request_models.is_empty() || snapshot.api.disable_schema_validation {
            return Ok(());
        }
        let expression = route.model_selection_expression.as_deref();
        let key = select(expression.unwrap_or("$default"), body);
        let models = &route.request_models;
        let Some(name) = models.get(&key).or_else(|| models.get("$default")) else {
            return Ok(());
        };
        let model = snapshot.models.get(name);
        let model = model.ok_or_else(|| format!("there is no model {name}"))?;
        let Some(validator) = self.compiled(&model.schema) else {
            return Err(format!("the schema of model {name} is no JSON Schema"));
        };
        let Ok(body) = serde_json::from_str::<Value>(body) else {
            return Err(format!("model {name} wants JSON"));
        };
        validator.validate(&body).map_err(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the body" } else { &place };
            format!("{place} does not fit model {name}")
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
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(schema.to_owned(), validator.clone());
        validator
    }
}
