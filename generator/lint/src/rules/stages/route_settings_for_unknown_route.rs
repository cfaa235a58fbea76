use std::collections::HashMap;

use stackgen_model::{Api, Link, Resolved, Resource, Stage};

use crate::context::RuleContext;
use crate::facts::creation_order::CreationOrder;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// `RouteSettings` of a stage names a route that does not exist, or does not exist yet.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway refuses settings for a route that does not exist at that moment (row F8): the stack fails with 404
    /// `Unable to find Route by key … within the provided RouteSettings`. A stage with `AutoDeploy` refers to none of
    /// the routes, so CloudFormation creates them at the same time, and the stack fails on some runs.
    ///
    /// ## How to fix it
    ///
    /// Write the key exactly as in the route, including upper and lower case. Add the route to the stage's `DependsOn`,
    /// unless the stage's deployment depends on it.
    id: "SG411",
    name: "route-settings-for-unknown-route",
    severity: Error,
    confidence: High,
    rows: ["F8"],
    fixable: false,
    example: "stages/route_settings_for_unknown_route.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let with_settings = |api: &&Api| {
        let mut stages = api.stages.iter();
        stages.any(|stage| keys(stage).next().is_some())
    };
    let apis: Vec<_> = context.websockets().filter(with_settings).collect();
    if apis.is_empty() {
        return Vec::new();
    }
    let (order, visibility) = (
        context.facts.creation_order(),
        context.facts.route_visibility(),
    );
    let check_api = |api: &Api| check_api(api, order, visibility.shows_every_route(api));
    apis.into_iter().flat_map(check_api).collect()
}

fn keys(stage: &Stage) -> impl Iterator<Item = &str> {
    let settings = stage.route_settings.as_ref().and_then(Resolved::as_map);
    settings
        .into_iter()
        .flat_map(|map| map.keys())
        .map(String::as_str)
}

fn check_api(api: &Api, order: &CreationOrder<'_>, has_all_routes: bool) -> Vec<Finding> {
    let routes = || api.routes.iter();
    let by_key: HashMap<&str, &Resource> = routes()
        .map(|route| (route.key.as_str(), &*route.resource))
        .collect();
    let similar: HashMap<String, &str> = routes()
        .map(|route| (normalized(route.key.as_str()), route.key.as_str()))
        .collect();
    let of_stage = |stage: &Stage| {
        let awaited = order.dependencies([&*stage.resource]);
        let findings = keys(stage).filter_map(|key| match by_key.get(key) {
            None => has_all_routes.then(|| unknown(stage, key, similar.get(&normalized(key)))),
            Some(route) => {
                let is_late = !awaited.has(&route.logical_id) && has_no_deployment(stage);
                (is_late && !is_from_sam(api)).then(|| late(stage, key, route))
            }
        });
        findings.collect::<Vec<_>>()
    };
    api.stages.iter().flat_map(of_stage).collect()
}

/// Returns a key without the differences that are common typing errors.
fn normalized(key: &str) -> String {
    key.trim_start_matches('$').to_ascii_lowercase()
}

/// Returns true if the stage names no deployment of the template. Another rule checks what that depends on.
fn has_no_deployment(stage: &Stage) -> bool {
    matches!(stage.deployment, Link::Missing | Link::External(_))
}

/// Returns true for an API from SAM, whose stage depends on no route.
fn is_from_sam(api: &Api) -> bool {
    let tags = api
        .resource
        .as_ref()
        .and_then(|api| api.properties.get("Tags"));
    tags.is_some_and(|tags| tags.get("websocketapi:createdBy").is_some())
}

fn unknown(stage: &Stage, key: &str, similar: Option<&&str>) -> Finding {
    let id = &stage.resource.logical_id;
    let message = format!("stage {id} has settings for route `{key}`, which the API does not have");
    let hint = match similar {
        Some(similar) => format!("write `{similar}`"),
        None => "add the route, or remove its settings".to_owned(),
    };
    let location = Location::of_key(&stage.resource, &["RouteSettings", key]);
    Finding::new(&RULE, location, message).hint(hint)
}

fn late(stage: &Stage, key: &str, route: &Resource) -> Finding {
    let (id, route_id) = (&stage.resource.logical_id, &route.logical_id);
    let message = format!("stage {id} has settings for route `{key}` but does not depend on it");
    let confidence = match (&route.conditional, &stage.resource.conditional) {
        (None, None) => Confidence::High,
        _ => Confidence::Low,
    };
    Finding::new(
        &RULE,
        Location::of_key(&stage.resource, &["RouteSettings", key]),
        message,
    )
    .related(Location::of(route, &[]), "may be created later")
    .hint(format!("add {route_id} to the stage's `DependsOn`"))
    .with_confidence(confidence)
}
