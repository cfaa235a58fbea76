//! Environment variables of functions.

mod no_echo_parameter_in_environment;
mod plain_secret_in_environment;
mod reserved_environment_name;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "environment",
    title: "Environment variables",
    prefix: "SG5",
    rules: &[
        &reserved_environment_name::RULE,
        &plain_secret_in_environment::RULE,
        &no_echo_parameter_in_environment::RULE,
    ],
};
