use stackgen_cost::AccountQuotas;
use stackgen_model::{Resolved, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A throttle of a stage or a route is above the quota of the account.
    ///
    /// ## Why it hurts
    ///
    /// The account's quota applies first: 10,000 requests per second with a burst of 5,000 for all APIs of a Region
    /// together, in some Regions 2,500 and 1,250 (row L5). A higher throttle never takes effect, and the stage has no
    /// limit of its own that protects the other APIs from it.
    ///
    /// ## How to fix it
    ///
    /// Write the share of the quota that this stage may use. If the account's quota was raised, suppress the finding.
    id: "SG607",
    name: "throttle-above-quota",
    severity: Warning,
    confidence: Medium,
    rows: ["L5"],
    fixable: false,
    example: "quotas/throttle_above_quota.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.flat_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Vec<Finding> {
    let of_all = stage.default_route_settings.iter();
    let of_all = of_all.filter_map(|settings| finding(stage, &["DefaultRouteSettings"], settings));
    let routes = stage.route_settings.as_ref().and_then(Resolved::as_map);
    let of_routes = routes
        .into_iter()
        .flatten()
        .filter_map(|(key, settings)| finding(stage, &["RouteSettings", key], settings));
    of_all.chain(of_routes).collect()
}

/// Reports one finding per group of settings: burst and rate together are one mistake.
fn finding(stage: &Stage, path: &[&str], settings: &Resolved) -> Option<Finding> {
    let quotas = AccountQuotas::largest();
    let limits = [
        ("ThrottlingRateLimit", quotas.requests_per_second),
        ("ThrottlingBurstLimit", quotas.burst),
    ];
    let (key, value, quota) = limits.into_iter().find_map(|(key, quota)| {
        let value = stackgen_cost::number(settings.get(key)?)?;
        (value > quota).then_some((key, value, quota))
    })?;
    let path = [path, &[key]].concat();
    let message = format!("`{key}: {value}` is above the account's quota of {quota}");
    let hint = "write the share of the quota that this stage may use";
    Some(Finding::new(&RULE, Location::of(&stage.resource, &path), message).hint(hint))
}
