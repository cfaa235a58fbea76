//! The template itself and its suppressions.

mod broken_template;
mod malformed_suppression;
mod suppression_of_unknown_rule;
mod suppression_without_reason;
mod unused_suppression;
mod variable_outside_sub;

use crate::rule::RuleGroup;

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "template",
    title: "The template and its suppressions",
    prefix: "SG0",
    rules: &[
        &broken_template::RULE,
        &suppression_without_reason::RULE,
        &unused_suppression::RULE,
        &suppression_of_unknown_rule::RULE,
        &malformed_suppression::RULE,
        &variable_outside_sub::RULE,
    ],
};
