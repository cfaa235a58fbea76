//! Quotas.

mod load_above_quota;
mod reserved_concurrency_above_quota;
mod text_too_long;
mod throttle_above_quota;
mod too_many_authorizers;
mod too_many_integrations;
mod too_many_routes;
mod too_many_stages;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "quotas",
    title: "Quotas",
    prefix: "SG6",
    rules: &[
        &too_many_routes::RULE,
        &too_many_integrations::RULE,
        &too_many_authorizers::RULE,
        &too_many_stages::RULE,
        &text_too_long::RULE,
        &load_above_quota::RULE,
        &throttle_above_quota::RULE,
        &reserved_concurrency_above_quota::RULE,
    ],
};
