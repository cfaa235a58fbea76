//! From a template to findings.

use stackgen_cfn::{Node, Source};
use stackgen_model::{Inputs, Model};

use crate::context::RuleContext;
use crate::rule::RuleCheck;
use crate::{Finding, registry, suppress};

/// What is linted.
#[derive(Clone, Copy, Debug)]
pub struct LintInput<'a> {
    /// The template.
    pub template: &'a Node,
    /// Its text, in which comments suppress findings; `None` for a template that was rendered and not read.
    pub source: Option<&'a Source>,
    /// The template's earlier revision.
    pub previous: Option<&'a Node>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct LintReport {
    /// Findings in the order of the file.
    pub findings: Vec<Finding>,
    /// Findings that the template says are meant so.
    pub suppressed: Vec<SuppressedFinding>,
    /// How many WebSocket APIs were judged.
    pub apis: usize,
}

/// A finding that is meant so, and why.
#[derive(Clone, Debug)]
pub struct SuppressedFinding {
    /// What would be told.
    pub finding: Finding,
    /// Why it is not; empty when the template does not say.
    pub reason: String,
}

/// Judges a template by every rule. Total: whatever stands in a document, it comes to a report.
pub fn lint(subject: &LintInput<'_>) -> LintReport {
    let model = |template| Model::from_template(template, &Inputs::none());
    let (now, previous) = (model(subject.template), subject.previous.map(model));
    let context = RuleContext::new(&now, previous.as_ref());
    let apis = context.websockets().count();
    let rules = || registry::all().filter(|_| apis > 0);
    let findings = rules().flat_map(|rule| match rule.check {
        RuleCheck::Template(check) => check(&context),
        RuleCheck::Suppressions(_) => Vec::new(),
    });
    let (mut report, suppressions) = suppress::apply(subject, findings.collect());
    let of_suppressions = rules().flat_map(|rule| match rule.check {
        RuleCheck::Template(_) => Vec::new(),
        RuleCheck::Suppressions(check) => check(&suppressions),
    });
    report.findings.extend(of_suppressions);
    report.apis = apis;
    let by_location = |finding: &Finding| {
        (
            finding.location.span.file.is_none(),
            finding.location.span.start,
        )
    };
    report.findings.sort_by_key(by_location);
    report
}

#[cfg(test)]
mod tests {
    use stackgen_cfn::Sources;

    use super::*;
    use crate::Rule;

    /// Returns what the rules find when they run in an order, sorted.
    fn found(model: &Model, rules: impl Iterator<Item = &'static Rule>) -> Vec<String> {
        let context = RuleContext::new(model, Some(model));
        let findings = rules.flat_map(|rule| match rule.check {
            RuleCheck::Template(check) => check(&context),
            RuleCheck::Suppressions(_) => Vec::new(),
        });
        let mut found: Vec<_> = findings.map(|finding| format!("{finding:?}")).collect();
        found.sort();
        found
    }

    #[test]
    fn rules_find_the_same_in_any_order() {
        for rule in registry::all() {
            let lines = rule.example.lines().filter(|line| !line.starts_with('+'));
            let lines: Vec<_> = lines
                .map(|line| line.get(1..).unwrap_or_default())
                .collect();
            let mut sources = Sources::new();
            let template =
                stackgen_cfn::parse(sources.add(rule.name, lines.join("\n"))).expect(rule.name);
            let model = Model::from_template(&template, &Inputs::none());
            let all: Vec<_> = registry::all().collect();
            let forward = found(&model, all.iter().copied());
            let backward = found(&model, all.iter().rev().copied());
            assert_eq!(forward, backward, "{}", rule.name);
        }
    }
}
