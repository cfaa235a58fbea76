use crate::Finding;
use crate::context::RuleContext;
use crate::facts::quota;
use crate::rule::rule;

rule! {
    /// An API has more routes than its quota.
    ///
    /// ## Why it hurts
    ///
    /// The default quota is 300 (row L6), and the deployment of the stack fails at the first route that is too much.
    ///
    /// ## How to fix it
    ///
    /// Let fewer routes take more messages, and tell these apart in their functions; or have the quota raised, for this API,
    /// by Service Quotas.
    id: "SG601",
    name: "too-many-routes",
    severity: Warning,
    confidence: Medium,
    rows: ["L6"],
    fixable: false,
    example: "quotas/too_many_routes.diff",
}

/// The quota of an API.
const QUOTA: usize = 300;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let over = |api: &'_ stackgen_model::Api| {
        let resources = api.routes.iter().map(|it| &it.resource);
        quota::over_quota(&RULE, api, "routes", QUOTA, resources)
    };
    context.websockets().filter_map(over).collect()
}
