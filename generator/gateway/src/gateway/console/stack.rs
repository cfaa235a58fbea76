//! The stack as the console shows it: its graph, the issuer's keys, and the linter's findings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use stackgen_gateway_stack::{Edge, EventSource, EventSourceMapping, NodeKind, StackOverview};

use crate::gateway::Shared;
use crate::gateway::answer::error;

/// The stack that runs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StackView {
    /// Name of the stack; `None` before a template is applied.
    name: Option<String>,
    /// File that users edit.
    file: String,
    nodes: Vec<StackNode>,
    edges: Vec<Edge>,
    /// All tables of the account.
    tables: Vec<String>,
    issuer: IssuerView,
    /// Findings of the linter in the template that runs.
    findings: Value,
}

/// A box of the graph.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StackNode {
    id: String,
    kind: &'static str,
    lines: Vec<String>,
    details: Vec<String>,
    /// Name of the function or table in the account.
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IssuerView {
    url: String,
    /// Public keys as JSON Web Keys. The first one signs.
    keys: Vec<Value>,
    /// Audiences that the stack accepts.
    audiences: Vec<String>,
}

/// Returns the stack.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Response {
    match view(&shared).await {
        Ok(view) => Json(view).into_response(),
        Err(message) => error(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

async fn view(shared: &Shared) -> Result<StackView, String> {
    let overview = shared.stack.overview().await;
    let (nodes, edges) = graph(&overview, &shared.event_sources.mappings());
    let tables = shared.tables.names().await;
    let keys = shared.issuer.public_keys().await;
    let findings = findings(shared, &overview).await?;
    let is_applied = !overview.template.text.is_empty();
    Ok(StackView {
        name: is_applied.then_some(overview.template.stack),
        file: overview.template.file,
        nodes,
        edges,
        tables: tables.map_err(|wrong| wrong.to_string())?,
        issuer: IssuerView {
            url: shared.issuer.url().to_owned(),
            keys: keys.map_err(|wrong| wrong.to_string())?,
            audiences: shared.audiences().await,
        },
        findings,
    })
}

/// Returns the findings of the linter, which takes a while for a large template.
async fn findings(shared: &Shared, overview: &StackOverview) -> Result<Value, String> {
    let Some(project) = shared.console.project.clone() else {
        return Ok(Value::Array(Vec::new()));
    };
    let template = overview.template.clone();
    let findings = tokio::task::spawn_blocking(move || project.findings(&template));
    findings.await.map_err(|wrong| wrong.to_string())
}

/// Returns the boxes and arrows of the template's graph, and those of queues and streams that invoke functions.
fn graph(overview: &StackOverview, mappings: &[EventSourceMapping]) -> (Vec<StackNode>, Vec<Edge>) {
    let mut nodes: Vec<_> = overview
        .graph
        .nodes
        .iter()
        .map(|node| StackNode {
            id: node.id.clone(),
            kind: kind(node.kind),
            lines: node.lines.clone(),
            details: node.details.clone(),
            name: node
                .resource
                .as_ref()
                .and_then(|id| overview.physical_ids.get(id).cloned()),
        })
        .collect();
    let mut edges = overview.graph.edges.clone();
    for mapping in mappings {
        let function = &mapping.function.name;
        let to = nodes.iter().position(|node| {
            node.kind == kind(NodeKind::Function) && node.name.as_ref() == Some(function)
        });
        let Some(to) = to else { continue };
        let (name, label) = source(mapping);
        let found = nodes
            .iter()
            .position(|node| node.name.as_deref() == Some(name));
        let from = found.unwrap_or_else(|| {
            nodes.push(StackNode {
                id: format!("source_{}", nodes.len()),
                kind: "source",
                lines: vec![name.to_owned()],
                details: vec![label.to_owned()],
                name: Some(name.to_owned()),
            });
            nodes.len() - 1
        });
        edges.push(Edge {
            from,
            to,
            label: match mapping.enabled {
                true => "invokes".to_owned(),
                false => "disabled".to_owned(),
            },
            dashed: !mapping.enabled,
        });
    }
    (nodes, edges)
}

/// Returns the name of a mapping's source, and what it is.
fn source(mapping: &EventSourceMapping) -> (&str, &str) {
    match &mapping.source {
        EventSource::Queue { name, .. } => (name, "SQS queue"),
        EventSource::TableStream { table } => (table, "stream of the table"),
        EventSource::DataStream { name } => (name, "Kinesis stream"),
        EventSource::Other { service } => (&mapping.source_arn, service),
    }
}

fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Api => "api",
        NodeKind::Routes => "routes",
        NodeKind::Authorizer => "authorizer",
        NodeKind::Function => "function",
        NodeKind::Other => "other",
        NodeKind::Table => "table",
    }
}
