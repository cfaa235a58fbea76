//! Normalization of parts, so that a template and the description of an account are equal.

use serde_json::{Map, Value as Json};

use super::{PartKind, defaults};
use crate::Protocol;

/// Converts the snapshot of a part into the form in which API Gateway describes it: defaults filled in, empty values
/// removed, unordered lists sorted, header names in lower case.
pub(crate) fn apply_service_defaults(
    kind: &PartKind,
    protocol: Protocol,
    content: &mut Map<String, Json>,
) {
    without_empty(content);
    match kind {
        PartKind::Api => api(protocol, content),
        PartKind::Route => {
            if let Some(Json::Object(target)) = content.get_mut("Target") {
                integration(protocol, target);
            }
            responses(content);
            sort(content.get_mut("AuthorizationScopes"));
        }
        PartKind::Integration => integration(protocol, content),
        PartKind::Model => {
            fill(content, "ContentType", "application/json");
            if let Some(schema) = content.get("Schema").and_then(parsed) {
                content.insert("Schema".to_owned(), schema);
            }
        }
        PartKind::Authorizer => {}
        // A deployment snapshots nothing else.
        _ => return,
    }
    defaults::fill(kind, content);
}

fn api(protocol: Protocol, content: &mut Map<String, Json>) {
    if protocol == Protocol::Http {
        let expression = "$request.method $request.path";
        fill(content, "RouteSelectionExpression", expression);
    }
    let Some(Json::Object(cors)) = content.get_mut("CorsConfiguration") else {
        return;
    };
    without_empty(cors);
    for (key, nothing) in [("AllowCredentials", "false"), ("MaxAge", "0")] {
        if cors.get(key).and_then(Json::as_str) == Some(nothing) {
            cors.remove(key);
        }
    }
    for key in ["AllowHeaders", "ExposeHeaders"] {
        for header in cors
            .get_mut(key)
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Json::String(header) = header {
                *header = header.to_lowercase();
            }
        }
    }
    for list in cors.values_mut() {
        sort(Some(list));
    }
}

fn integration(protocol: Protocol, content: &mut Map<String, Json>) {
    without_empty(content);
    responses(content);
    fill(content, "PayloadFormatVersion", "1.0");
    match protocol {
        Protocol::WebSocket => {
            fill(content, "PassthroughBehavior", "WHEN_NO_MATCH");
            fill(content, "TimeoutInMillis", "29000");
        }
        Protocol::Http => fill(content, "TimeoutInMillis", "30000"),
        Protocol::Unknown => {}
    }
}

fn responses(content: &mut Map<String, Json>) {
    if let Some(Json::Object(responses)) = content.get_mut("Responses") {
        for response in responses.values_mut().filter_map(Json::as_object_mut) {
            without_empty(response);
        }
    }
}

fn without_empty(content: &mut Map<String, Json>) {
    content.retain(|_, value| match value {
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
        _ => true,
    });
}

fn fill(content: &mut Map<String, Json>, key: &str, default: &str) {
    content.entry(key).or_insert_with(|| Json::from(default));
}

fn sort(list: Option<&mut Json>) {
    if let Some(Json::Array(items)) = list {
        items.sort_by_cached_key(Json::to_string);
    }
}

/// Parses a schema that a template writes as text. Its scalars become text, as everywhere in canonical form.
fn parsed(schema: &Json) -> Option<Json> {
    let schema: Json = serde_json::from_str(schema.as_str()?).ok()?;
    schema.is_object().then(|| as_text(schema))
}

fn as_text(json: Json) -> Json {
    match json {
        Json::Bool(value) => Json::from(value.to_string()),
        Json::Number(value) => Json::from(value.to_string()),
        Json::Array(items) => items.into_iter().map(as_text).collect(),
        Json::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, as_text(value)))
            .collect(),
        other => other,
    }
}
