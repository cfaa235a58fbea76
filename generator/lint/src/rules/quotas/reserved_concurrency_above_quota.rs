use stackgen_cost::AccountQuotas;
use stackgen_model::Function;

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The functions of the template reserve more concurrency than an account has.
    ///
    /// ## Why it hurts
    ///
    /// Lambda runs 1,000 invocations of an account at the same time in a Region by default, and 100 of them must stay
    /// unreserved. The stack fails at the function beyond it: `Specified ReservedConcurrentExecutions for function
    /// decreases account's UnreservedConcurrentExecution below its minimum value of [100]`. New accounts have lower quotas.
    ///
    /// ## How to fix it
    ///
    /// Reserve less, or raise the quota of concurrent executions in Service Quotas and suppress the finding.
    id: "SG608",
    name: "reserved-concurrency-above-quota",
    severity: Warning,
    confidence: Medium,
    rows: [],
    fixable: false,
    example: "quotas/reserved_concurrency_above_quota.diff",
}

/// Concurrent executions of an account that must stay unreserved.
const UNRESERVED: f64 = 100.0;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let reserved = |function: &Function| {
        let properties = &function.resource.properties;
        let setting = properties.int("ReservedConcurrentExecutions");
        let number = setting.value().copied().unwrap_or_default().max(0);
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let quota = AccountQuotas::largest().concurrent_invocations - UNRESERVED;
    let functions = context.model.functions.iter();
    let certain = functions.filter(|function| function.resource.conditional.is_none());
    let mut sum = 0_u32;
    for function in certain {
        let own = reserved(function);
        sum = sum.saturating_add(own);
        if own > 0 && f64::from(sum) > quota {
            let message = format!(
                "the functions reserve {sum} concurrent executions up to {}, and an account has {quota} to reserve",
                function.resource.logical_id
            );
            let location = Location::of(&function.resource, &["ReservedConcurrentExecutions"]);
            let hint = "reserve less, or raise the quota before you deploy it";
            return vec![Finding::new(&RULE, location, message).hint(hint)];
        }
    }
    Vec::new()
}
