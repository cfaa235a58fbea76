//! Helpers for templates and gateways.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway_apis::apis::{StoredApi, StoredRoute};
use stackgen_gateway_common::ApiId;
use stackgen_gateway_stack::{
    ApplyMode, ApplyResult, ChangeAction, StackTemplate, TemplateProblem,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Starts an empty gateway.
pub(crate) async fn gateway() -> Gateway {
    Gateway::start(GatewayOptions::default())
        .await
        .expect("a gateway")
}

/// Reads a template of the repository.
pub(crate) fn template(file: &str) -> StackTemplate {
    let path = root().join(file);
    StackTemplate {
        stack: "stack".to_owned(),
        text: std::fs::read_to_string(&path).expect("a template"),
        file: path.display().to_string(),
        ..StackTemplate::default()
    }
}

/// Creates a template from text.
pub(crate) fn template_from_text(text: &str) -> StackTemplate {
    StackTemplate {
        stack: "stack".to_owned(),
        file: "template.yaml".to_owned(),
        text: text.to_owned(),
        ..StackTemplate::default()
    }
}

/// Makes applying the template leave stages unchanged.
pub(crate) fn without_deployments(template: StackTemplate) -> StackTemplate {
    StackTemplate {
        apply: ApplyMode::WithoutDeployments,
        ..template
    }
}

pub(crate) async fn apply(gateway: &Gateway, template: StackTemplate) -> ApplyResult {
    gateway
        .apply(template)
        .await
        .unwrap_or_else(|problems| panic!("{}", problem_lines(&problems)))
}

/// Formats problems as lines: `line: message (hint)`.
pub(crate) fn problem_lines(problems: &[TemplateProblem]) -> String {
    let lines = problems.iter().map(|problem| {
        let line = problem
            .line
            .map_or(String::new(), |line| format!("{line}: "));
        let hint = problem.hint.as_ref();
        let hint = hint.map_or(String::new(), |hint| format!(" ({hint})"));
        format!("{line}{}{hint}", problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the changes in order, such as `created Socket`.
pub(crate) fn changes(applied: &ApplyResult) -> Vec<String> {
    let lines = applied.changes.iter().map(|change| {
        let what = match change.action {
            ChangeAction::Created => "created",
            ChangeAction::Updated => "updated",
            ChangeAction::Code => "code",
            ChangeAction::Deleted => "deleted",
            ChangeAction::Retained => "retained",
        };
        format!("{what} {}", change.logical_id)
    });
    lines.collect()
}

/// Returns the API with this name.
pub(crate) fn api(gateway: &Gateway, name: &str) -> Arc<StoredApi> {
    let apis = gateway.account().apis.list_apis();
    let found = apis.into_iter().find(|api| api.name == name);
    found.unwrap_or_else(|| panic!("no api {name}"))
}

/// Returns the route that a stage serves for a key.
pub(crate) fn served_route(
    gateway: &Gateway,
    api: &ApiId,
    stage: &str,
    key: &str,
) -> Option<Arc<StoredRoute>> {
    let served = gateway.account().apis.served(api, stage)?;
    served.snapshot.as_ref()?.route(key).cloned()
}

/// Returns an environment variable of a function.
pub(crate) fn variable(gateway: &Gateway, function: &str, name: &str) -> String {
    let version = gateway.account().functions.get(function, None);
    let version = version.expect("the function");
    let value = version.configuration.environment.get(name);
    value.unwrap_or_else(|| panic!("no {name}")).clone()
}

/// Sends a request of an AWS client with this access key to the control endpoint and returns the body of the answer.
pub(crate) async fn call_as(
    gateway: &Gateway,
    access_key: &str,
    service: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> String {
    let endpoint = gateway.state().await.endpoint;
    let authority = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority).await.expect("a connection");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, \
         Signature=0\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}
