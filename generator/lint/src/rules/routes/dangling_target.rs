use stackgen_model::{Api, LogicalId, Resolved, Resource, Route, Text};

use crate::context::RuleContext;
use crate::facts::target::{INTEGRATION, corrected_target};
use crate::fix::Fix;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A route's target names something that is no integration.
    ///
    /// ## Why it hurts
    ///
    /// A target is `integrations/` and the id of an integration of the same API (row F2), nothing else: not a function, not
    /// an ARN, not a logical id that nobody replaces by what it stands for. The route cannot be created and the deployment
    /// of the stack fails.
    ///
    /// ## How to fix it
    ///
    /// Put an `AWS::ApiGatewayV2::Integration` between route and function and write
    /// `Target: !Sub integrations/${Integration}`. `--fix` does where only the `!Sub` is missing.
    id: "SG208",
    name: "dangling-target",
    severity: Error,
    confidence: High,
    rows: ["F2"],
    fixable: true,
    example: "routes/dangling_target.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = |api: &'_ Api| -> Vec<Finding> {
        let routes = api.routes.iter();
        routes
            .filter_map(|route| check_route(context, api, route))
            .collect()
    };
    context.websockets().flat_map(routes).collect()
}

fn check_route(context: &RuleContext<'_>, api: &Api, route: &Route) -> Option<Finding> {
    let Resolved::Text(target) = route.resource.properties.get("Target")? else {
        return None;
    };
    // A name that nothing has is a broken reference wherever it stands, and found as one.
    match target.strip_prefix("integrations/") {
        Some(named) => check_reference(context, route, &named)
            .or_else(|| check_literal(context, api, route, named.as_literal()?)),
        None => check_reference(context, route, target),
    }
}

fn check_reference(context: &RuleContext<'_>, route: &Route, named: &Text) -> Option<Finding> {
    let reference = named.as_reference()?;
    let resource = context.model.resource(&reference.logical_id)?;
    let message = match &reference.attribute {
        Some(attribute) if resource.kind == INTEGRATION => {
            format!(
                "integration {reference} has no attribute `{attribute}`",
                reference = resource.logical_id
            )
        }
        _ if is_no_integration(resource) => format!(
            "the target of route `{}` is {}, an {} and no integration",
            route.key, resource.logical_id, resource.kind
        ),
        _ => return None,
    };
    let finding = Finding::new(&RULE, Location::of(&route.resource, &["Target"]), message)
        .related(Location::of(resource, &[]), "what it names")
        .hint("name an integration: `Target: !Sub integrations/${…}`");
    Some(finding)
}

/// Whether what a resource's attributes give is certainly no integration's id. A nested stack, a custom resource or
/// a parameter may hold one.
fn is_no_integration(resource: &Resource) -> bool {
    let may = [
        "AWS::CloudFormation::",
        "AWS::SSM::",
        "AWS::SecretsManager::",
        "AWS::ServiceCatalog::",
    ];
    let kind = resource.kind.as_str();
    kind.starts_with("AWS::")
        && kind != INTEGRATION
        && !may.iter().any(|prefix| kind.starts_with(prefix))
}

fn check_literal(
    context: &RuleContext<'_>,
    api: &Api,
    route: &Route,
    named: &str,
) -> Option<Finding> {
    let location = Location::of(&route.resource, &["Target"]);
    let name = named
        .strip_prefix("${")
        .and_then(|name| name.strip_suffix('}'));
    let id = LogicalId::new(name.unwrap_or(named));
    let integration = context
        .model
        .resource(&id)
        .filter(|it| it.kind == INTEGRATION);
    if let Some(integration) = integration {
        let message = format!(
            "the target of route `{}` is the text `integrations/{named}`, in which nothing is put in for {id}",
            route.key
        );
        let (text, edit) = corrected_target(route, &id);
        return Some(
            Finding::new(&RULE, location, message)
                .related(Location::of(integration, &[]), "the integration")
                .hint(format!("write `Target: !Sub {text}`"))
                .fix(Fix::one("put the integration's id in by `!Sub`", edit)),
        );
    }
    // Of an API outside of the template, an id that is written in may be right.
    let api = api.resource.as_ref()?;
    let message = format!(
        "the target of route `{}` has the id `{named}` written in, and integrations of API {} get theirs when they are made",
        route.key, api.logical_id
    );
    let finding = Finding::new(&RULE, location, message).with_confidence(Confidence::Medium);
    Some(finding.hint("name an integration of the template: `Target: !Sub integrations/${…}`"))
}
