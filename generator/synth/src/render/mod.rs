//! Renders the template of a checked environment.

mod alarms;
mod api;
mod api_names;
mod backend;
mod context;
mod dashboard;
mod dependencies;
mod deployment;
mod destination;
mod endpoint;
mod event_source;
mod function;
mod function_ids;
mod http;
mod integration;
mod invocation;
mod keys;
mod load;
mod notice;
mod policy;
mod queue;
mod raw;
mod role;
mod table;
mod template;
mod websocket;

use std::collections::BTreeSet;

use stackgen_cfn::{Map, Node, list, map};

use crate::environment::MergedEnvironment;
use crate::outline::TemplateOutline;
use crate::spec::{ReleaseSpec, Spec};
use crate::{Artifacts, Dialect, RenderOptions, Rendered};
pub(crate) use alarms::built_in_names;
use api_names::ApiNames;
pub(crate) use backend::logical_id;
use context::RenderContext;
pub(crate) use function::artifact_path;
use template::TemplateBuilder;

/// Renders the template of an environment.
pub(crate) fn render(environment: &MergedEnvironment, request: &RenderOptions<'_>) -> Rendered {
    let context = RenderContext {
        spec: &environment.spec,
        environment: &environment.name,
        release: environment.spec.release_in(&environment.name),
        dialect: request.dialect,
        project_path: request.project_path,
        artifacts: request.artifacts,
    };
    let mut template = TemplateBuilder::default();
    resources(&context, &environment.document, &mut template);
    raw::add_resources(&environment.document, &mut template);
    raw::add_outputs(&environment.document, &mut template);
    let notices = notice::notices(&context, &mut template);
    let mut template = document(&context, environment, template);
    deployment::fill(&apis(&context), &environment.name, &mut template);
    Rendered { template, notices }
}

fn apis(context: &RenderContext<'_>) -> Vec<ApiNames> {
    let websocket = context.spec.websocket.as_ref().map(|_| ApiNames::WEBSOCKET);
    let http = context.spec.http.as_ref().map(|_| ApiNames::HTTP);
    websocket.into_iter().chain(http).collect()
}

/// Returns the paths of built code whose digests are in the logical IDs of versions.
pub(crate) fn artifact_paths(environment: &MergedEnvironment) -> Vec<String> {
    if environment.spec.release_in(&environment.name) == ReleaseSpec::Live {
        return Vec::new();
    }
    let paths: BTreeSet<_> = environment
        .spec
        .functions
        .values()
        .map(artifact_path)
        .collect();
    paths.into_iter().collect()
}

/// Returns the outline of an environment's template. It does not depend on the kind of template or on digests. If
/// nothing in the file refers to a resource, only logical IDs matter, and the resources stay empty.
pub(crate) fn outline(spec: &Spec, environment: &str, document: &Node) -> TemplateOutline {
    let context = RenderContext {
        spec,
        environment,
        release: spec.release_in(environment),
        dialect: Dialect::CloudFormation,
        project_path: ".",
        artifacts: &Artifacts::new(),
    };
    let mut template = match raw::refers(document) {
        true => TemplateBuilder::default(),
        false => TemplateBuilder::ids_only(),
    };
    resources(&context, document, &mut template);
    let collisions = template.collisions().to_vec();
    raw::add_resources(document, &mut template);
    let (mut resources, outputs) = template.into_entries();
    let apis = apis(&context);
    for &api in &apis {
        let all = resources.iter().map(|(id, (node, _))| (id.as_str(), node));
        let waits = list(deployment::snapshotted(api, all));
        resources[&api.deployment_id()].0 = map([("DependsOn", waits)]);
    }
    TemplateOutline {
        resources,
        deployments: apis.into_iter().map(ApiNames::deployment_id).collect(),
        outputs,
        collisions,
    }
}

/// Adds every resource except raw ones. Deployments are placeholders.
fn resources(context: &RenderContext<'_>, document: &Node, template: &mut TemplateBuilder) {
    keys::render(context, template);
    for (name, queue) in &context.spec.queues {
        queue::render(context, name, queue, template);
    }
    for (name, table) in &context.spec.tables {
        table::render(context, name, table, template);
    }
    for (name, function) in &context.spec.functions {
        function::render(context, name, function, document, template);
        invocation::render(context, name, function, template);
        event_source::render(context, name, function, template);
    }
    api::account(context, template);
    if let Some(websocket) = &context.spec.websocket {
        websocket::render(context, websocket, template);
    }
    if let Some(http) = &context.spec.http {
        http::render(context, http, template);
    }
    if let Some(alarms) = &context.spec.alarms {
        alarms::render(context, alarms, template);
    }
    if context.spec.dashboard {
        dashboard::render(context, template);
    }
}

fn document(
    context: &RenderContext<'_>,
    environment: &MergedEnvironment,
    template: TemplateBuilder,
) -> Node {
    let mut root = Map::new();
    root.insert("AWSTemplateFormatVersion", "2010-09-09");
    if context.dialect == Dialect::Sam {
        root.insert("Transform", "AWS::Serverless-2016-10-31");
    }
    if let Some(description) = &context.spec.description {
        root.insert("Description", description.as_str());
    }
    root.insert("Metadata", raw::metadata(context));
    for (key, section) in [
        ("parameters", "Parameters"),
        ("mappings", "Mappings"),
        ("conditions", "Conditions"),
    ] {
        if let Some(node) = raw::section(&environment.document, key) {
            root.insert(section, node);
        }
    }
    let (resources, outputs) = template.into_sections();
    root.insert("Resources", resources);
    if !outputs.is_empty() {
        root.insert("Outputs", outputs);
    }
    root.into()
}
