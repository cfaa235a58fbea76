//! Operations on versions, aliases and policies.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::function_identifier::{FunctionIdentifier, QualifierQuery};
use super::response::{
    LambdaErrorResponse, LambdaResult, PageQuery, alias, configuration, created, no_content, ok,
    qualified, read,
};
use crate::functions::{Functions, PermissionStatement};

type Lambda = State<Arc<Functions>>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PublishInput {
    #[serde(rename = "CodeSha256")]
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AliasInput {
    name: Option<String>,
    function_version: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
    routing_config: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PermissionInput {
    statement_id: String,
    action: String,
    principal: String,
    #[serde(default)]
    source_arn: Option<String>,
    #[serde(default)]
    source_account: Option<String>,
    #[serde(default)]
    revision_id: Option<String>,
}

/// Query of a request: `?RevisionId=`, `?FunctionVersion=`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct VersionQuery {
    revision_id: Option<String>,
    function_version: Option<String>,
}

impl AliasInput {
    /// Refuses weights of additional versions.
    fn check(&self) -> Result<(), LambdaErrorResponse> {
        let weights = self.routing_config.as_ref();
        let weights = weights.and_then(|config| config["AdditionalVersionWeights"].as_object());
        if weights.is_some_and(|weights| !weights.is_empty()) {
            return Err(LambdaErrorResponse::invalid(
                "The local Lambda does not support RoutingConfig: an alias points at one version",
            ));
        }
        Ok(())
    }
}

pub(super) async fn list(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let versions = lambda.versions(&name)?;
    page.of("Versions", versions.iter().map(qualified).collect())
}

pub(super) async fn publish(
    State(lambda): Lambda,
    Path(name): Path<String>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let publish: PublishInput = read(&body)?;
    let sha256 = publish
        .code_sha256
        .as_deref()
        .filter(|sha256| !sha256.is_empty());
    let version = lambda.publish_version(
        &name,
        publish.description,
        sha256,
        publish.revision_id.as_deref(),
    )?;
    created(configuration(&version, Some(&version.version)))
}

pub(super) async fn list_aliases(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
    Query(query): Query<VersionQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let mut aliases = lambda.aliases(&name)?;
    if let Some(version) = query.function_version {
        aliases.retain(|alias| alias.version == version);
    }
    let shown = aliases.iter().map(|one| alias(&lambda, &name, one));
    page.of("Aliases", shown.collect())
}

pub(super) async fn create_alias(
    State(lambda): Lambda,
    Path(name): Path<String>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let settings: AliasInput = read(&body)?;
    settings.check()?;
    let (Some(alias_name), Some(version)) = (settings.name, settings.function_version) else {
        return Err(LambdaErrorResponse::invalid(
            "Name or FunctionVersion is missing",
        ));
    };
    let description = settings.description.unwrap_or_default();
    let created_alias = lambda.create_alias(&name, &alias_name, &version, description)?;
    created(alias(&lambda, &name, &created_alias))
}

pub(super) async fn get_alias(
    State(lambda): Lambda,
    Path((name, alias_name)): Path<(String, String)>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let found = lambda.alias(&name, &alias_name)?;
    ok(alias(&lambda, &name, &found))
}

pub(super) async fn update_alias(
    State(lambda): Lambda,
    Path((name, alias_name)): Path<(String, String)>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let settings: AliasInput = read(&body)?;
    settings.check()?;
    let changed = lambda.update_alias(
        &name,
        &alias_name,
        settings.function_version.as_deref(),
        settings.description,
        settings.revision_id.as_deref(),
    )?;
    ok(alias(&lambda, &name, &changed))
}

pub(super) async fn delete_alias(
    State(lambda): Lambda,
    Path((name, alias_name)): Path<(String, String)>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    lambda.delete_alias(&name, &alias_name)?;
    no_content()
}

pub(super) async fn get_policy(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(qualified): Query<QualifierQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    let policy = lambda.policy(&name.name, name.qualifier.as_deref())?;
    let arn = name.arn(&lambda);
    let statements: Vec<_> = policy
        .statements
        .iter()
        .map(|one| one.to_json(&arn))
        .collect();
    let document = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
    ok(json!({ "Policy": document.to_string(), "RevisionId": policy.revision_id }))
}

pub(super) async fn add_permission(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(qualified): Query<QualifierQuery>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    let grant: PermissionInput = read(&body)?;
    let permission = PermissionStatement {
        statement_id: grant.statement_id,
        action: grant.action,
        principal: grant.principal,
        source_arn: grant.source_arn,
        source_account: grant.source_account,
    };
    let statement = permission.to_json(&name.arn(&lambda));
    let revision = grant.revision_id.as_deref();
    lambda.add_permission(&name.name, name.qualifier.as_deref(), permission, revision)?;
    created(json!({ "Statement": statement.to_string() }))
}

pub(super) async fn remove_permission(
    State(lambda): Lambda,
    Path((name, statement)): Path<(String, String)>,
    Query(qualified): Query<QualifierQuery>,
    Query(query): Query<VersionQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    let (qualifier, revision) = (name.qualifier.as_deref(), query.revision_id.as_deref());
    lambda.remove_permission(&name.name, qualifier, &statement, revision)?;
    no_content()
}
