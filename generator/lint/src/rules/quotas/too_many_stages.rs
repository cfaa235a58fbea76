use crate::Finding;
use crate::context::RuleContext;
use crate::facts::quota;
use crate::rule::rule;

rule! {
    /// An API has more stages than its quota.
    ///
    /// ## Why it hurts
    ///
    /// The default quota is 10 (row L6), and the stack fails at the first stage beyond it.
    ///
    /// ## How to fix it
    ///
    /// Create a separate stack per environment, or raise the quota for this API in Service Quotas.
    id: "SG604",
    name: "too-many-stages",
    severity: Warning,
    confidence: Medium,
    rows: ["L6"],
    fixable: false,
    example: "quotas/too_many_stages.diff",
}

/// Default quota per API.
const QUOTA: usize = 10;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let over = |api: &'_ stackgen_model::Api| {
        let resources = api.stages.iter().map(|it| &it.resource);
        quota::over_quota(&RULE, api, "stages", QUOTA, resources)
    };
    context.websockets().filter_map(over).collect()
}
