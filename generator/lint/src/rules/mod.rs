//! The rules, in one folder per group.

mod authorizers;
mod environment;
mod integrations;
mod management;
mod quotas;
mod routes;
#[cfg(test)]
mod skeleton;
mod stages;
mod tables;
mod template;

use crate::rule::RuleGroup;

/// The groups in the order of their IDs.
pub(crate) const GROUPS: &[RuleGroup] = &[
    template::GROUP,
    authorizers::GROUP,
    routes::GROUP,
    integrations::GROUP,
    stages::GROUP,
    management::GROUP,
    environment::GROUP,
    tables::GROUP,
    quotas::GROUP,
];

#[cfg(test)]
mod tests {
    use stackgen_cfn::Sources;
    use stackgen_model::{Inputs, Model};

    use super::skeleton::RULE;
    use crate::context::RuleContext;
    use crate::rule::RuleCheck;
    use crate::{LintInput, lint};

    /// Returns one side of the skeleton's fixture: with the lines that begin with `-`, or with `+`.
    fn one_side(other: char) -> String {
        let lines = RULE.example.lines().filter(|line| !line.starts_with(other));
        let lines = lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default()));
        lines.collect()
    }

    #[test]
    fn only_the_skeleton_of_a_rule_finds_its_mistake() {
        let RuleCheck::Template(check) = RULE.check else {
            panic!("the skeleton checks the template");
        };
        for (other, count) in [('+', 1), ('-', 0)] {
            let mut sources = Sources::new();
            let source = sources.add("skeleton", one_side(other));
            let template = stackgen_cfn::parse(source).expect("the fixture is a template");
            let model = Model::from_template(&template, &Inputs::none());
            assert_eq!(check(&RuleContext::new(&model, None)).len(), count);
            let report = lint(&LintInput {
                template: &template,
                source: Some(source),
                previous: None,
            });
            assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
    }
}
