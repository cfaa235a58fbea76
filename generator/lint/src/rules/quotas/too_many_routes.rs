use crate::Finding;
use crate::context::RuleContext;
use crate::facts::quota;
use crate::rule::rule;

rule! {
    /// An API has more routes than its quota.
    ///
    /// ## Why it hurts
    ///
    /// The default quota is 300 (row L6), and the stack fails at the first route beyond it.
    ///
    /// ## How to fix it
    ///
    /// Handle more kinds of messages per route, and tell them apart in the function. Or raise the quota for this API in
    /// Service Quotas.
    id: "SG601",
    name: "too-many-routes",
    severity: Warning,
    confidence: Medium,
    rows: ["L6"],
    fixable: false,
    example: "quotas/too_many_routes.diff",
}

/// Default quota per API.
const QUOTA: usize = 300;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let over = |api: &'_ stackgen_model::Api| {
        let resources = api.routes.iter().map(|it| &it.resource);
        quota::over_quota(&RULE, api, "routes", QUOTA, resources)
    };
    context.websockets().filter_map(over).collect()
}
