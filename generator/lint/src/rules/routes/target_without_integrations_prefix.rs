use stackgen_model::{LogicalId, Resolved, Route, Text};

use crate::context::RuleContext;
use crate::facts::target::{INTEGRATION, corrected_target};
use crate::fix::Fix;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The target of a route does not begin with `integrations/`.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway refuses the route with `Unexpected or malformed target in route. Correct format should be
    /// integrations/<integration_id>.`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Write `Target: !Sub integrations/${Integration}`. `--fix` does this if the target is the ID of an integration.
    id: "SG210",
    name: "target-without-integrations-prefix",
    severity: Error,
    confidence: High,
    rows: ["F2"],
    fixable: true,
    example: "routes/target_without_integrations_prefix.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes
        .filter_map(|route| check_route(context, route))
        .collect()
}

fn check_route(context: &RuleContext<'_>, route: &Route) -> Option<Finding> {
    let Resolved::Text(target) = route.resource.properties.get("Target")? else {
        return None;
    };
    if target.strip_prefix("integrations/").is_some() || target.unknown().is_some() {
        return None;
    }
    let location = Location::of(&route.resource, &["Target"]);
    if let Some(integration) = integration(context, target) {
        let (text, edit) = corrected_target(route, &integration);
        let message = format!(
            "the target of route `{}` is the ID of {integration} without `integrations/`",
            route.key
        );
        let fix = Fix::one("write `integrations/` before the integration's ID", edit);
        let finding = Finding::new(&RULE, location, message);
        return Some(
            finding
                .hint(format!("write `Target: !Sub {text}`"))
                .fix(fix),
        );
    }
    // `dangling-target` reports a reference to another resource.
    if target.as_reference().is_some() {
        return None;
    }
    let message = format!(
        "the target of route `{}` is `{target}`, which does not begin with `integrations/`",
        route.key
    );
    let finding = Finding::new(&RULE, location, message);
    Some(finding.hint("write `Target: !Sub integrations/${…}` with the integration's logical ID"))
}

/// Returns the integration whose ID, or whose logical ID as text, is the whole target.
fn integration(context: &RuleContext<'_>, target: &Text) -> Option<LogicalId> {
    let id = match (target.as_reference(), target.as_literal()) {
        (Some(reference), _) if reference.attribute.is_none() => reference.logical_id.clone(),
        (_, Some(name)) => LogicalId::new(name),
        _ => return None,
    };
    let resource = context.model.resource(&id)?;
    (resource.kind == INTEGRATION).then_some(id)
}
