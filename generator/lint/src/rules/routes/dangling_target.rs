use stackgen_model::{Api, LogicalId, Resolved, Resource, Route, Text};

use crate::context::RuleContext;
use crate::facts::target::{INTEGRATION, corrected_target};
use crate::fix::Fix;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// The target of a route is not an integration.
    ///
    /// ## Why it hurts
    ///
    /// A target is `integrations/` and the ID of an integration of the same API (row F2). It cannot be a function, an
    /// ARN or a logical ID that nothing replaces. API Gateway refuses the route, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Add an `AWS::ApiGatewayV2::Integration` between route and function and write `Target: !Sub
    /// integrations/${Integration}`. `--fix` does this if only `!Sub` is missing.
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
    // `broken-template` reports a name that does not exist.
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
        _ if cannot_be_integration(resource) => format!(
            "the target of route `{}` is {}, an {}, which is not an integration",
            route.key, resource.logical_id, resource.kind
        ),
        _ => return None,
    };
    let finding = Finding::new(&RULE, Location::of(&route.resource, &["Target"]), message)
        .related(Location::of(resource, &[]), "the named resource")
        .hint("name an integration: `Target: !Sub integrations/${…}`");
    Some(finding)
}

/// Returns true if no attribute of the resource can be an integration's ID. A nested stack, a custom resource or a
/// parameter may hold one.
fn cannot_be_integration(resource: &Resource) -> bool {
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
            "the target of route `{}` is the literal text `integrations/{named}`, which nothing replaces with the ID of {id}",
            route.key
        );
        let (text, edit) = corrected_target(route, &id);
        return Some(
            Finding::new(&RULE, location, message)
                .related(Location::of(integration, &[]), "the integration")
                .hint(format!("write `Target: !Sub {text}`"))
                .fix(Fix::one("insert the integration's ID with `!Sub`", edit)),
        );
    }
    // A literal ID may be right for an API outside the template.
    let api = api.resource.as_ref()?;
    let message = format!(
        "the target of route `{}` has the literal ID `{named}`, but integrations of API {} get their ID on creation",
        route.key, api.logical_id
    );
    let finding = Finding::new(&RULE, location, message).with_confidence(Confidence::Medium);
    Some(finding.hint("refer to an integration of the template: `Target: !Sub integrations/${…}`"))
}
