//! Functions: log group, role, function and, in a pinned release, the version.

use std::collections::BTreeMap;

use stackgen_cfn::{Map, Node, get_att, json, list, map, r#ref, sub};

use super::context::RenderContext;
use super::dependencies::Dependencies;
use super::endpoint;
use super::function_ids::FunctionIds;
use super::role;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::Dialect;
use crate::digest::short_digest;
use crate::names::{pascal_case, screaming_snake};
use crate::spec::{Duration, Expression, FunctionSpec, Retention};

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(3000);
const DEFAULT_MEMORY: u32 = 128;
const DEFAULT_RETENTION: Retention = Retention(30);

/// How an integration or an authorizer names the function that it calls.
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

/// The path by which API Gateway calls a function.
pub(super) fn invocation_uri(context: &RenderContext<'_>, name: &str) -> Node {
    sub(format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{}/invocations",
        invocation_target(context, name)
    ))
}

/// Adds a function with all that belongs to it.
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
        )
    });
    let statements = document.at_path(&["functions", name, "policyStatements"]);
    template.add(&ids.role, &origin, || {
        role::of_function(context, function, &ids, statements)
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

/// A log group that goes with the stack.
pub(super) fn log_group(
    context: &RenderContext<'_>,
    name: &str,
    retention: Retention,
) -> ResourceBuilder {
    ResourceBuilder::new("AWS::Logs::LogGroup")
        .retained(false)
        .set("LogGroupName", name)
        .set("RetentionInDays", retention.0)
        .set_some("Tags", context.tag_list())
}

fn resource(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    ids: &FunctionIds,
) -> ResourceBuilder {
    let configuration = configuration(context, name, function, ids, invoked);
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

/// Where the code is, for the tool that uploads it: `aws cloudformation package` takes the zip file, `sam build` the
/// folder of Cargo.toml.
fn code(context: &RenderContext<'_>, function: &FunctionSpec) -> (&'static str, String) {
    let word = if context.dialect == Dialect::Sam {
        "CodeUri"
    } else {
        "Code"
    };
    match (context.dialect, &function.binary) {
        (Dialect::Sam, Some(_)) => (word, format!("{}/", context.project_path)),
        _ => (word, joined(context.project_path, &artifact_path(function))),
    }
}

fn joined(folder: &str, path: &str) -> String {
    match folder {
        "." => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

/// The file that is uploaded as a function's code, relative to stackgen.yaml.
pub(super) fn artifact_path(function: &FunctionSpec) -> String {
    match (&function.binary, &function.zip) {
        (Some(binary), _) => format!("target/lambda/{binary}/bootstrap.zip"),
        (None, Some(zip)) => zip.clone(),
        (None, None) => String::new(),
    }
}

/// What `PublishVersion` publishes beside the code. Functions that it invokes stand here by name.
pub(super) fn published(context: &RenderContext<'_>, name: &str, function: &FunctionSpec) -> Map {
    let ids = FunctionIds::new(name);
    let by_name = |context: &RenderContext<'_>, name: &str| context.name(name).into();
    configuration(context, name, function, &ids, by_name)
}

/// The same in the order in which the template shows it.
fn configuration(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    ids: &FunctionIds,
    invoked: impl Fn(&RenderContext<'_>, &str) -> Node,
) -> Map {
    let mut map_ = Map::new();
    map_.insert("FunctionName", context.name(name));
    if let Some(description) = &function.description {
        map_.insert("Description", description.as_str());
    }
    let binary = function.binary.is_some();
    let or =
        |given: &Option<String>, default: &str| given.clone().unwrap_or_else(|| default.to_owned());
    map_.insert(
        "Runtime",
        if binary {
            "provided.al2023".to_owned()
        } else {
            or(&function.runtime, "provided.al2023")
        },
    );
    map_.insert(
        "Handler",
        if binary {
            "bootstrap".to_owned()
        } else {
            or(&function.handler, "bootstrap")
        },
    );
    map_.insert(
        "Architectures",
        list([function.architecture.unwrap_or_default().name()]),
    );
    map_.insert("MemorySize", function.memory.unwrap_or(DEFAULT_MEMORY));
    let timeout = function
        .timeout
        .unwrap_or(DEFAULT_TIMEOUT)
        .millis()
        .div_ceil(1000);
    map_.insert("Timeout", i64::try_from(timeout).unwrap_or(i64::MAX));
    map_.insert("Role", get_att(&ids.role, "Arn"));
    let environment = environment(context, name, function, invoked);
    if !environment.is_empty() {
        map_.insert("Environment", map([("Variables", Node::from(environment))]));
    }
    map_.insert("LoggingConfig", map([("LogGroup", r#ref(&ids.log_group))]));
    if function.tracing {
        map_.insert("TracingConfig", map([("Mode", Node::from("Active"))]));
    }
    map_
}

/// The file's variables and those that follow from the wiring, in order of name.
fn environment(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    invoked: impl Fn(&RenderContext<'_>, &str) -> Node,
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
    // Lambda itself tells a function its own name and version.
    for other in function.invoke.iter().filter(|other| *other != name) {
        let variable = format!("{}_FUNCTION", screaming_snake(other));
        variables.insert(variable, invoked(context, other));
    }
    variables.sort_keys();
    variables
}

/// What a function invokes another by: the name or, in a pinned release, the published version, so that going back
/// to an earlier deployment goes back to the code behind it, too.
fn invoked(context: &RenderContext<'_>, name: &str) -> Node {
    let functions = &context.spec.functions;
    match functions.get(name).filter(|_| context.pinned()) {
        Some(function) => r#ref(version_id(context, name, function)),
        None => context.name(name).into(),
    }
}

/// The logical id of a function's published version: a digest of its code and configuration and of those that it
/// invokes, so that exactly a change of these publishes a new one (row D17).
fn version_id(context: &RenderContext<'_>, name: &str, function: &FunctionSpec) -> String {
    let mut canonical = canonical(context, name, function);
    for (other, function) in invoked_by(context, name, function) {
        canonical.push_str(&format!("\ninvokes {other}="));
        canonical.push_str(&self::canonical(context, other, function));
    }
    format!("{}Version{}", pascal_case(name), short_digest(&canonical))
}

/// A function's code and configuration.
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

/// The other functions that a function invokes, and those that they invoke, by name.
fn invoked_by<'a>(
    context: &RenderContext<'a>,
    name: &str,
    function: &'a FunctionSpec,
) -> BTreeMap<&'a str, &'a FunctionSpec> {
    let functions = &context.spec.functions;
    let mut found = BTreeMap::new();
    let mut to_see: Vec<&String> = function.invoke.iter().collect();
    while let Some(other) = to_see.pop() {
        let Some((other, function)) = functions.get_key_value(other) else {
            continue;
        };
        if other != name && found.insert(other.as_str(), function).is_none() {
            to_see.extend(&function.invoke);
        }
    }
    found
}
