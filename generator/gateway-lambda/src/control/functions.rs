//! Operations on functions: list, get, create, update, delete.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::function_identifier::{FunctionIdentifier, QualifierQuery};
use super::response::{
    LambdaErrorResponse, LambdaResult, PageQuery, changed, configuration, created, no_content, ok,
    qualified, read,
};
use crate::functions::{Code, Configuration, FunctionVersion, Functions, LogFormat};

type Lambda = State<Arc<Functions>>;

/// Input of `CreateFunction` and `UpdateFunctionConfiguration`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FunctionInput {
    function_name: Option<String>,
    description: Option<String>,
    runtime: Option<String>,
    handler: Option<String>,
    role: Option<String>,
    timeout: Option<u64>,
    memory_size: Option<u32>,
    environment: Option<EnvironmentInput>,
    architectures: Option<Vec<String>>,
    logging_config: Option<LoggingInput>,
    code: Option<CodeInput>,
    package_type: Option<String>,
    publish: bool,
    revision_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EnvironmentInput {
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingInput {
    log_format: Option<String>,
    log_group: Option<String>,
}

/// Input of `UpdateFunctionCode`, and `Code` of `CreateFunction`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CodeInput {
    zip_file: Option<String>,
    publish: bool,
    dry_run: bool,
    revision_id: Option<String>,
}

impl FunctionInput {
    fn change(&mut self, configuration: &mut Configuration) {
        fn set<T>(target: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *target = value;
            }
        }
        set(&mut configuration.description, self.description.take());
        set(&mut configuration.runtime, self.runtime.take());
        set(&mut configuration.handler, self.handler.take());
        set(&mut configuration.role, self.role.take());
        set(
            &mut configuration.timeout,
            self.timeout.map(Duration::from_secs),
        );
        set(&mut configuration.memory_size, self.memory_size);
        let variables = self
            .environment
            .take()
            .map(|environment| environment.variables);
        set(&mut configuration.environment, variables);
        let architecture = self
            .architectures
            .take()
            .and_then(|all| all.into_iter().next());
        set(&mut configuration.architecture, architecture);
        if let Some(logging) = self.logging_config.take() {
            if logging.log_group.is_some() {
                configuration.log_group = logging.log_group;
            }
            match logging.log_format.as_deref() {
                Some("JSON") => configuration.log_format = LogFormat::Json,
                Some(_) => configuration.log_format = LogFormat::Text,
                None => {}
            }
        }
    }
}

impl CodeInput {
    fn code(&self) -> Result<Code, LambdaErrorResponse> {
        let Some(zip) = &self.zip_file else {
            return Err(LambdaErrorResponse::invalid(
                "The local Lambda supports only ZipFile, not S3 or container images",
            ));
        };
        let zip = STANDARD.decode(zip);
        let zip = zip.map_err(|_| LambdaErrorResponse::invalid("ZipFile is not base64"))?;
        Ok(Code::ZipBytes(zip.into()))
    }
}

pub(super) async fn list(
    State(lambda): Lambda,
    Query(page): Query<PageQuery>,
    Query(query): Query<BTreeMap<String, String>>,
) -> LambdaResult {
    let mut shown = Vec::new();
    for latest in lambda.list() {
        if query
            .get("FunctionVersion")
            .is_some_and(|version| version == "ALL")
        {
            let versions = lambda.versions(&latest.function.name)?;
            shown.extend(versions.iter().map(qualified));
        } else {
            shown.push(configuration(&latest, None));
        }
    }
    page.of("Functions", shown)
}

pub(super) async fn create(State(lambda): Lambda, body: Bytes) -> LambdaResult {
    let mut settings: FunctionInput = read(&body)?;
    if settings.package_type.as_deref() == Some("Image") {
        return Err(LambdaErrorResponse::invalid(
            "The local Lambda does not support container images",
        ));
    }
    let missing = |name: &str| LambdaErrorResponse::invalid(format!("{name} is missing"));
    let name = settings
        .function_name
        .take()
        .ok_or_else(|| missing("FunctionName"))?;
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    if settings.role.is_none() {
        return Err(missing("Role"));
    }
    let code = settings
        .code
        .take()
        .ok_or_else(|| missing("Code"))?
        .code()?;
    let mut configuration = Configuration::default();
    settings.change(&mut configuration);
    let mut version = lambda.create(&name, configuration, code).await?;
    if settings.publish {
        version = lambda.publish_version(&name, None, None, None)?;
    }
    created(changed(&version))
}

