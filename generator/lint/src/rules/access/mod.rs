//! What functions may do, what they are told, and what they keep.

mod connections_without_ttl;
mod endpoint_of_no_stage;
mod hard_coded_api_id;
mod log_group_without_retention;
mod manage_connections_account_wide;
mod manage_connections_matches_nothing;
mod manage_connections_missing;
mod management_endpoint_of_another_api;
mod management_endpoint_without_stage;
mod management_endpoint_wss;
mod no_echo_parameter_in_environment;
mod plain_secret_in_environment;
mod reserved_environment_name;
mod table_without_grant;
mod table_without_recovery;
mod wrong_action_for_connections;

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "access",
    title: "What functions may do, what they are told, and what they keep",
    prefix: "SG5",
    rules: &[
        &manage_connections_missing::RULE,
        &manage_connections_account_wide::RULE,
        &manage_connections_matches_nothing::RULE,
        &management_endpoint_wss::RULE,
        &management_endpoint_without_stage::RULE,
        &reserved_environment_name::RULE,
        &plain_secret_in_environment::RULE,
        &connections_without_ttl::RULE,
        &table_without_recovery::RULE,
        &log_group_without_retention::RULE,
        &hard_coded_api_id::RULE,
        &management_endpoint_of_another_api::RULE,
        &wrong_action_for_connections::RULE,
        &endpoint_of_no_stage::RULE,
        &table_without_grant::RULE,
        &no_echo_parameter_in_environment::RULE,
    ],
};
