//! Integrations and the permissions of their functions.

mod constant_version_id;
mod function_behind_http_integration;
mod function_outside_stack;
mod function_policy_too_large;
mod hard_coded_account;
mod hard_coded_partition;
mod hard_coded_region;
mod integration_never_used;
mod integration_payload_version_2;
mod integration_permission_missing;
mod integration_permission_of_another_api;
mod integration_permission_too_wide;
mod integration_response_on_one_way_route;
mod integration_timeout_out_of_range;
mod integration_timeout_under_function;
mod integration_uri_not_invocation;
mod integration_without_uri;
mod invoke_role_cannot_invoke;
mod permission_on_other_qualifier;
mod permitted_function_never_called;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "integrations",
    title: "Integrations and permissions of their functions",
    prefix: "SG3",
    rules: &[
        &hard_coded_account::RULE,
        &hard_coded_region::RULE,
        &hard_coded_partition::RULE,
        &function_outside_stack::RULE,
        &integration_uri_not_invocation::RULE,
        &integration_payload_version_2::RULE,
        &integration_timeout_out_of_range::RULE,
        &integration_timeout_under_function::RULE,
        &integration_response_on_one_way_route::RULE,
        &integration_permission_missing::RULE,
        &integration_permission_of_another_api::RULE,
        &integration_permission_too_wide::RULE,
        &integration_without_uri::RULE,
        &constant_version_id::RULE,
        &permission_on_other_qualifier::RULE,
        &invoke_role_cannot_invoke::RULE,
        &integration_never_used::RULE,
        &function_behind_http_integration::RULE,
        &function_policy_too_large::RULE,
        &permitted_function_never_called::RULE,
    ],
};
