//! Import of HTTP APIs from OpenAPI documents, the form in which SAM writes them.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use stackgen_gateway_common::{ApiId, AuthorizerId, RouteKey};

use super::state::ApiState;
use super::{
    ApiError, ApiInput, Apis, AuthorizerInput, IntegrationInput, Pairs, ProtocolType, RouteInput,
    StoredApi,
};

impl Apis {
    /// Creates an HTTP API from an OpenAPI document with API Gateway's extensions.
    ///
    /// # Errors
    ///
    /// If the document has no title, or describes something that is not valid.
    pub fn import_api(
        &self,
        id: Option<ApiId>,
        document: &Value,
    ) -> Result<Arc<StoredApi>, ApiError> {
        let created = self.create_api(id, ApiInput::from_document(document))?;
        self.reimport_api(&created.api_id, document)
            .inspect_err(|_| {
                // If somebody deleted the new API in the meantime, there is nothing left to clean up.
                let _ = self.delete_api(&created.api_id);
            })
    }

    /// Replaces the wiring of an HTTP API with that of a document.
    ///
    /// # Errors
    ///
    /// As [`Apis::import_api`]. After an error the API is unchanged.
    pub fn reimport_api(&self, id: &ApiId, document: &Value) -> Result<Arc<StoredApi>, ApiError> {
        self.change_wiring(id, |state| {
            let before = state.wiring.api.clone();
            if before.protocol_type != ProtocolType::Http {
                return Err(ApiError::bad_request("Only HTTP APIs can be imported"));
            }
            state.update_api(ApiInput::from_document(document))?;
            state.wiring.routes.clear();
            state.wiring.integrations.clear();
            state.wiring.authorizers.clear();
            let authorizers = state.import_authorizers(document)?;
            for (path, operations) in entries(&document["paths"]) {
                for (method, operation) in entries(operations) {
                    if let Some(key) = route_key(path, method) {
                        state.import_route(key, operation, &authorizers)?;
                    }
                }
            }
            Ok((state.wiring.api.clone(), "the imported API".to_owned()))
        })
    }
}

impl ApiState {
    /// Creates the authorizers of the document. Returns their IDs by the names of their security schemes.
    fn import_authorizers(
        &mut self,
        document: &Value,
    ) -> Result<IndexMap<String, AuthorizerId>, ApiError> {
        let mut created = IndexMap::new();
        for (name, scheme) in entries(&document["components"]["securitySchemes"]) {
            let extension = &scheme["x-amazon-apigateway-authorizer"];
            let Some(fields) = extension.as_object() else {
                continue;
            };
            let mut input: AuthorizerInput = read(&renamed(
                fields,
                &[("authorizerCredentials", "authorizerCredentialsArn")],
                &["type", "identitySource"],
            ))?;
            input.name = Some(name.clone());
            input.authorizer_type = text(&extension["type"]).map(|kind| kind.to_uppercase());
            // Text separated by commas, or a list.
            input.identity_source = match &extension["identitySource"] {
                Value::String(sources) => Some(
                    sources
                        .split(',')
                        .map(|one| one.trim().to_owned())
                        .collect(),
                ),
                Value::Array(sources) => Some(sources.iter().filter_map(text).collect()),
                _ => None,
            };
            let authorizer = self.create_authorizer(None, input)?;
            created.insert(name.clone(), authorizer.authorizer_id.clone());
        }
        Ok(created)
    }

    fn import_route(
        &mut self,
        key: RouteKey,
        operation: &Value,
        authorizers: &IndexMap<String, AuthorizerId>,
    ) -> Result<(), ApiError> {
        let mut input = RouteInput {
            route_key: Some(key),
            operation_name: text(&operation["operationId"]),
            ..RouteInput::default()
        };
        if let Some(fields) = operation["x-amazon-apigateway-integration"].as_object() {
            let names = [
                ("uri", "integrationUri"),
                ("httpMethod", "integrationMethod"),
                ("credentials", "credentialsArn"),
            ];
            let mut integration: IntegrationInput = read(&renamed(fields, &names, &["type"]))?;
            let kind = fields.get("type").and_then(text);
            integration.integration_type = kind.map(|kind| kind.to_uppercase());
            let integration = self.create_integration(None, integration)?;
            input.target = Some(format!("integrations/{}", integration.integration_id));
        }
        let security = operation["security"].as_array();
        for (name, scopes) in security.into_iter().flatten().flat_map(entries) {
            let Some(id) = authorizers.get(name) else {
                continue;
            };
            let jwt = self.wiring.authorizers[id].authorizer_type == "JWT";
            input.authorization_type = Some(if jwt { "JWT" } else { "CUSTOM" }.to_owned());
            input.authorizer_id = Some(id.clone());
            let scopes = scopes.as_array().into_iter().flatten();
            input.authorization_scopes = jwt.then(|| scopes.filter_map(text).collect());
        }
        self.create_route(None, input)?;
        Ok(())
    }
}

impl ApiInput {
    /// Reads the properties of the HTTP API itself from an OpenAPI document.
    pub fn from_document(document: &Value) -> ApiInput {
        let info = &document["info"];
        let tag = |tag: &Value| {
            let value = text(&tag["x-amazon-apigateway-tag-value"])?;
            Some((text(&tag["name"])?, value))
        };
        let tags: Pairs = (document["tags"].as_array().into_iter().flatten())
            .filter_map(tag)
            .collect();
        let cors = document.get("x-amazon-apigateway-cors");
        ApiInput {
            name: text(&info["title"]),
            version: text(&info["version"]),
            description: text(&info["description"]),
            protocol_type: Some(ProtocolType::Http),
            cors_configuration: cors.and_then(|cors| serde_json::from_value(cors.clone()).ok()),
            tags: Some(tags),
            ..ApiInput::default()
        }
    }
}

/// Returns the route key of an operation: `$default` for the path of that name, `None` if `method` is not a method.
fn route_key(path: &str, method: &str) -> Option<RouteKey> {
    if path.trim_start_matches('/') == RouteKey::DEFAULT {
        return Some(RouteKey::new(RouteKey::DEFAULT));
    }
    let method = match method {
        "x-amazon-apigateway-any-method" => "ANY".to_owned(),
        "get" | "put" | "post" | "delete" | "options" | "head" | "patch" => method.to_uppercase(),
        _ => return None,
    };
    Some(RouteKey::new(format!("{method} {path}")))
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Renames the fields of an extension to apigatewayv2's names. Leaves out the fields `without`, which are read
/// separately.
fn renamed(fields: &Map<String, Value>, names: &[(&str, &str)], without: &[&str]) -> Value {
    let name = |name: &str| {
        let renamed = names.iter().find(|(old, _)| *old == name);
        renamed.map_or(name, |(_, new)| new).to_owned()
    };
    fields
        .iter()
        .filter(|(field, _)| !without.contains(&field.as_str()))
        .map(|(field, value)| (name(field), value.clone()))
        .collect()
}

fn read<T: serde::de::DeserializeOwned>(fields: &Value) -> Result<T, ApiError> {
    T::deserialize(fields)
        .map_err(|wrong| ApiError::bad_request(format!("Unable to import the document: {wrong}")))
}
