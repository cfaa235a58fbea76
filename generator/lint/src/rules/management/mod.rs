//! Posting to connections: permissions for `@connections` and the addresses that functions use.

mod endpoint_of_no_stage;
mod hard_coded_api_id;
mod manage_connections_account_wide;
mod manage_connections_matches_nothing;
mod manage_connections_missing;
mod management_endpoint_of_another_api;
mod management_endpoint_without_stage;
mod management_endpoint_wss;
mod nothing_sent_to_clients;
mod private_dns_for_posting_function;
mod wrong_action_for_connections;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "management",
    title: "Management API (`@connections`)",
    prefix: "SG5",
    rules: &[
        &manage_connections_missing::RULE,
        &manage_connections_account_wide::RULE,
        &manage_connections_matches_nothing::RULE,
        &management_endpoint_wss::RULE,
        &management_endpoint_without_stage::RULE,
        &hard_coded_api_id::RULE,
        &management_endpoint_of_another_api::RULE,
        &wrong_action_for_connections::RULE,
        &endpoint_of_no_stage::RULE,
        &nothing_sent_to_clients::RULE,
        &private_dns_for_posting_function::RULE,
    ],
};
