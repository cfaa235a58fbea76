//! A function as the console shows it: versions, aliases, environment, invocations and logs.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use stackgen_gateway_common::NamedValues;
use stackgen_gateway_common::logs::{LogEvent, LogQuery, Logs};
use stackgen_gateway_lambda::functions::{FunctionError, FunctionVersion, Functions};

use super::invocations::{InvocationView, invocations};
use crate::gateway::Shared;
use crate::gateway::answer::error;

/// Replacement of a hidden value.
const MASK: &str = "****";

/// Maximum number of log lines.
const MAX_LINES: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionView {
    name: String,
    runtime: String,
    handler: String,
    role: String,
    timeout_seconds: u64,
    memory_mb: u32,
    /// Environment variables, with masked credentials and `NoEcho` values.
    environment: NamedValues,
    /// `$LATEST` and all published versions, the latest first.
    versions: Vec<VersionView>,
    aliases: Vec<AliasView>,
    log_group: String,
    /// The latest first.
    invocations: Vec<InvocationView>,
    /// The latest lines, in their order.
    log: Vec<LineView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    version: String,
    description: String,
    /// Milliseconds since 1970.
    last_modified: u64,
}

#[derive(Serialize)]
struct AliasView {
    name: String,
    version: String,
}

#[derive(Serialize)]
struct LineView {
    /// Milliseconds since 1970.
    at: u64,
    line: String,
}

/// Returns a function.
pub(super) async fn show(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    let account = &shared.account;
    let hidden = shared.stack.hidden_variables().await;
    let hidden = hidden.get(&name).cloned().unwrap_or_default();
    match view(&account.functions, &account.logs, &name, &hidden) {
        Ok(view) => Json(view).into_response(),
        Err(wrong) => error(StatusCode::NOT_FOUND, &wrong.to_string()),
    }
}

fn view(
    functions: &Functions,
    logs: &Logs,
    name: &str,
    hidden: &BTreeSet<String>,
) -> Result<FunctionView, FunctionError> {
    let latest = functions.get(name, None)?;
    let configuration = &latest.configuration;
    let mut versions: Vec<_> = functions
        .versions(name)?
        .iter()
        .map(|it| version(it))
        .collect();
    versions.reverse();
    let aliases = functions.aliases(name)?.into_iter();
    let log_group = configuration.log_group(name);
    // A function that was never invoked has no group yet.
    let events = logs.events(&log_group, &LogQuery::default());
    let events = events.unwrap_or_default();
    let variables = configuration.environment.iter().map(|(name, value)| {
        let value = match hidden.contains(name) {
            true => MASK,
            false => value,
        };
        (name.as_str(), value)
    });
    Ok(FunctionView {
        name: name.to_owned(),
        runtime: configuration.runtime.clone(),
        handler: configuration.handler.clone(),
        role: configuration.role.clone(),
        timeout_seconds: configuration.timeout.as_secs(),
        memory_mb: configuration.memory_size,
        environment: variables.collect(),
        versions,
        aliases: aliases
            .map(|it| AliasView {
                name: it.name,
                version: it.version,
            })
            .collect(),
        log_group,
        invocations: invocations(&events),
        log: lines(&events),
    })
}

fn version(version: &FunctionVersion) -> VersionView {
    VersionView {
        version: version.version.clone(),
        description: version.configuration.description.clone(),
        last_modified: version.last_modified.as_millis(),
    }
}

fn lines(events: &[LogEvent]) -> Vec<LineView> {
    let skipped = events.len().saturating_sub(MAX_LINES);
    let lines = events[skipped..].iter().map(|event| LineView {
        at: event.at.as_millis(),
        line: event.message.trim_end().to_owned(),
    });
    lines.collect()
}