pub(super) async fn get(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(qualified): Query<QualifierQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    let version = lambda.get(&name.name, name.qualifier.as_deref())?;
    let mut shown = json!({
        "Configuration": configuration(&version, name.qualifier.as_deref()),
        "Code": { "RepositoryType": "Local", "Location": location(&version) },
    });
    if let Some(reserved) = lambda.reserved_concurrency(&name.name)? {
        shown["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    ok(shown)
}

fn location(version: &FunctionVersion) -> String {
    match &version.code.root {
        Ok(root) => format!("file://{}", root.display()),
        Err(_) => String::new(),
    }
}

pub(super) async fn get_configuration(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(qualified): Query<QualifierQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    let version = lambda.get(&name.name, name.qualifier.as_deref())?;
    ok(configuration(&version, name.qualifier.as_deref()))
}

pub(super) async fn update_configuration(
    State(lambda): Lambda,
    Path(name): Path<String>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let mut settings: FunctionInput = read(&body)?;
    let revision = settings.revision_id.take();
    let mut configuration = (*lambda.get(&name, None)?.configuration).clone();
    settings.change(&mut configuration);
    let (version, _) = lambda.update_configuration(&name, configuration, revision.as_deref())?;
    ok(changed(&version))
}

pub(super) async fn update_code(
    State(lambda): Lambda,
    Path(name): Path<String>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let package: CodeInput = read(&body)?;
    let current = lambda.get(&name, None)?;
    let code = package.code()?;
    if package.dry_run {
        let copied = lambda.copy_code(code).await?;
        let mut shown = changed(&current);
        shown["CodeSha256"] = json!(copied.sha256);
        shown["CodeSize"] = json!(copied.size);
        return ok(shown);
    }
    let revision = package.revision_id.as_deref();
    let (mut version, _) = lambda.update_code(&name, code, revision).await?;
    if package.publish {
        version = lambda.publish_version(&name, None, None, None)?;
    }
    ok(changed(&version))
}

pub(super) async fn delete(
    State(lambda): Lambda,
    Path(name): Path<String>,
    Query(qualified): Query<QualifierQuery>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    lambda.delete(&name.name, name.qualifier.as_deref())?;
    no_content()
}

pub(super) async fn put_concurrency(
    State(lambda): Lambda,
    Path(name): Path<String>,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    let input: BTreeMap<String, Value> = read(&body)?;
    let reserved = input
        .get("ReservedConcurrentExecutions")
        .and_then(Value::as_u64);
    let Some(reserved) = reserved.and_then(|reserved| usize::try_from(reserved).ok()) else {
        return Err(LambdaErrorResponse::invalid(
            "ReservedConcurrentExecutions is missing",
        ));
    };
    lambda.set_reserved_concurrency(&name, Some(reserved))?;
    ok(json!({ "ReservedConcurrentExecutions": reserved }))
}

pub(super) async fn delete_concurrency(
    State(lambda): Lambda,
    Path(name): Path<String>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    lambda.set_reserved_concurrency(&name, None)?;
    no_content()
}

pub(super) async fn get_concurrency(
    State(lambda): Lambda,
    Path(name): Path<String>,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, None, &lambda)?.name;
    ok(match lambda.reserved_concurrency(&name)? {
        Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
        None => json!({}),
    })
}

pub(super) async fn tags(State(lambda): Lambda, Path(arn): Path<String>) -> LambdaResult {
    let name = FunctionIdentifier::parse(&arn, None, &lambda)?;
    lambda.get(&name.name, None)?;
    ok(json!({ "Tags": {} }))
}
