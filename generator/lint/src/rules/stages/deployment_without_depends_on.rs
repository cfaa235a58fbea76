use stackgen_model::{Api, Deployment, Resource};

use crate::context::RuleContext;
use crate::facts::creation_order::{CreationDependencies, CreationOrder};
use crate::facts::served_deployments::ServedDeployments;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A deployment does not wait for every route and response that it is to hold.
    ///
    /// ## Why it hurts
    ///
    /// A deployment is a snapshot of what the API has at that moment (row D1). It refers to the API alone, so that
    /// CloudFormation makes it at the same time as the routes: with no route yet, the stack fails with `At least one
    /// route is required before deploying the Api`; with some of them, the stage serves a snapshot in which the others
    /// are missing, and clients get `Forbidden` frames until somebody deploys again (row M3). Which of them happens
    /// differs from one run to the next.
    ///
    /// ## How to fix it
    ///
    /// Name every route, route response and integration response in the deployment's `DependsOn` (row F7). What a named
    /// resource waits for need not be named. `--fix` adds what is missing.
    id: "SG403",
    name: "deployment-without-depends-on",
    severity: Error,
    confidence: High,
    rows: ["F7", "D1", "D3"],
    fixable: true,
    example: "stages/deployment_without_depends_on.diff",
}

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
    /// As many stages as an API may have (row L6).
    const STAGES: usize = 10;
    let serving = ServedDeployments::of(api);
    // What no stage serves is another mistake, whatever it lacks.
    let used = api.deployments.iter().filter(|deployment| {
        deployment.stage_name.is_some() || serving.stage(deployment).is_some()
    });
    let used: Vec<_> = used.take(STAGES).collect();
    let findings = used
        .iter()
        .filter_map(|deployment| check_deployment(api, deployment, order));
    let findings: Vec<_> = findings.collect();
    // Beside one that holds everything, another may be older: a stage that is not promoted yet serves it.
    match findings.len() < used.len() {
        true => findings.into_iter().map(before_finding).collect(),
        false => findings,
    }
}

fn before_finding(mut finding: Finding) -> Finding {
    finding
        .message
        .push_str(", unless it was made before that was added");
    finding.with_confidence(Confidence::Low)
}

fn check_deployment(
    api: &Api,
    deployment: &Deployment,
    order: &CreationOrder<'_>,
) -> Option<Finding> {
    /// A hint that names more is no hint.
    const SHOWN: usize = 12;
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
        format!("deployment {id} does not wait for {first_id}{others}, and may be made first");
    let ids: Vec<_> = missing.iter().map(|missing| &missing.logical_id).collect();
    // What waits for the deployment cannot be waited for by it.
    let is_circle = order.dependencies(missing.iter().copied()).has(id);
    let edits = fix::depend_on(resource, &ids).filter(|_| !is_circle);
    let names = ids.iter().take(SHOWN).map(|id| id.as_str());
    let more = (ids.len() > SHOWN).then_some("…");
    let names: Vec<_> = names.chain(more).collect();
    Some(
        Finding::new(&RULE, location(resource), message)
            .related(Location::of(first, &[]), "not waited for")
            .hint(format!("add to `DependsOn`: {}", names.join(", ")))
            .fix(Fix::all(format!("let {id} wait for what it holds"), edits)),
    )
}

/// What the deployment snapshots and does not wait for. What exists under a condition is missing only from a
/// deployment without one or with the same.
fn missing<'a>(
    api: &'a Api,
    deployment: &Resource,
    awaited: &CreationDependencies<'_>,
) -> Vec<&'a Resource> {
    let routes = api.routes.iter().flat_map(|route| {
        let responses = route.responses.iter().map(|response| &response.resource);
        std::iter::once(&route.resource).chain(responses)
    });
    let integrations = api
        .integrations
        .iter()
        .flat_map(|integration| &integration.responses);
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
