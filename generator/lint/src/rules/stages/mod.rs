//! Deployments, stages and domains.

mod access_log_unknown_variable;
mod access_log_without_request_id;
mod api_mapping_before_stage;
mod constant_deployment_id;
mod data_trace_enabled;
mod deployment_digest_stale;
mod deployment_id_with_auto_deploy;
mod deployment_never_used;
mod deployment_not_retained;
mod deployment_of_another_api;
mod deployment_without_depends_on;
mod deployment_without_routes;
mod domain_shared_with_http_api;
mod duplicate_stage_name;
mod literal_deployment_id;
mod log_settings_without_account_role;
mod mutual_tls_on_websocket;
mod removed_route_still_deployed;
mod route_settings_for_unknown_route;
mod snapshot_changed_deployment_did_not;
mod stage_before_account_role;
mod stage_missing;
mod stage_name_invalid;
mod stage_serves_nothing;
mod throttle_zero;
mod unsupported_domain_configuration;
mod unsupported_waf;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "stages",
    title: "Deployments, stages and domains",
    prefix: "SG4",
    rules: &[
        &stage_serves_nothing::RULE,
        &deployment_id_with_auto_deploy::RULE,
        &deployment_without_depends_on::RULE,
        &constant_deployment_id::RULE,
        &deployment_digest_stale::RULE,
        &snapshot_changed_deployment_did_not::RULE,
        &throttle_zero::RULE,
        &access_log_without_request_id::RULE,
        &access_log_unknown_variable::RULE,
        &log_settings_without_account_role::RULE,
        &route_settings_for_unknown_route::RULE,
        &deployment_never_used::RULE,
        &deployment_of_another_api::RULE,
        &data_trace_enabled::RULE,
        &api_mapping_before_stage::RULE,
        &domain_shared_with_http_api::RULE,
        &unsupported_waf::RULE,
        &mutual_tls_on_websocket::RULE,
        &stage_missing::RULE,
        &duplicate_stage_name::RULE,
        &stage_name_invalid::RULE,
        &deployment_not_retained::RULE,
        &deployment_without_routes::RULE,
        &stage_before_account_role::RULE,
        &unsupported_domain_configuration::RULE,
        &literal_deployment_id::RULE,
        &removed_route_still_deployed::RULE,
    ],
};
