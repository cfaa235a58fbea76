//! Mistakes made in templates that are right, in each dialect: exactly the rule that is about the mistake speaks, once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the modules are of one test")]

mod authorizers;
mod environment;
mod integrations;
mod management;
mod quotas;
mod routes;
mod stages;
mod tables;
mod template;

use std::fmt::Write as _;

use stackgen_lint::{Severity, registry};
use template::{Template, is_loud};

/// Templates that are right, by the dialect in which they are written.
const RIGHT: [(&str, &str); 6] = [
    ("cfn-live", "out/dev/template.yaml"),
    ("cfn-pinned", "out/prod/template.yaml"),
    (
        "cdk",
        "generator/lint/fixtures/peers/cdk/Chat.template.json",
    ),
    (
        "cdk-pinned",
        "generator/model/tests/fixtures/cdk/prod.template.json",
    ),
    (
        "osls",
        "generator/lint/fixtures/peers/serverless/cloudformation-template-update-stack.json",
    ),
    ("sam", "generator/lint/fixtures/peers/sam/template.yaml"),
];

/// Makes a mistake; `None` where the template has nothing to make it in.
type Make = fn(&mut Template) -> Option<()>;

/// A mistake, and who has to find it.
struct Mistake {
    name: &'static str,
    rule: &'static str,
    /// The same mistake in other spellings: the first that the template can have is made.
    spellings: &'static [Make],
    /// The template as it was is the earlier revision.
    revised: bool,
}

const fn mistake(name: &'static str, rule: &'static str, spellings: &'static [Make]) -> Mistake {
    Mistake {
        name,
        rule,
        spellings,
        revised: false,
    }
}

impl Mistake {
    const fn revised(self) -> Mistake {
        Mistake {
            revised: true,
            ..self
        }
    }

    /// What is wrong with how it is found in a template; `None` when it cannot be made in that.
    fn judge(&self, right: &Template, told: &[(&str, String)]) -> Option<Result<Severity, String>> {
        let made = self.spellings.iter().find_map(|make| {
            let mut wrong = right.clone();
            make(&mut wrong).map(|()| wrong)
        })?;
        assert!(made.0 != right.0, "{}: nothing is changed", self.name);
        let mut before = told.to_vec();
        let mut fresh = made.findings(self.revised.then_some(right));
        fresh.retain(|(finding, location)| {
            let known = before
                .iter()
                .position(|known| *known == (finding.rule.id, location.clone()));
            known.map(|index| before.swap_remove(index)).is_none()
        });
        let (named, others): (Vec<_>, Vec<_>) =
            (fresh.iter()).partition(|(finding, _)| finding.rule.name == self.rule);
        if let [(finding, _)] = named.as_slice()
            && !others.iter().any(|(finding, _)| is_loud(finding))
        {
            return Some(Ok(finding.severity));
        }
        let told: Vec<_> = fresh
            .iter()
            .map(|(finding, location)| {
                let rule = finding.rule.name;
                format!(
                    "    {:?} {rule} at {location}: {}\n",
                    finding.severity, finding.message
                )
            })
            .collect();
        Some(Err(told.concat()))
    }
}

#[test]
fn each_mistake_is_found_once_in_each_dialect() {
    let right = RIGHT.map(|(dialect, file)| {
        let template = Template::read(file);
        let told = template.findings(None).into_iter();
        let told: Vec<_> = told
            .map(|(finding, location)| (finding.rule.id, location))
            .collect();
        (dialect, template, told)
    });
    let groups = [
        authorizers::MISTAKES,
        routes::MISTAKES,
        integrations::MISTAKES,
        stages::MISTAKES,
        management::MISTAKES,
        environment::MISTAKES,
        tables::MISTAKES,
        quotas::MISTAKES,
    ];
    let (mut table, mut wrong) = (String::new(), String::new());
    for mistake in groups.into_iter().flatten() {
        let rule = registry::find(mistake.rule);
        let rule = rule.unwrap_or_else(|| panic!("{} is no rule", mistake.rule));
        let mut found = Vec::new();
        for (dialect, template, told) in &right {
            match mistake.judge(template, told) {
                None => {}
                Some(Ok(severity)) if severity == rule.severity => {
                    found.push((*dialect).to_owned())
                }
                Some(Ok(_)) => found.push(format!("{dialect} (a note)")),
                Some(Err(told)) => {
                    let Mistake { name, rule, .. } = mistake;
                    writeln!(wrong, "{name} ({rule}) in {dialect}:\n{told}").unwrap();
                }
            }
        }
        writeln!(
            table,
            "{}: {} [{}]",
            mistake.name,
            mistake.rule,
            found.join(" ")
        )
        .unwrap();
    }
    assert!(wrong.is_empty(), "{wrong}");
    insta::assert_snapshot!(table);
}
