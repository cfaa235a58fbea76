//! Runs the rules on a template.

use stackgen_model::{Inputs, Model};

use crate::context::RuleContext;
use crate::rule::RuleCheck;
use crate::{Finding, LintInput, LintReport, registry, suppress};

/// Checks a template with all rules. Returns a report for any document.
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

    /// Runs the rules in an order and returns their sorted findings.
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
