//! Which suppression a finding is covered by.

use std::collections::HashMap;

use stackgen_cfn::FileId;
use stackgen_model::LogicalId;

use super::{Scope, Suppressions};
use crate::Finding;

/// A suppression by its index, and which of its rules.
type Which = (usize, usize);

/// Suppressions by rule, to be asked about findings in the order of their places.
pub(super) struct Cover {
    /// The file that places are of.
    file: Option<FileId>,
    rules: HashMap<&'static str, OfRule>,
}

/// What suppresses the findings of one rule.
#[derive(Default)]
struct OfRule {
    template: Option<Which>,
    resources: HashMap<LogicalId, Which>,
    /// Where each begins and ends; those that begin last come first.
    bytes: Vec<(u32, u32, Which)>,
    /// Those that have begun. The one on top began last.
    begun: Vec<(u32, Which)>,
}

impl Cover {
    pub(super) fn new(file: Option<FileId>, suppressions: &Suppressions) -> Self {
        let mut rules: HashMap<_, OfRule> = HashMap::new();
        for (index, suppression) in suppressions.all.iter().enumerate() {
            for (word, named) in suppression.rules.iter().enumerate() {
                let Some(rule) = named.rule else { continue };
                let rule = rules.entry(rule.id).or_default();
                let which = (index, word);
                match &suppression.scope {
                    Scope::Template => rule.template = rule.template.or(Some(which)),
                    Scope::Bytes(start, end) => rule.bytes.push((*start, *end, which)),
                    Scope::Resource(id) => {
                        rule.resources.entry(id.clone()).or_insert(which);
                    }
                }
            }
        }
        for rule in rules.values_mut() {
            rule.bytes.sort_by(|one, other| other.cmp(one));
        }
        Cover { file, rules }
    }

    /// What covers a finding: the innermost, so that one around it which covers nothing else is unused.
    pub(super) fn of(&mut self, finding: &Finding) -> Option<Which> {
        let rule = self.rules.get_mut(finding.rule.id)?;
        let place = &finding.place;
        let by_bytes = match place.span.file == self.file && self.file.is_some() {
            true => rule.at(place.span.start),
            false => None,
        };
        let by_resource = || rule.resources.get(place.resource.as_ref()?).copied();
        by_bytes.or_else(by_resource).or(rule.template)
    }
}

impl OfRule {
    fn at(&mut self, place: u32) -> Option<Which> {
        while let Some(&(start, end, which)) = self.bytes.last()
            && start <= place
        {
            self.begun.push((end, which));
            self.bytes.pop();
        }
        while self.begun.last().is_some_and(|(end, _)| *end < place) {
            self.begun.pop();
        }
        self.begun.last().map(|(_, which)| *which)
    }
}
