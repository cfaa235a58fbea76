//! Functions: log group, role, function and, in a pinned environment, the version.

use std::collections::BTreeMap;

use stackgen_cfn::{Map, Node, get_att, json, list, map, r#ref, sub};

use super::context::RenderContext;
use super::dependencies::Dependencies;
use super::destination;
use super::endpoint;
use super::function_ids::FunctionIds;
use super::keys;
use super::role;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::Dialect;
use crate::digest::short_digest;
use crate::names::{pascal_case, screaming_snake};
use crate::spec::{Expression, FunctionSpec, Retention};

const DEFAULT_MEMORY: u32 = 128;
const DEFAULT_RETENTION: Retention = Retention(30);

/// Returns the ARN with which an integration or an authorizer names the function that it invokes.
pub(super) fn invocation_target(context: &RenderContext<'_>, name: &str) -> String {
    match context
        .spec
        .functions
        .get(name)
        .filter(|_| context.pinned())
    {
        Some(function) => format!("${{{}}}", version_id(context, name, function)),
        None => format!("${{{}.Arn}}", FunctionIds::new(name).function),
    }
}

/// Returns the logical ID of the published version of a function, in a pinned environment.
pub(super) fn published_version(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
) -> Option<String> {
    let pinned = context.pinned();
    pinned.then(|| version_id(context, name, function))
}

/// Returns the URI with which API Gateway invokes a function.
pub(super) fn invocation_uri(context: &RenderContext<'_>, name: &str) -> Node {
    sub(format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{}/invocations",
        invocation_target(context, name)
    ))
}

