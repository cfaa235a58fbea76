//! Tables and log groups: access, expiry and recovery.

mod connections_without_ttl;
mod log_group_without_retention;
mod table_without_grant;
mod table_without_recovery;
mod ttl_in_milliseconds;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "tables",
    title: "Tables and log groups",
    prefix: "SG5",
    rules: &[
        &connections_without_ttl::RULE,
        &table_without_recovery::RULE,
        &log_group_without_retention::RULE,
        &table_without_grant::RULE,
        &ttl_in_milliseconds::RULE,
    ],
};
