//! The flagship rendered by stackgen and synthesised by AWS CDK means the same, resource by resource.
//!
//! The CDK app is `benches/peers/cdk`; what it synthesised is a fixture of the model's tests. `Model::meaning` leaves
//! out what every tool does in its own way. What else differs and means nothing is taken out here, each with its
//! reason; nothing else is.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "tests say what they hold by their names"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use stackgen_cfn::{Node, Sources};
use stackgen_model::{Inputs, Link, Model, Resource};
use stackgen_synth::{Artifacts, Dialect, Request, Stack};

const FLAGSHIP: &str = include_str!("../../../templates/live-session/stackgen.yaml");
const CDK_DEV: &str = include_str!("../../model/tests/fixtures/cdk/dev.template.json");
const CDK_PROD: &str = include_str!("../../model/tests/fixtures/cdk/prod.template.json");

#[test]
fn a_live_release_means_what_cdk_synthesises() {
    assert_same(&ours("dev"), &cdk(CDK_DEV));
}

#[test]
fn a_pinned_release_means_what_cdk_synthesises() {
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

/// The meaning, and what outlives what, as one line a leaf, so that a difference is told by where it is.
fn facts(model: &Model) -> BTreeSet<String> {
    let mut facts = lifetimes(model);
    leaves("", &meaning(model), &mut facts);
    facts
}

fn leaves(path: &str, json: &Json, out: &mut BTreeSet<String>) {
    match json {
        Json::Object(map) if !map.is_empty() => {
            map.iter()
                .for_each(|(key, value)| leaves(&format!("{path} > {key}"), value, out));
        }
        Json::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, value)| leaves(&format!("{path} > {at}"), value, out));
        }
        leaf => {
            out.insert(format!("{path}: {leaf}"));
        }
    }
}

fn ours(environment: &str) -> Model {
    let mut sources = Sources::new();
    let stack = Stack::load(sources.add("stackgen.yaml", FLAGSHIP)).unwrap();
    let artifacts = Artifacts::new();
    let dialect = Dialect::CloudFormation;
    let request = Request {
        environment,
        dialect,
        project_path: ".",
        artifacts: &artifacts,
    };
    model(&stack.render(&request).unwrap().template)
}

fn cdk(template: &str) -> Model {
    let mut sources = Sources::new();
    model(&stackgen_cfn::parse(sources.add("template.json", template)).unwrap())
}

fn model(template: &Node) -> Model {
    Model::from_template(template, &Inputs::none())
}

/// The meaning without the differences that mean nothing.
fn meaning(model: &Model) -> Json {
    let mut text = model.meaning().to_string();
    for (id, name) in invoke_roles(model) {
        text = text.replace(&id, &name);
    }
    let mut meaning: Json = serde_json::from_str(&text).unwrap();
    for role in entries(&mut meaning["roles"]) {
        role["Grants"] = grants(&role["Grants"]);
    }
    for api in entries(&mut meaning["apis"]) {
        for authorizer in entries(&mut api["authorizers"]) {
            // No identity source is left out by us and an empty list with CDK, whose construct takes a missing one for
            // the header Authorization. API Gateway invokes the authorizer always in either case (row A4).
            if authorizer["IdentitySource"] == json!([]) {
                authorizer.as_object_mut().unwrap().remove("IdentitySource");
            }
        }
    }
    for dashboard in entries(&mut meaning["AWS::CloudWatch::Dashboard"]) {
        dashboard["DashboardBody"] = widgets(dashboard["DashboardBody"].as_str().unwrap());
    }
    meaning
}

fn entries(section: &mut Json) -> impl Iterator<Item = &mut Json> {
    section
        .as_object_mut()
        .into_iter()
        .flat_map(serde_json::Map::values_mut)
}

/// The roles that apis invoke functions with have no name of their own but their logical ids, which each tool makes
/// in its way: they are called after their api.
fn invoke_roles(model: &Model) -> Vec<(String, String)> {
    let mut roles = Vec::new();
    for api in &model.apis {
        let name = api.name.as_ref().unwrap().as_literal().unwrap();
        for credentials in api
            .integrations
            .iter()
            .map(|integration| &integration.credentials)
        {
            if let Link::To(id) = credentials {
                roles.push((id.to_string(), format!("by which {name} invokes")));
            }
        }
    }
    roles.sort();
    roles.dedup();
    roles
}

/// Statements taken apart into one action on one resource each: IAM unites statements, so how they are grouped means
/// nothing. CDK writes one a function where we write one for all.
fn grants(statements: &Json) -> Json {
    let mut grants = Vec::new();
    for statement in statements.as_array().unwrap() {
        for action in statement["Action"].as_array().unwrap() {
            for resource in statement["Resource"].as_array().unwrap() {
                let mut grant = statement.clone();
                grant["Action"] = action.clone();
                grant["Resource"] = resource.clone();
                grants.push(grant);
            }
        }
    }
    grants.sort_by_cached_key(Json::to_string);
    Json::Array(grants)
}

/// What a dashboard shows: CDK writes the statistic beside each metric instead of once a widget, leaves out the
/// period of 300 seconds, which is CloudWatch's own, and says that a graph is a graph over time, which it is anyway.
fn widgets(body: &str) -> Json {
    let mut body: Json = serde_json::from_str(body).unwrap();
    for widget in body["widgets"].as_array_mut().unwrap() {
        let properties = widget["properties"].as_object_mut().unwrap();
        let statistic = properties.remove("stat");
        for metric in properties["metrics"].as_array_mut().unwrap() {
            let metric = metric.as_array_mut().unwrap();
            if let Some(statistic) = &statistic {
                metric.push(json!({ "stat": statistic }));
            }
        }
        let defaults = [
            ("period", json!(300)),
            ("view", json!("timeSeries")),
            ("yAxis", json!({})),
        ];
        for (key, default) in defaults {
            if properties.get(key) == Some(&default) {
                properties.remove(key);
            }
        }
    }
    body
}

/// What outlives the stack or an update, and what a deployment waits for, of each kind how many. A resource without
/// `DeletionPolicy` goes with the stack, as with `Delete`.
fn lifetimes(model: &Model) -> BTreeSet<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    // Policies of their own are parts of their roles.
    for resource in model
        .resources
        .values()
        .filter(|resource| resource.kind != "AWS::IAM::Policy")
    {
        let name = ["TableName", "LogGroupName"]
            .iter()
            .find_map(|key| resource.properties.text(key));
        let name = name.map(|name| name.to_string()).unwrap_or_default();
        let routes = resource
            .depends_on
            .iter()
            .filter(|id| is_route(model.resource(id).unwrap()))
            .count();
        let policy = |key: &str| {
            resource
                .attributes
                .get(key)
                .and_then(|value| value.as_literal())
                .unwrap_or("Delete")
        };
        let (deletion, replacement) = (policy("DeletionPolicy"), policy("UpdateReplacePolicy"));
        let kind = &resource.kind;
        let lifetime = format!(
            "{kind} {name}: {deletion}, on replacement {replacement}; after {routes} routes"
        );
        *count.entry(lifetime).or_default() += 1;
    }
    count
        .into_iter()
        .map(|(lifetime, count)| format!("{count} of {lifetime}"))
        .collect()
}

fn is_route(resource: &Resource) -> bool {
    resource.kind == "AWS::ApiGatewayV2::Route"
}
