use crate::Finding;
use crate::context::RuleContext;
use crate::facts::quota;
use crate::rule::rule;

rule! {
    /// An API has more authorizers than its quota.
    ///
    /// ## Why it hurts
    ///
    /// The default quota is 10 (row L6). The stack fails with `Maximum number of Authorizers for this API has been
    /// reached. Please contact AWS if you need additional Authorizers.`
    ///
    /// ## How to fix it
    ///
    /// A WebSocket API needs one, because only `$connect` has authorization (row A1): let its function tell callers
    /// apart. Otherwise ask AWS Support to raise the quota for this API.
    id: "SG603",
    name: "too-many-authorizers",
    severity: Warning,
    confidence: Medium,
    rows: ["L6", "A1"],
    fixable: false,
    example: "quotas/too_many_authorizers.diff",
}

/// Default quota per API.
const QUOTA: usize = 10;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let over = |api: &'_ stackgen_model::Api| {
        let resources = api.authorizers.iter().map(|it| &it.resource);
        quota::over_quota(&RULE, api, "authorizers", QUOTA, resources)
    };
    context.websockets().filter_map(over).collect()
}
