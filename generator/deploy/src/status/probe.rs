//! A probe of a stage: a message with a route key that only the account may have, and not the deployment that the stage serves.

use serde::Serialize;
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::ApiProtocol;
use crate::account::{ApiDescription, ApiPart, ApiPartKind};

/// A message that shows whether a stage serves a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteProbePlan {
    /// URL of the stage.
    pub url: String,
    /// Key of the route.
    pub route_key: String,
    /// The message.
    pub message: String,
    /// What the message runs if the stage serves the route: `function hello`.
    pub runs: String,
}

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeAnswer {
    /// API Gateway answered that the deployment does not have the route (row M3).
    NotServed,
    /// API Gateway did not answer so, which it does at once.
    Served,
    /// There is no answer.
    Unanswered {
        /// The reason.
        reason: String,
    },
}

/// A probe and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeEvidence {
    /// Key of the route.
    pub route_key: String,
    /// The answer.
    pub answer: ProbeAnswer,
}

/// The reason why a stage cannot be probed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages explain the fields")]
pub enum ProbeError {
    #[error("a probe sends a message, and an HTTP API has none")]
    Http,
    #[error("only a custom domain name leads to the API")]
    NoUrl,
    #[error(
        "the API has a $default route, which answers messages for routes that the deployment lacks, too (row M2)"
    )]
    HasDefaultRoute,
    #[error("no message can be made for the route selection expression {expression:?}")]
    SelectionExpression { expression: String },
    #[error("the API has no route for messages")]
    NoRoute,
    #[error("the API has no route {key}; it has {known}")]
    UnknownRoute { key: String, known: String },
}

/// Plans a probe: of the route `wanted`, or of one that was created last, or of one whose integration is a mock, or of the first.
pub(super) fn plan(
    description: &ApiDescription,
    url: Option<String>,
    protocol: ApiProtocol,
    wanted: Option<&str>,
    created: impl Fn(&ApiPart) -> bool,
) -> Result<RouteProbePlan, ProbeError> {
    if protocol != ApiProtocol::WebSocket {
        return Err(ProbeError::Http);
    }
    let url = url.ok_or(ProbeError::NoUrl)?;
    let mut routes: Vec<(&str, &ApiPart)> = parts(description, ApiPartKind::Route)
        .filter_map(|route| Some((route.text("RouteKey")?, route)))
        .collect();
    if routes.iter().any(|(key, _)| *key == "$default") {
        return Err(ProbeError::HasDefaultRoute);
    }
    routes.retain(|(key, _)| !key.starts_with('$'));
    routes.sort_by_key(|(key, _)| *key);
    let is_mock = |route: &ApiPart| {
        let integration = integration(description, route);
        integration.and_then(|found| found.text("IntegrationType")) == Some("MOCK")
    };
    let found = match wanted {
        Some(key) => routes.iter().find(|(found, _)| *found == key),
        None => {
            let mut all = routes.iter();
            let created = all.clone().find(|(_, route)| created(route));
            created
                .or_else(|| all.clone().find(|(_, route)| is_mock(route)))
                .or_else(|| all.next())
        }
    };
    let Some((key, route)) = found else {
        let known: Vec<_> = routes.iter().map(|(key, _)| *key).collect();
        return Err(match wanted {
            Some(key) if !known.is_empty() => ProbeError::UnknownRoute {
                key: key.to_owned(),
                known: known.join(", "),
            },
            _ => ProbeError::NoRoute,
        });
    };
    let expression = description.api.get("RouteSelectionExpression");
    let expression = expression.and_then(Json::as_str).unwrap_or_default();
    Ok(RouteProbePlan {
        url,
        message: message(expression, key)?,
        route_key: (*key).to_owned(),
        runs: runs(integration(description, route)),
    })
}

fn parts(description: &ApiDescription, kind: ApiPartKind) -> impl Iterator<Item = &ApiPart> {
    let parts = description.parts.iter();
    parts.filter(move |part| part.kind == kind)
}

fn integration<'a>(description: &'a ApiDescription, route: &ApiPart) -> Option<&'a ApiPart> {
    let id = route.text("Target")?.strip_prefix("integrations/")?;
    parts(description, ApiPartKind::Integration).find(|part| part.id == id)
}

/// Returns what a message runs.
fn runs(integration: Option<&ApiPart>) -> String {
    let Some(integration) = integration else {
        return "its integration".to_owned();
    };
    match (
        integration.invocation(),
        integration.text("IntegrationType"),
    ) {
        (Some(invoked), _) => format!("function {}", invoked.function),
        (None, Some("MOCK")) => "its mock integration".to_owned(),
        _ => "its integration".to_owned(),
    }
}

/// Returns a message for which a route selection expression has the value `key` (row M1): `$request.body.a.b`, also in braces.
fn message(expression: &str, key: &str) -> Result<String, ProbeError> {
    let unknown = || ProbeError::SelectionExpression {
        expression: expression.to_owned(),
    };
    let inner = expression
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let path = match inner {
        Some(inner) => inner.strip_prefix("request.body."),
        None => expression.strip_prefix("$request.body."),
    };
    let path = path.ok_or_else(unknown)?;
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if !path.split('.').all(is_name) {
        return Err(unknown());
    }
    let nested = path
        .rsplit('.')
        .fold(Json::from(key), |value, name| json!({ name: value }));
    Ok(nested.to_string())
}

impl ProbeAnswer {
    /// Reads a frame that came after the message; `None` if it says nothing about the route. API Gateway's own frames name the
    /// connection and the request.
    pub fn of_frame(text: &str) -> Option<ProbeAnswer> {
        let frame: Json = serde_json::from_str(text).ok()?;
        let is_text = |name: &str| frame.get(name).is_some_and(Json::is_string);
        if !is_text("connectionId") || !is_text("requestId") {
            return None;
        }
        match frame.get("message")?.as_str()? {
            "Forbidden" => Some(ProbeAnswer::NotServed),
            // The frames of integrations and models (rows M4 to M6).
            "Internal server error" | "Endpoint request timed out" | "Bad request body" => {
                Some(ProbeAnswer::Served)
            }
            _ => None,
        }
    }
}
