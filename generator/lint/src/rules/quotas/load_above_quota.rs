use stackgen_cost::{AccountQuotas, DeclaredLoad, LoadTarget, QuotaUse, quota_uses};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The load that the template declares exceeds a quota of the account, or a limit of its own settings.
    ///
    /// ## Why it hurts
    ///
    /// All APIs of an account share 10,000 requests per second in a Region, in some Regions 2,500, and every post to a
    /// connection is one of them (row L5). A speaker with 500 listeners and 50 messages a second needs 25,000 posts a
    /// second: more than half are lost, and every other API of the account is throttled, too.
    ///
    /// The load is `load` in stackgen.yaml, which `stackgen synth` writes to `Metadata.Stackgen.Load`. The rule compares it
    /// with the largest default quotas, because a template does not determine its Region.
    ///
    /// ## How to fix it
    ///
    /// Send fewer and larger messages, post to fewer connections, or raise the quota in Service Quotas.
    /// `stackgen cost` shows every quota, and the number of listeners that fits.
    id: "SG606",
    name: "load-above-quota",
    severity: Warning,
    confidence: Medium,
    rows: ["L5", "L6", "M11"],
    fixable: false,
    example: "quotas/load_above_quota.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let Some(declared) = DeclaredLoad::read(&context.model.declared_load) else {
        return Vec::new();
    };
    if declared.load.check().is_err() {
        return Vec::new();
    }
    let Ok(stack) = LoadTarget::new(context.model, None, declared.route.as_deref()) else {
        return Vec::new();
    };
    let Some(api) = context.websockets().find_map(|api| api.resource.as_ref()) else {
        return Vec::new();
    };
    let uses = quota_uses(&declared.load, &stack, &AccountQuotas::largest());
    let exceeded = uses.into_iter().filter(QuotaUse::is_exceeded);
    let finding = |quota: QuotaUse| {
        let message = format!(
            "the declared load exceeds the {}: {:.0} of {:.0} {}",
            quota.name, quota.used, quota.quota, quota.unit
        );
        Finding::new(&RULE, Location::of(api, &[]), message).hint(quota.cure)
    };
    exceeded.map(finding).collect()
}
