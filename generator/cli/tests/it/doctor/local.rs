//! Faults in a stack that `stackgen dev` runs.

use std::collections::BTreeSet;

use serde_json::Value;
use stackgen_diagnose::doctor::SYMPTOMS;

use super::faults::{Breaker, BrokenStack, inject_all, project};
use crate::common::Run;
use crate::release::recorder::ReplayedAnswer;
use crate::running::Dev;

/// Starts the stack; `None` skips the test.
pub(super) fn started(environment: &str) -> Option<(Dev, Breaker)> {
    stackgen_test_tools::installed("ministack/bin/python")?;
    let mut dev = Dev::spawn(
        project(),
        &["--json", "--no-build", "--env", environment],
        &[],
    );
    dev.ready = dev.event("ready");
    let endpoint = dev.ready["gateway"]["endpoint"]
        .as_str()
        .unwrap()
        .to_owned();
    let breaker = Breaker::start(&endpoint, environment, true);
    Some((dev, breaker))
}

impl BrokenStack for Dev {
    fn run(&self, line: &str) -> Run {
        self.sandbox.run(&format!("{line} --local"))
    }

    fn parse(&self, line: &str) -> Run {
        self.sandbox.run(line)
    }

    fn script(&self, script: Option<&Value>) {
        assert_eq!(script, None, "the local gateway has no scripts");
    }

    fn replay(&self, answer: Option<ReplayedAnswer>) {
        assert!(
            answer.is_none(),
            "commands find the local gateway themselves"
        );
    }
}

#[test]
fn every_fault_of_a_local_stack_is_found_and_a_healthy_one_has_no_findings() {
    let Some((dev, mut breaker)) = started("dev") else {
        return;
    };
    inject_all(&mut breaker, |fault| fault.local.as_ref(), &dev);
}

#[test]
fn a_healthy_local_stack_of_a_pinned_environment_has_no_findings() {
    let Some((dev, mut breaker)) = started("prod") else {
        return;
    };
    inject_all(&mut breaker, |_| None, &dev);
    // The gateway has no such services. Rights of roles come from its simulation.
    let run = dev.sandbox.run("doctor --local --json");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let unread = report["stages"][0]["unread"].as_array().unwrap();
    let unread: Vec<_> = unread
        .iter()
        .map(|one| one["part"].as_str().unwrap())
        .collect();
    assert_eq!(unread, ["logRole", "metrics", "stack"], "{run}");
}

#[test]
fn a_symptom_reads_all_that_its_checks_need() {
    let Some((dev, _breaker)) = started("dev") else {
        return;
    };
    let unread = |run: &Run| -> BTreeSet<String> {
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let checks = report["stages"][0]["incomplete"].as_array().unwrap();
        let unread = checks.iter().filter(|check| check["unread"].is_array());
        let ids = unread.map(|check| check["id"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let all = dev.run("doctor --json");
    for symptom in &SYMPTOMS {
        let mut command = dev.sandbox.process();
        command.args(["doctor", "--local", "--json", "--symptom", symptom.name]);
        let run = Run::of(command.output().unwrap());
        let mut expected = unread(&all);
        expected.retain(|id| symptom.checks.contains(&id.as_str()));
        assert_eq!(unread(&run), expected, "{}: {run}", symptom.name);
    }
}
