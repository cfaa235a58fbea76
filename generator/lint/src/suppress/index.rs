//! Finds the suppression that covers a finding.

use std::collections::HashMap;

use stackgen_cfn::FileId;
use stackgen_model::LogicalId;

use super::{SuppressionScope, Suppressions};
use crate::Finding;

/// Index of a suppression, and index of one of its rules.
type SuppressingRule = (usize, usize);

/// Suppressions by rule. Findings must be looked up in the order of their locations.
pub(super) struct SuppressionIndex {
    /// File of the byte ranges.
    file: Option<FileId>,
    rules: HashMap<&'static str, RuleSuppressions>,
}

/// Suppressions of one rule.
#[derive(Default)]
struct RuleSuppressions {
    template: Option<SuppressingRule>,
    resources: HashMap<LogicalId, SuppressingRule>,
    /// Start and end of each range; those that begin last come first.
    bytes: Vec<(u32, u32, SuppressingRule)>,
    /// Ranges that have begun; the last one began last.
    begun: Vec<(u32, SuppressingRule)>,
}

impl SuppressionIndex {
    pub(super) fn new(file: Option<FileId>, suppressions: &Suppressions) -> Self {
        let mut rules: HashMap<_, RuleSuppressions> = HashMap::new();
        for (index, suppression) in suppressions.all.iter().enumerate() {
            for (word, named) in suppression.rules.iter().enumerate() {
                let Some(rule) = named.rule() else { continue };
                let rule = rules.entry(rule.id).or_default();
                let which = (index, word);
                match &suppression.scope {
                    SuppressionScope::Template => rule.template = rule.template.or(Some(which)),
                    SuppressionScope::Bytes(start, end) => rule.bytes.push((*start, *end, which)),
                    SuppressionScope::Resource(id) => {
                        rule.resources.entry(id.clone()).or_insert(which);
                    }
                }
            }
        }
        for rule in rules.values_mut() {
            rule.bytes.sort_by(|one, other| other.cmp(one));
        }
        SuppressionIndex { file, rules }
    }

    /// Returns the innermost suppression of a finding, so that an outer one which covers nothing else is unused.
    pub(super) fn of(&mut self, finding: &Finding) -> Option<SuppressingRule> {
        let rule = self.rules.get_mut(finding.rule.id)?;
        let location = &finding.location;
        let by_bytes = match location.span.file == self.file && self.file.is_some() {
            true => rule.at(location.span.start),
            false => None,
        };
        let by_resource = || rule.resources.get(location.resource.as_ref()?).copied();
        by_bytes.or_else(by_resource).or(rule.template)
    }
}

impl RuleSuppressions {
    fn at(&mut self, location: u32) -> Option<SuppressingRule> {
        while let Some(&(start, end, which)) = self.bytes.last()
            && start <= location
        {
            self.begun.push((end, which));
            self.bytes.pop();
        }
        while self.begun.last().is_some_and(|(end, _)| *end < location) {
            self.begun.pop();
        }
        self.begun.last().map(|(_, which)| *which)
    }
}
