use std::collections::HashSet;

use stackgen_model::{Api, Integration, Link};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// No route uses an integration.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway calls an integration only for a route that names it in `Target` (row F2). An unused integration is a
    /// leftover, or its route was forgotten: then messages go to `$default` or are answered with `Forbidden` frames
    /// (row M3).
    ///
    /// ## How to fix it
    ///
    /// Name it in a route, `Target: !Sub integrations/${Integration}`, or remove it.
    id: "SG317",
    name: "integration-never-used",
    severity: Note,
    confidence: High,
    rows: ["F2"],
    fixable: false,
    example: "integrations/integration_never_used.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context
        .websockets()
        .filter(|api| context.is_complete(api))
        .flat_map(check_api)
        .collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let unknown = |target: &Link| matches!(target, Link::Unknown(_) | Link::External(_));
    if api.routes.iter().any(|route| unknown(&route.target)) {
        return Vec::new();
    }
    let used: HashSet<_> = api
        .routes
        .iter()
        .filter_map(|route| route.target.to())
        .collect();
    let unused = api
        .integrations
        .iter()
        .filter(|it| !used.contains(&it.resource.logical_id));
    let finding = |integration: &Integration| {
        let id = &integration.resource.logical_id;
        let message = format!("no route uses {id}");
        Finding::new(&RULE, Location::of(&integration.resource, &[]), message).hint(format!(
            "set `Target: !Sub integrations/${{{id}}}` on a route, or remove the integration"
        ))
    };
    unused.map(finding).collect()
}
