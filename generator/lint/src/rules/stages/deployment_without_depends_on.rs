use stackgen_model::{Api, Deployment, Integration, Resource};

use crate::context::RuleContext;
use crate::facts::creation_order::{CreationDependencies, CreationOrder};
use crate::facts::served_deployments::ServedDeployments;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location, Severity};

rule! {
    /// A deployment does not depend on every route and response that it should contain.
    ///
    /// ## Why it hurts
    ///
    /// A deployment is a snapshot of what the API has when it is created (row D1). If it only refers to the API,
    /// CloudFormation creates it at the same time as the routes. Without any route the stack fails with `At least one
    /// route is required before deploying the Api`. With some of them, the stage serves an incomplete snapshot, and
    /// clients get `Forbidden` frames until the next deployment (row M3). The result differs from run to run.
    ///
    /// If it depends on every route and not on every response, the finding is a warning: routes work, and answers may be missing.
    ///
    /// ## How to fix it
    ///
    /// List every route, route response and integration response in the deployment's `DependsOn` (row F7). What these
    /// depend on need not be listed. `--fix` adds what is missing.
    id: "SG403",
    name: "deployment-without-depends-on",
    severity: Error,
    confidence: High,
    rows: ["F7", "D1", "D3"],
    fixable: true,
    example: "stages/deployment_without_depends_on.diff",
}

/// Key of the route that API Gateway invokes when a connection has ended.
const DISCONNECT: &str = "$disconnect";

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let apis = context
        .websockets()
        .filter(|api| !api.deployments.is_empty());
    let apis: Vec<_> = apis.collect();
    if apis.is_empty() {
        return Vec::new();
    }
    let order = context.facts.creation_order();
    apis.iter().flat_map(|api| check_api(api, order)).collect()
}

fn check_api(api: &Api, order: &CreationOrder<'_>) -> Vec<Finding> {
    /// Maximum number of stages of an API (row L6).
    const MAX_STAGES: usize = 10;
    let serving = ServedDeployments::of(api);
    // Another rule reports a deployment that no stage serves.
    let used = api.deployments.iter().filter(|deployment| {
        deployment.stage_name.is_some() || serving.stage(deployment).is_some()
    });
    let used: Vec<_> = used.take(MAX_STAGES).collect();
    let findings = used
        .iter()
        .filter_map(|deployment| check_deployment(api, deployment, order));
    let findings: Vec<_> = findings.collect();
    // If one deployment is complete, another one may be older and serve a stage that is updated later.
    match findings.len() < used.len() {
        true => findings.into_iter().map(older_finding).collect(),
        false => findings,
    }
}

fn older_finding(mut finding: Finding) -> Finding {
    finding.message.push_str(", unless it is older than that");
    finding.with_confidence(Confidence::Low)
}

fn check_deployment(
    api: &Api,
    deployment: &Deployment,
    order: &CreationOrder<'_>,
) -> Option<Finding> {
    /// Maximum number of names in a hint.
    const MAX_NAMES: usize = 12;
    let resource = &deployment.resource;
    let awaited = order.dependencies([&**resource]);
    let missing = missing(api, resource, &awaited);
    let (first, others) = missing.split_first()?;
    let others = match others.len() {
        0 => String::new(),
        1 => " and one more".to_owned(),
        count => format!(" and {count} more"),
    };
    let id = &resource.logical_id;
    let first_id = &first.logical_id;
    let message =
        format!("deployment {id} does not depend on {first_id}{others} and may be created first");
    let ids: Vec<_> = missing.iter().map(|missing| &missing.logical_id).collect();
    // Resources that depend on the deployment cannot be its dependencies.
    let is_circular = order.dependencies(missing.iter().copied()).has(id);
    let edits = fix::depend_on(resource, &ids).filter(|_| !is_circular);
    let names = ids.iter().take(MAX_NAMES).map(|id| id.as_str());
    let more = (ids.len() > MAX_NAMES).then_some("…");
    let names: Vec<_> = names.chain(more).collect();
    let finding = Finding::new(&RULE, location(resource), message)
        .related(Location::of(first, &[]), "not a dependency")
        .hint(format!("add to `DependsOn`: {}", names.join(", ")))
        .fix(Fix::all(
            format!("add what {id} contains to its `DependsOn`"),
            edits,
        ));
    let lacks_a_route = missing.iter().any(|missing| is_route(api, missing));
    Some(match lacks_a_route {
        true => finding,
        false => Finding {
            severity: Severity::Warning,
            ..finding
        },
    })
}

fn is_route(api: &Api, resource: &Resource) -> bool {
    let mut routes = api.routes.iter();
    routes.any(|route| route.resource.logical_id == resource.logical_id)
}

/// Returns the resources that the deployment snapshots without depending on them. A conditional resource counts if the
/// deployment has no condition or the same one.
fn missing<'a>(
    api: &'a Api,
    deployment: &Resource,
    awaited: &CreationDependencies<'_>,
) -> Vec<&'a Resource> {
    // After `$disconnect` nobody is there to get an answer.
    let routes = api.routes.iter().flat_map(|route| {
        let is_answered = route.key.as_str() != DISCONNECT;
        let responses = route.responses.iter().filter(move |_| is_answered);
        std::iter::once(&route.resource).chain(responses.map(|response| &response.resource))
    });
    let integrations = api.integrations.iter();
    let answered = integrations.filter(|integration| !serves_only_disconnect(api, integration));
    let integrations = answered.flat_map(|integration| &integration.responses);
    let held = routes.chain(integrations.map(|response| &response.resource));
    let exists = |resource: &&Resource| match (&resource.conditional, &deployment.conditional) {
        (None, _) | (_, None) => true,
        (Some(one), Some(other)) => one.name == other.name,
    };
    held.map(|resource| &**resource)
        .filter(|resource| {
            !resource.implied && exists(resource) && !awaited.has(&resource.logical_id)
        })
        .collect()
}

fn serves_only_disconnect(api: &Api, integration: &Integration) -> bool {
    let id = &integration.resource.logical_id;
    let users = api
        .routes
        .iter()
        .filter(|route| route.target.to() == Some(id));
    let keys: Vec<_> = users.map(|route| route.key.as_str()).collect();
    !keys.is_empty() && keys.iter().all(|key| *key == DISCONNECT)
}

fn location(deployment: &Resource) -> Location {
    let location = Location::of(deployment, &[]);
    match deployment.document.get("DependsOn") {
        Some(node) if node.span.file.is_some() => Location {
            span: node.span,
            ..location
        },
        _ => location,
    }
}