/// Adds a function with its log group, its role and, in a pinned environment, its version.
pub(super) fn render(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    document: &Node,
    template: &mut TemplateBuilder,
) {
    let ids = FunctionIds::new(name);
    let origin = ["functions", name];
    let retention = function.logs.retention_in_days.unwrap_or(DEFAULT_RETENTION);
    template.add(&ids.log_group, &origin, || {
        log_group(
            context,
            &format!("/aws/lambda/{}", context.name(name)),
            retention,
            function.logs.kms_key_arn.as_ref(),
        )
    });
    let statements = document.at_path(&["functions", name, "policyStatements"]);
    template.add(&ids.role, &origin, || {
        role::function_role(context, name, function, &ids, statements)
    });
    template.add(&ids.function, &origin, || {
        resource(context, name, function, &ids)
    });
    if context.pinned() {
        let version = || {
            ResourceBuilder::new("AWS::Lambda::Version")
                .retained(true)
                .set("FunctionName", r#ref(&ids.function))
        };
        template.add(&version_id(context, name, function), &origin, version);
    }
}

/// Log group that is deleted with the stack.
pub(super) fn log_group(
    context: &RenderContext<'_>,
    name: &str,
    retention: Retention,
    key: Option<&Expression>,
) -> ResourceBuilder {
    ResourceBuilder::new("AWS::Logs::LogGroup")
        .retained(false)
        .set("LogGroupName", name)
        .set("RetentionInDays", retention.0)
        .set_some("KmsKeyId", keys::key_of(context, key))
        .set_some("Tags", context.tag_list())
}

fn resource(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    ids: &FunctionIds,
) -> ResourceBuilder {
    let configuration = configuration(context, name, function, ids, invoke_target);
    let sam = context.dialect == Dialect::Sam;
    let mut resource = ResourceBuilder::new(if sam {
        "AWS::Serverless::Function"
    } else {
        "AWS::Lambda::Function"
    });
    if sam {
        resource = resource.metadata(match &function.binary {
            Some(binary) => map([
                ("BuildMethod", Node::from("rust-cargolambda")),
                (
                    "BuildProperties",
                    map([("Binary", Node::from(binary.as_str()))]),
                ),
            ]),
            None => map([("SkipBuild", Node::from(true))]),
        });
    }
    for (key, value) in configuration {
        resource = match key.as_str() {
            "TracingConfig" if sam => resource.set("Tracing", "Active"),
            "DeadLetterConfig" if sam => {
                resource.set_some("DeadLetterQueue", sam_dead_letter(context, function))
            }
            _ => resource.set(&key, value),
        };
        if key == "FunctionName" {
            let (word, path) = code(context, function);
            resource = resource.set(word, path);
        }
    }
    resource
        .set_some(
            "ReservedConcurrentExecutions",
            function.reserved_concurrency,
        )
        .set_some(
            "Tags",
            if sam {
                context.tag_map()
            } else {
                context.tag_list()
            },
        )
}

/// Returns SAM's property for a dead-letter target.
fn sam_dead_letter(context: &RenderContext<'_>, function: &FunctionSpec) -> Option<Node> {
    let target = function.dead_letter.as_ref()?;
    let kind = match target.queue {
        Some(_) => "SQS",
        None => "SNS",
    };
    let arn = destination::dead_letter_arn(context, target)?;
    Some(map([("Type", Node::from(kind)), ("TargetArn", arn)]))
}

/// Returns the property with the location of the code: `aws cloudformation package` needs the zip file, `sam build` the
/// folder of Cargo.toml.
fn code(context: &RenderContext<'_>, function: &FunctionSpec) -> (&'static str, String) {
    let word = if context.dialect == Dialect::Sam {
        "CodeUri"
    } else {
        "Code"
    };
    match (context.dialect, &function.binary) {
        (Dialect::Sam, Some(_)) => (word, format!("{}/", context.project_path)),
        _ => (
            word,
            join_path(context.project_path, &artifact_path(function)),
        ),
    }
}

fn join_path(folder: &str, path: &str) -> String {
    match folder {
        "." => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

/// Returns the path of the file with a function's code, relative to stackgen.yaml.
pub(crate) fn artifact_path(function: &FunctionSpec) -> String {
    match (&function.binary, &function.zip) {
        (Some(binary), _) => format!("target/lambda/{binary}/bootstrap.zip"),
        (None, Some(zip)) => zip.clone(),
        (None, None) => String::new(),
    }
}

/// Returns the configuration that a published version freezes. It contains other functions by name, not by version.
pub(super) fn published(context: &RenderContext<'_>, name: &str, function: &FunctionSpec) -> Map {
    let ids = FunctionIds::new(name);
    let by_name = |context: &RenderContext<'_>, name: &str| context.name(name).into();
    configuration(context, name, function, &ids, by_name)
}

/// Returns the configuration of a function, in the order of the template.
fn configuration(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    ids: &FunctionIds,
    target: impl Fn(&RenderContext<'_>, &str) -> Node,
) -> Map {
    let mut properties = Map::new();
    properties.insert("FunctionName", context.name(name));
    if let Some(description) = &function.description {
        properties.insert("Description", description.as_str());
    }
    let binary = function.binary.is_some();
    let value_or =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    properties.insert(
        "Runtime",
        if binary {
            "provided.al2023".to_owned()
        } else {
            value_or(&function.runtime, "provided.al2023")
        },
    );
    properties.insert(
        "Handler",
        if binary {
            "bootstrap".to_owned()
        } else {
            value_or(&function.handler, "bootstrap")
        },
    );
    properties.insert(
        "Architectures",
        list([function.architecture.unwrap_or_default().name()]),
    );
    properties.insert("MemorySize", function.memory.unwrap_or(DEFAULT_MEMORY));
    let timeout = function.timeout().millis().div_ceil(1000);
    properties.insert("Timeout", i64::try_from(timeout).unwrap_or(i64::MAX));
    properties.insert("Role", get_att(&ids.role, "Arn"));
    let environment = environment(context, name, function, target);
    if !environment.is_empty() {
        properties.insert("Environment", map([("Variables", Node::from(environment))]));
    }
    properties.insert("LoggingConfig", map([("LogGroup", r#ref(&ids.log_group))]));
    attachments(context, function, &mut properties);
    if function.tracing {
        properties.insert("TracingConfig", map([("Mode", Node::from("Active"))]));
    }
    properties
}

/// Adds the properties of what a function is attached to: a key, a dead-letter target, a VPC, layers and storage.
fn attachments(context: &RenderContext<'_>, function: &FunctionSpec, properties: &mut Map) {
    if let Some(key) = keys::function_key(context, function) {
        properties.insert("KmsKeyArn", key);
    }
    if let Some(target) = &function.dead_letter
        && let Some(arn) = destination::dead_letter_arn(context, target)
    {
        properties.insert("DeadLetterConfig", map([("TargetArn", arn)]));
    }
    if let Some(vpc) = &function.vpc {
        let ids = |ids: &[Expression]| list(ids.iter().map(|id| id.0.clone()));
        let vpc = map([
            ("SecurityGroupIds", ids(&vpc.security_group_ids)),
            ("SubnetIds", ids(&vpc.subnet_ids)),
        ]);
        properties.insert("VpcConfig", vpc);
    }
    if !function.layers.is_empty() {
        let layers = function.layers.iter().map(|layer| layer.0.clone());
        properties.insert("Layers", list(layers));
    }
    if let Some(size) = function.ephemeral_storage {
        properties.insert("EphemeralStorage", map([("Size", Node::from(size))]));
    }
}

/// Returns the environment variables of the file and those that stackgen sets, sorted by name.
fn environment(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    target: impl Fn(&RenderContext<'_>, &str) -> Node,
) -> Map {
    let mut variables = Map::new();
    for (name, Expression(value)) in &function.environment {
        variables.insert(name, value.clone());
    }
    for table in function.tables.keys() {
        variables.insert(
            format!("{}_TABLE", screaming_snake(table)),
            r#ref(format!("{}Table", pascal_case(table))),
        );
    }
    if let Some(api) = context
        .websocket()
        .filter(|_| !function.manage_connections.is_empty())
    {
        variables.insert("MANAGEMENT_ENDPOINT", endpoint::management_endpoint(api));
    }
    if let Some(authorizer) = context.spec.authorizer().filter(|it| it.function == name) {
        variables.insert("AUTHORIZER_CALLERS", authorizer.callers.name());
    }
    // Lambda sets variables with the function's own name and version.
    for other in function.invoke.iter().filter(|other| *other != name) {
        let variable = format!("{}_FUNCTION", screaming_snake(other));
        variables.insert(variable, target(context, other));
    }
    variables.sort_keys();
    variables
}

/// Returns the value with which a function invokes another: its name or, in a pinned environment, its published
/// version, so that a rollback of the API rolls this code back too.
fn invoke_target(context: &RenderContext<'_>, name: &str) -> Node {
    let functions = &context.spec.functions;
    match functions.get(name).filter(|_| context.pinned()) {
        Some(function) => r#ref(version_id(context, name, function)),
        None => context.name(name).into(),
    }
}

/// Returns the logical ID of a function's published version. It contains a digest of the code and configuration of the
/// function and of those that it invokes, so that a change of these publishes a new version and no other change does
/// (row D17).
fn version_id(context: &RenderContext<'_>, name: &str, function: &FunctionSpec) -> String {
    let mut canonical = canonical(context, name, function);
    for (other, function) in invoked_functions(context, name, function) {
        canonical.push_str(&format!("\ninvokes {other}="));
        canonical.push_str(&self::canonical(context, other, function));
    }
    format!("{}Version{}", pascal_case(name), short_digest(&canonical))
}

/// Returns a function's code and configuration as text.
fn canonical(context: &RenderContext<'_>, name: &str, function: &FunctionSpec) -> String {
    let mut published = published(context, name, function);
    published.sort_keys();
    let published = Node::from(published);
    let mut canonical = json::to_json(&published).to_string();
    canonical.push_str(&Dependencies::of(&published, context).canonical());
    let artifact = context.artifacts.get(&artifact_path(function));
    canonical.push_str(&format!(
        "\ncode={}",
        artifact.map_or("not built", String::as_str)
    ));
    canonical
}

/// Returns the other functions that a function invokes, directly or through others, by name.
fn invoked_functions<'a>(
    context: &RenderContext<'a>,
    name: &str,
    function: &'a FunctionSpec,
) -> BTreeMap<&'a str, &'a FunctionSpec> {
    let functions = &context.spec.functions;
    let mut found = BTreeMap::new();
    let mut pending: Vec<&String> = function.invoke.iter().collect();
    while let Some(other) = pending.pop() {
        let Some((other, function)) = functions.get_key_value(other) else {
            continue;
        };
        if other != name && found.insert(other.as_str(), function).is_none() {
            pending.extend(&function.invoke);
        }
    }
    found
}
