//! Every rule there is.

use crate::{Rule, rules};

/// The rules in the order of their ids.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    rules::GROUPS.iter().flat_map(|group| group.rules).copied()
}

/// The groups, a hundred of ids each.
pub fn groups() -> &'static [Group] {
    rules::GROUPS
}

/// The rule of that id or name.
pub fn find(word: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.name == word || rule.id.eq_ignore_ascii_case(word))
}

/// Rules about one thing.
#[derive(Debug)]
pub struct Group {
    /// The folder under `rules/`.
    pub name: &'static str,
    /// What they are about.
    pub title: &'static str,
    /// What their ids begin with: `SG1`.
    pub prefix: &'static str,
    /// In the order of their ids.
    pub rules: &'static [&'static Rule],
}
