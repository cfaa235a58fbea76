use crate::Finding;
use crate::context::RuleContext;
use crate::facts::quota;
use crate::rule::rule;

rule! {
    /// An API has more integrations than its quota.
    ///
    /// ## Why it hurts
    ///
    /// The default quota is 300 (row L6). The stack fails with `Maximum number of Integrations for this API has been
    /// reached. Please contact AWS if you need additional Integrations.`
    ///
    /// ## How to fix it
    ///
    /// Share integrations between routes: one per function is enough. Otherwise ask AWS Support to raise the quota for
    /// this API.
    id: "SG602",
    name: "too-many-integrations",
    severity: Warning,
    confidence: Medium,
    rows: ["L6"],
    fixable: false,
    example: "quotas/too_many_integrations.diff",
}

/// Default quota per API.
const QUOTA: usize = 300;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let over = |api: &'_ stackgen_model::Api| {
        let resources = api.integrations.iter().map(|it| &it.resource);
        quota::over_quota(&RULE, api, "integrations", QUOTA, resources)
    };
    context.websockets().filter_map(over).collect()
}
