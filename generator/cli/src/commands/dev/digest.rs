//! Digest of a snapshot of the local gateway, as that of an account.

use serde_json::{Map, Value};
use stackgen_deploy::account::{AccountRegion, ApiDescription, ApiPart, ApiPartKind, Properties};
use stackgen_gateway::ArnScope;
use stackgen_gateway::apis::{Snapshot, StoredApi};

/// Properties of an API that stackgen reads of an account.
const API: [&str; 7] = [
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "Name",
    "ProtocolType",
    "RouteSelectionExpression",
];

/// Properties whose values have names of API Gateway in them; the names in all others are those of users.
const NESTED: [&str; 3] = ["CorsConfiguration", "JwtConfiguration", "TlsConfig"];

/// Returns the digest of a snapshot.
pub(super) fn digest(snapshot: &Snapshot, scope: &ArnScope) -> String {
    let region = AccountRegion {
        partition: scope.partition.clone(),
        region: scope.region.clone(),
        account: scope.account.clone(),
    };
    describe(snapshot).wiring(&region).digest.to_string()
}

fn describe(snapshot: &Snapshot) -> ApiDescription {
    let mut parts = Vec::new();
    for route in snapshot.routes.values() {
        let id = route.route_id.as_str();
        parts.push(part(ApiPartKind::Route, id, None, &**route));
        for response in snapshot
            .route_responses
            .get(&route.route_id)
            .into_iter()
            .flatten()
        {
            let kind = ApiPartKind::RouteResponse;
            parts.push(part(
                kind,
                response.route_response_id.as_str(),
                Some(id),
                &**response,
            ));
        }
    }
    for integration in snapshot.integrations.values() {
        let id = integration.integration_id.as_str();
        parts.push(part(ApiPartKind::Integration, id, None, &**integration));
        let responses = snapshot
            .integration_responses
            .get(&integration.integration_id);
        for response in responses.into_iter().flatten() {
            let kind = ApiPartKind::IntegrationResponse;
            let response_id = response.integration_response_id.as_str();
            parts.push(part(kind, response_id, Some(id), &**response));
        }
    }
    for authorizer in snapshot.authorizers.values() {
        let id = authorizer.authorizer_id.as_str();
        parts.push(part(ApiPartKind::Authorizer, id, None, &**authorizer));
    }
    for model in snapshot.models.values() {
        parts.push(part(
            ApiPartKind::Model,
            model.model_id.as_str(),
            None,
            &**model,
        ));
    }
    ApiDescription {
        api: api(&snapshot.api),
        parts,
    }
}

fn part(
    kind: ApiPartKind,
    id: &str,
    parent: Option<&str>,
    resource: &impl serde::Serialize,
) -> ApiPart {
    let mut properties = properties(resource);
    // CloudFormation has no properties for the IDs, and stackgen does not read this expression.
    let unread = [
        format!("{}Id", kind.name()),
        "IntegrationResponseSelectionExpression".to_owned(),
    ];
    properties.retain(|name, _| !unread.contains(name));
    if kind == ApiPartKind::Authorizer {
        // Absent in an account.
        properties.retain(|_, value| value.as_i64() != Some(0) && value.as_bool() != Some(false));
    }
    if kind == ApiPartKind::Integration
        && let Some(Value::Object(by_status)) = properties.get_mut("ResponseParameters")
    {
        by_status.values_mut().for_each(to_list);
    }
    ApiPart {
        kind,
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        properties,
    }
}

fn api(api: &StoredApi) -> Properties {
    let mut properties = properties(api);
    properties.retain(|name, _| API.contains(&name.as_str()));
    properties
}

/// Returns properties under CloudFormation's names.
fn properties(resource: &impl serde::Serialize) -> Properties {
    match serde_json::to_value(resource) {
        Ok(Value::Object(fields)) => renamed(fields),
        _ => Properties::new(),
    }
}

fn renamed(fields: Map<String, Value>) -> Properties {
    let renamed = fields.into_iter().map(|(name, value)| {
        let name = capitalized(&name);
        let value = match value {
            Value::Object(nested) if NESTED.contains(&name.as_str()) => {
                Value::Object(renamed(nested))
            }
            Value::Object(named) => Value::Object(named.into_iter().map(constraint).collect()),
            other => other,
        };
        (name, value)
    });
    renamed.collect()
}

/// Renames the `required` of a parameter's constraints.
fn constraint((name, value): (String, Value)) -> (String, Value) {
    match value {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("required") => {
            (name, Value::Object(renamed(fields)))
        }
        other => (name, other),
    }
}

/// Converts the changes of a response to CloudFormation's list.
fn to_list(changes: &mut Value) {
    let Value::Object(pairs) = changes.take() else {
        return;
    };
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let list = pairs
        .into_iter()
        .map(|(to, from)| serde_json::json!({ "Destination": to, "Source": from }));
    *changes = serde_json::json!({ "ResponseParameters": list.collect::<Vec<_>>() });
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
