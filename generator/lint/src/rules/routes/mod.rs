//! Routes.

mod api_key_selection_unsupported;
mod connect_route_missing;
mod dangling_target;
mod default_route_missing;
mod disconnect_route_missing;
mod duplicate_route_key;
mod half_two_way_route;
mod http_api_property;
mod http_route_key;
mod model_not_awaited;
mod request_models_without_selection;
mod request_parameters_off_connect;
mod reserved_route_key;
mod route_never_selected;
mod route_response_key_not_default;
mod route_selection_missing;
mod route_without_target;
mod sam_route_key_refused;
mod sam_route_keys_collide;
mod sam_websocket_api_refused;
mod static_route_selection;
mod target_of_another_api;
mod target_without_integrations_prefix;

use stackgen_model::{Problem, ProblemKind};

use crate::context::RuleContext;
use crate::rule::RuleGroup;
use crate::{Finding, Location, Rule};

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "routes",
    title: "Routes",
    prefix: "SG2",
    rules: &[
        &connect_route_missing::RULE,
        &disconnect_route_missing::RULE,
        &default_route_missing::RULE,
        &duplicate_route_key::RULE,
        &reserved_route_key::RULE,
        &http_route_key::RULE,
        &route_without_target::RULE,
        &dangling_target::RULE,
        &target_of_another_api::RULE,
        &target_without_integrations_prefix::RULE,
        &half_two_way_route::RULE,
        &request_parameters_off_connect::RULE,
        &sam_route_keys_collide::RULE,
        &static_route_selection::RULE,
        &route_selection_missing::RULE,
        &route_response_key_not_default::RULE,
        &api_key_selection_unsupported::RULE,
        &http_api_property::RULE,
        &route_never_selected::RULE,
        &request_models_without_selection::RULE,
        &sam_route_key_refused::RULE,
        &sam_websocket_api_refused::RULE,
        &model_not_awaited::RULE,
    ],
};

/// Reports the problems of a kind that the reader of the template found.
fn check_problems(
    rule: &'static Rule,
    context: &RuleContext<'_>,
    kind: ProblemKind,
) -> Vec<Finding> {
    let problems = context.model.problems.iter();
    let of_kind = problems.filter(|problem| problem.kind == kind);
    let finding = |problem: &Problem| {
        let finding = Finding::new(rule, Location::at(problem.span), problem.message.as_str());
        match &problem.hint {
            Some(hint) => finding.hint(hint.as_str()),
            None => finding,
        }
    };
    of_kind.map(finding).collect()
}
