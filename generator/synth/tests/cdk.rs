//! The flagship rendered by stackgen has the same meaning as the flagship synthesised by AWS CDK, resource by resource.
//!
//! The CDK app is in `benches/peers/cdk`; its templates are fixtures of the model's tests. `Model::meaning` removes
//! what every tool does differently. This test also normalizes how CDK writes a dashboard.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "test names state the behaviour"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use stackgen_cfn::{Node, Sources};
use stackgen_model::{Inputs, Model, Resource};
use stackgen_synth::{Artifacts, Dialect, ProjectFile, RenderOptions};

const FLAGSHIP: &str = include_str!("../../../templates/live-session/stackgen.yaml");
const CDK_DEV: &str = include_str!("../../model/tests/fixtures/cdk/dev.template.json");
const CDK_PROD: &str = include_str!("../../model/tests/fixtures/cdk/prod.template.json");

#[test]
fn a_live_release_has_the_meaning_of_cdks_template() {
    assert_same(&ours("dev"), &cdk(CDK_DEV));
}

#[test]
fn a_pinned_release_has_the_meaning_of_cdks_template() {
    assert_same(&ours("prod"), &cdk(CDK_PROD));
}

fn assert_same(ours: &Model, cdk: &Model) {
    for model in [ours, cdk] {
        assert_eq!(model.problems, []);
        assert_eq!(model.gaps, []);
    }
    let (ours, cdk) = (facts(ours), facts(cdk));
    let only_ours: Vec<&String> = ours.difference(&cdk).collect();
    let only_cdk: Vec<&String> = cdk.difference(&ours).collect();
    assert!(
        only_ours.is_empty() && only_cdk.is_empty(),
        "only ours: {only_ours:#?}\nonly CDK's: {only_cdk:#?}"
    );
    assert!(
        ours.len() > 500,
        "{} facts are not the whole flagship",
        ours.len()
    );
}

fn ours(environment: &str) -> Model {
    let mut sources = Sources::new();
    let stack = ProjectFile::load(sources.add("stackgen.yaml", FLAGSHIP)).unwrap();
    let options = RenderOptions {
        environment,
        dialect: Dialect::CloudFormation,
        project_path: ".",
        artifacts: &Artifacts::new(),
    };
    model(&stack.render(&options).unwrap().template)
}

fn cdk(template: &str) -> Model {
    let mut sources = Sources::new();
    model(&stackgen_cfn::parse(sources.add("template.json", template)).unwrap())
}

fn model(template: &Node) -> Model {
    Model::from_template(template, &Inputs::none())
}

/// Returns the meaning and the lifetimes with one line per leaf, so that a failure shows only the differences.
fn facts(model: &Model) -> BTreeSet<String> {
    let mut meaning = serde_json::to_value(model.content()).unwrap();
    let dashboards = meaning["AWS::CloudWatch::Dashboard"]
        .as_object_mut()
        .unwrap();
    for dashboard in dashboards.values_mut() {
        let widgets = dashboard["DashboardBody"]["widgets"]
            .as_array_mut()
            .unwrap();
        for widget in widgets {
            as_we_write(widget["properties"].as_object_mut().unwrap());
        }
    }
    let mut facts = lifetimes(model);
    leaves("", &meaning, &mut facts);
    facts
}

/// Normalizes a graph of CDK's dashboard. CDK writes the statistic per metric instead of per graph, leaves out the
/// default period of 300 seconds, and writes defaults for view and axes.
fn as_we_write(graph: &mut Map<String, Json>) {
    let statistic = graph.remove("stat");
    for metric in graph["metrics"].as_array_mut().unwrap() {
        if let Some(statistic) = &statistic {
            let metric = metric.as_array_mut().unwrap();
            metric.push(json!({ "stat": statistic }));
        }
    }
    let defaults = [
        ("period", json!(300)),
        ("view", json!("timeSeries")),
        ("yAxis", json!({})),
    ];
    for (key, default) in defaults {
        if graph.get(key) == Some(&default) {
            graph.remove(key);
        }
    }
}

fn leaves(path: &str, json: &Json, out: &mut BTreeSet<String>) {
    match json {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(&format!("{path} > {key}"), value, out);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                leaves(&format!("{path} > {at}"), value, out);
            }
        }
        leaf => {
            out.insert(format!("{path}: {leaf}"));
        }
    }
}

/// Returns the deletion policies, and the number of dependencies of deployments per type. A resource without
/// `DeletionPolicy` is deleted with the stack, as with `Delete`.
fn lifetimes(model: &Model) -> BTreeSet<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for resource in model.resources.values() {
        // CDK's invoke roles have separate policies. The meaning has their grants in the roles.
        if resource.kind == "AWS::IAM::Policy" {
            continue;
        }
        *count.entry(lifetime(model, resource)).or_default() += 1;
    }
    let told = count.into_iter();
    told.map(|(lifetime, count)| format!("{count} of {lifetime}"))
        .collect()
}

fn lifetime(model: &Model, resource: &Resource) -> String {
    let keys = ["TableName", "LogGroupName"];
    let name = keys.iter().find_map(|key| resource.properties.text(key));
    let name = name.map(|name| name.to_string()).unwrap_or_default();
    let is_route = |id: &_| model.resource(id).unwrap().kind == "AWS::ApiGatewayV2::Route";
    let routes = resource.depends_on.iter().filter(|id| is_route(id)).count();
    let policy = |key: &str| {
        let value = resource.attributes.get(key);
        value
            .and_then(|value| value.as_literal())
            .unwrap_or("Delete")
    };
    format!(
        "{} {name}: {}, on replacement {}; after {routes} routes",
        resource.kind,
        policy("DeletionPolicy"),
        policy("UpdateReplacePolicy"),
    )
}
