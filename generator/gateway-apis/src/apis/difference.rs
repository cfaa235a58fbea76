//! Differences between the wiring that a stage serves and the wiring of the account.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use stackgen_gateway_common::{ApiId, FunctionArn};

use super::{ApiError, Apis, Snapshot, StoredIntegration, StoredRoute};

/// Maximum length of a value in a description, in characters.
const MAX_VALUE_CHARS: usize = 80;

/// A part of the wiring that a stage does not serve as the account holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UndeployedChange {
    /// Kind of the change.
    pub kind: UndeployedChangeKind,
    /// Part: `route ping`, `integration of sendAudio`.
    pub subject: String,
    /// Changed properties: `authorizationType: NONE → CUSTOM`.
    pub details: Vec<String>,
}

/// Kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UndeployedChangeKind {
    /// The account has a part that the stage does not serve.
    Added,
    /// The stage serves a part that the account no longer has.
    Removed,
    /// The part is another one in the account.
    Changed,
}

impl Apis {
    /// Returns what a deployment would change for a stage (row D1), in the order of its parts. A stage without a deployment
    /// serves nothing.
    ///
    /// # Errors
    ///
    /// If the API or the stage does not exist.
    pub fn undeployed_changes(
        &self,
        api: &ApiId,
        stage: &str,
    ) -> Result<Vec<UndeployedChange>, ApiError> {
        self.read(api, |state| {
            let stage = state.stage(stage)?;
            let deployment = stage.deployment_id.as_ref();
            let served = deployment.and_then(|id| state.deployments.get(id));
            let served = served.map(|deployment| parts(&deployment.snapshot));
            let held = parts(&state.wiring.snapshot());
            Ok(changes(&served.unwrap_or_default(), &held))
        })
    }
}

/// A part of a wiring.
struct WiringPart {
    /// Name for people.
    subject: String,
    properties: Map<String, Value>,
}

/// Parts of a wiring by what identifies them.
type WiringParts = BTreeMap<String, WiringPart>;

fn parts(wiring: &Snapshot) -> WiringParts {
    let mut parts = WiringParts::new();
    let mut add = |key: String, subject: String, properties: Map<String, Value>| {
        parts.insert(
            key,
            WiringPart {
                subject,
                properties,
            },
        );
    };
    let api = properties(&wiring.api_wiring());
    add("api".to_owned(), "API".to_owned(), api);
    for (key, route) in &wiring.routes {
        let subject = format!("route {key}");
        let responses = wiring.route_responses.get(&route.route_id);
        for response in responses.into_iter().flatten() {
            let name = &response.route_response_key;
            let subject = format!("route response {name} of {key}");
            add(subject.clone(), subject, properties(&**response));
        }
        add(subject.clone(), subject, route_properties(wiring, route));
    }
    for (id, integration) in &wiring.integrations {
        let users = users(wiring, integration);
        let responses = wiring.integration_responses.get(id);
        for response in responses.into_iter().flatten() {
            let name = &response.integration_response_key;
            let key = format!("integration {id} {name}");
            let subject = format!("integration response {name} of {users}");
            add(key, subject, properties(&**response));
        }
        // The routes of an integration may change, and it stays the same.
        let subject = format!("integration of {users}");
        add(
            format!("integration {id}"),
            subject,
            properties(&**integration),
        );
    }
    for (id, authorizer) in &wiring.authorizers {
        let subject = format!("authorizer {}", authorizer.name);
        add(
            format!("authorizer {id}"),
            subject,
            properties(&**authorizer),
        );
    }
    for (name, model) in &wiring.models {
        let subject = format!("model {name}");
        add(subject.clone(), subject, properties(&**model));
    }
    parts
}

/// Returns the routes that an integration serves; its ID if it serves none.
fn users(wiring: &Snapshot, integration: &Arc<StoredIntegration>) -> String {
    let uses = |route: &&Arc<StoredRoute>| {
        let used = wiring.integration(route);
        used.is_some_and(|used| used.integration_id == integration.integration_id)
    };
    let routes: BTreeSet<_> = wiring
        .routes
        .values()
        .filter(uses)
        .map(|route| &route.route_key)
        .collect();
    match routes.is_empty() {
        true => format!("no route, {}", integration.integration_id),
        false => join(routes),
    }
}

/// Returns the properties of a route, with what its IDs stand for.
fn route_properties(wiring: &Snapshot, route: &Arc<StoredRoute>) -> Map<String, Value> {
    let mut values = properties(&**route);
    if let Some(integration) = wiring.integration(route) {
        let uri = integration.integration_uri.as_deref().unwrap_or_default();
        let kind = &integration.integration_type;
        let calls = format!("{kind} {}", target(uri));
        values.insert("calls".to_owned(), calls.trim().into());
    }
    if let Some(authorizer) = wiring.authorizer(route) {
        values.insert("authorizer".to_owned(), authorizer.name.clone().into());
    }
    values
}

fn properties(part: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(part) {
        Ok(Value::Object(values)) => values,
        // The parts are structures, which become objects.
        _ => Map::new(),
    }
}

fn changes(served: &WiringParts, held: &WiringParts) -> Vec<UndeployedChange> {
    let keys: BTreeSet<&String> = served.keys().chain(held.keys()).collect();
    let pairs = keys.into_iter().map(|key| (served.get(key), held.get(key)));
    pairs
        .filter_map(|(served, held)| change(served, held))
        .collect()
}

/// Returns the change of a part, if there is one.
fn change(served: Option<&WiringPart>, held: Option<&WiringPart>) -> Option<UndeployedChange> {
    let (kind, details) = match (served, held) {
        (None, Some(new)) => (UndeployedChangeKind::Added, summary(&new.properties)),
        (Some(old), Some(new)) => {
            let details = differences(&old.properties, &new.properties);
            if details.is_empty() {
                return None;
            }
            (UndeployedChangeKind::Changed, details)
        }
        (_, None) => (UndeployedChangeKind::Removed, Vec::new()),
    };
    Some(UndeployedChange {
        kind,
        subject: held.or(served)?.subject.clone(),
        details,
    })
}

/// Describes a new part by what it calls.
fn summary(part: &Map<String, Value>) -> Vec<String> {
    let shown = ["calls", "integrationUri", "authorizerUri", "authorizer"];
    let values = shown.iter().filter_map(|key| Some((key, part.get(*key)?)));
    values
        .map(|(key, value)| format!("{key}: {}", text(value)))
        .collect()
}

fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let none = || "none".to_owned();
    let differs = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key));
    differs
        .map(|key| {
            let before = old.get(key).map_or_else(none, text);
            let after = new.get(key).map_or_else(none, text);
            format!("{key}: {before} → {after}")
        })
        .collect()
}

fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => target(text),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns the function that a URI calls, or the URI.
fn target(uri: &str) -> String {
    match FunctionArn::from_uri(uri) {
        Some(function) => format!("function {}", function.qualified_name()),
        None => uri.to_owned(),
    }
}

fn join(names: impl IntoIterator<Item = impl Display>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| name.to_string()).collect();
    names.join(", ")
}
