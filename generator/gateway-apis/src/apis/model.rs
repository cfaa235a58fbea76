//! Models.

use std::sync::Arc;

use stackgen_gateway_common::{ApiId, ModelId, resource_id};

use super::check::{length, optional_length, required, set, set_text};
use super::state::StoredWiring;
use super::{ApiError, Apis, ModelInput, Pairs, ProtocolType, StoredModel, StoredRoute};

impl Apis {
    /// Creates a model.
    ///
    /// # Errors
    ///
    /// If its name is taken or not alphanumeric, or its schema is not JSON.
    pub fn create_model(
        &self,
        api: &ApiId,
        id: Option<ModelId>,
        mut input: ModelInput,
    ) -> Result<Arc<StoredModel>, ApiError> {
        self.change_wiring(api, |state| {
            let id = id.unwrap_or_else(|| ModelId::new(resource_id(6)));
            if state.wiring.models.contains_key(&id) {
                return Err(ApiError::conflict(format!("Model {id} already exists")));
            }
            let mut model = StoredModel {
                model_id: id,
                name: required("name", input.name.take())?,
                content_type: Some("application/json".to_owned()),
                schema: required("schema", input.schema.take())?,
                description: None,
            };
            apply(&mut model, input);
            let model = state.wiring.put_model(model)?;
            let subject = format!("model {}", model.name);
            Ok((model, subject))
        })
    }

    /// Returns the model with this ID.
    ///
    /// # Errors
    ///
    /// If the API or the model does not exist.
    pub fn get_model(&self, api: &ApiId, id: &ModelId) -> Result<Arc<StoredModel>, ApiError> {
        self.read(api, |state| state.wiring.model(id).cloned())
    }

    /// Returns all models.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn list_models(&self, api: &ApiId) -> Result<Vec<Arc<StoredModel>>, ApiError> {
        self.read(api, |state| {
            Ok(state.wiring.models.values().cloned().collect())
        })
    }

    /// Updates a model.
    ///
    /// # Errors
    ///
    /// As [`Apis::create_model`], or if a model that a route uses is renamed.
    pub fn update_model(
        &self,
        api: &ApiId,
        id: &ModelId,
        input: ModelInput,
    ) -> Result<Arc<StoredModel>, ApiError> {
        self.change_wiring(api, |state| {
            let before = state.wiring.model(id)?.clone();
            let mut model = StoredModel::clone(&before);
            apply(&mut model, input);
            if model.name != before.name {
                state.wiring.check_unused(&before, "rename")?;
            }
            let model = state.wiring.put_model(model)?;
            let subject = format!("model {}", model.name);
            Ok((model, subject))
        })
    }

    /// Deletes a model.
    ///
    /// # Errors
    ///
    /// If it does not exist, or a route uses it.
    pub fn delete_model(&self, api: &ApiId, id: &ModelId) -> Result<(), ApiError> {
        self.change_wiring(api, |state| {
            let model = state.wiring.model(id)?.clone();
            state.wiring.check_unused(&model, "delete")?;
            state.wiring.models.shift_remove(id);
            Ok(((), format!("model {}", model.name)))
        })
    }
}

impl StoredWiring {
    fn model(&self, id: &ModelId) -> Result<&Arc<StoredModel>, ApiError> {
        self.models
            .get(id)
            .ok_or_else(|| ApiError::not_found(format!("Unable to find Model by Id {id}")))
    }

    fn check_unused(&self, model: &StoredModel, verb: &str) -> Result<(), ApiError> {
        let named = |models: &Pairs| models.values().any(|name| *name == model.name);
        let uses = |route: &&Arc<StoredRoute>| {
            let mut responses = (self.route_responses.get(&route.route_id).into_iter())
                .flat_map(|responses| responses.values());
            named(&route.request_models)
                || responses.any(|response| named(&response.response_models))
        };
        match self.routes.values().find(uses) {
            Some(route) => Err(ApiError::conflict(format!(
                "Cannot {verb} model '{}', is referenced in route: {}",
                model.name, route.route_key
            ))),
            None => Ok(()),
        }
    }

    fn put_model(&mut self, model: StoredModel) -> Result<Arc<StoredModel>, ApiError> {
        check(self.api.protocol_type, &model)?;
        let taken =
            |other: &Arc<StoredModel>| other.name == model.name && other.model_id != model.model_id;
        if self.models.values().any(taken) {
            return Err(ApiError::conflict("Model name already exists for this API"));
        }
        let model = Arc::new(model);
        self.models.insert(model.model_id.clone(), model.clone());
        Ok(model)
    }
}

fn check(protocol: ProtocolType, model: &StoredModel) -> Result<(), ApiError> {
    if protocol == ProtocolType::Http {
        return Err(ApiError::bad_request(
            "Models are not supported for HTTP protocol Apis.",
        ));
    }
    length("name", &model.name, 1, 128)?;
    if !model.name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(ApiError::bad_request(format!(
            "Model name must be alphanumeric: {}",
            model.name
        )));
    }
    optional_length("description", model.description.as_ref(), 1024)?;
    optional_length("contentType", model.content_type.as_ref(), 256)?;
    length("schema", &model.schema, 0, 32_768)?;
    match serde_json::from_str::<serde_json::Value>(&model.schema) {
        Ok(_) => Ok(()),
        Err(wrong) => Err(ApiError::bad_request(format!(
            "Invalid model schema specified. Invalid model specified: Validation Result: warnings : [], errors : [{wrong}]"
        ))),
    }
}

fn apply(model: &mut StoredModel, input: ModelInput) {
    set(&mut model.name, input.name);
    set_text(&mut model.content_type, input.content_type);
    set(&mut model.schema, input.schema);
    set_text(&mut model.description, input.description);
}
