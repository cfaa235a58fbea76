//! Makes mistakes in correct templates of each tool: exactly the rule for the mistake reports it, once.

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

use serde_json::Value;
use stackgen_lint::{Severity, registry};
use template::{Template, is_reported};

/// Correct templates by dialect.
const CORRECT: [(&str, &str); 6] = [
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

/// Makes a mistake, or returns `None` if the template has nothing to make it in.
type Make = fn(&mut Template) -> Option<()>;

/// A mistake and the rule that must find it.
struct Mistake {
    name: &'static str,
    rule: &'static str,
    /// Variants of the mistake; the first that fits the template is used.
    spellings: &'static [Make],
    /// True if the correct template is the earlier revision.
    compares: bool,
}

const fn mistake(name: &'static str, rule: &'static str, spellings: &'static [Make]) -> Mistake {
    Mistake {
        name,
        rule,
        spellings,
        compares: false,
    }
}

impl Mistake {
    const fn compares(self) -> Mistake {
        Mistake {
            compares: true,
            ..self
        }
    }

    /// Checks the findings in a template. Returns `None` if the mistake does not fit it, and an error with the findings
    /// if they are wrong.
    fn check(
        &self,
        correct: &Template,
        known: &[(&str, String)],
    ) -> Option<Result<Severity, String>> {
        let made = self.spellings.iter().find_map(|make| {
            let mut wrong = correct.clone();
            make(&mut wrong).map(|()| wrong)
        })?;
        assert!(made.0 != correct.0, "{}: nothing is changed", self.name);
        let mut before = known.to_vec();
        let mut fresh = made.findings(self.compares.then_some(correct));
        fresh.retain(|(finding, location)| {
            let known = before
                .iter()
                .position(|known| *known == (finding.rule.id, location.clone()));
            known.map(|index| before.swap_remove(index)).is_none()
        });
        let (named, others): (Vec<_>, Vec<_>) =
            (fresh.iter()).partition(|(finding, _)| finding.rule.name == self.rule);
        if let [(finding, _)] = named.as_slice()
            && !others.iter().any(|(finding, _)| is_reported(finding))
        {
            return Some(Ok(finding.severity));
        }
        let report: Vec<_> = fresh
            .iter()
            .map(|(finding, location)| {
                let rule = finding.rule.name;
                format!(
                    "    {:?} {rule} at {location}: {}\n",
                    finding.severity, finding.message
                )
            })
            .collect();
        Some(Err(report.concat()))
    }
}

#[test]
fn each_mistake_is_found_once_in_each_dialect() {
    let correct = CORRECT.map(|(dialect, file)| {
        let mut template = Template::read(file);
        // Settings of a route would turn each mistake in its key into two.
        let is_stage = |resource: &Value| resource["Type"] == "AWS::ApiGatewayV2::Stage";
        for stage in template.find_all(is_stage).collect::<Vec<_>>() {
            template.properties(&stage).remove("RouteSettings");
        }
        let known = template.findings(None).into_iter();
        let known: Vec<_> = known
            .map(|(finding, location)| (finding.rule.id, location))
            .collect();
        (dialect, template, known)
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
        let rule = rule.unwrap_or_else(|| panic!("there is no rule {}", mistake.rule));
        let mut found = Vec::new();
        for (dialect, template, known) in &correct {
            match mistake.check(template, known) {
                None => {}
                Some(Ok(severity)) if severity == rule.severity => {
                    found.push((*dialect).to_owned())
                }
                Some(Ok(Severity::Note)) => found.push(format!("{dialect} (a note)")),
                Some(Ok(_)) => found.push(format!("{dialect} (a warning)")),
                Some(Err(report)) => {
                    let Mistake { name, rule, .. } = mistake;
                    writeln!(wrong, "{name} ({rule}) in {dialect}:\n{report}").unwrap();
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
