//! The list of all rules.

use std::sync::LazyLock;

pub use crate::rule::RuleGroup;
use crate::{Rule, rules};

static BY_ID: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let rules = rules::GROUPS.iter().flat_map(|group| group.rules);
    let mut rules: Vec<_> = rules.copied().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
});

/// Returns all rules in the order of their IDs.
pub fn all() -> impl DoubleEndedIterator<Item = &'static Rule> {
    BY_ID.iter().copied()
}

/// Returns all groups in the order in which lists show them.
pub fn groups() -> &'static [RuleGroup] {
    rules::GROUPS
}

/// Returns the rule with an ID or a name.
pub fn find(word: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.name == word || rule.id.eq_ignore_ascii_case(word))
}
