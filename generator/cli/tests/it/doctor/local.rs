//! Faults in a stack that `stackgen dev` runs.

use serde_json::Value;

use super::faults::{Breaker, inject_all, project};
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

#[test]
fn every_fault_of_a_local_stack_is_found_and_a_healthy_one_has_no_findings() {
    let Some((dev, mut breaker)) = started("dev") else {
        return;
    };
    inject_all(
        &mut breaker,
        |fault| fault.local.as_ref(),
        || dev.sandbox.run("doctor --local --json"),
    );
}

#[test]
fn a_healthy_local_stack_of_a_pinned_environment_has_no_findings() {
    let Some((dev, mut breaker)) = started("prod") else {
        return;
    };
    let doctor = || dev.sandbox.run("doctor --local --json");
    inject_all(&mut breaker, |_| None, doctor);
    // The gateway has no such services. Rights of roles come from its simulation.
    let run = doctor();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let unread = report["stages"][0]["unread"].as_array().unwrap();
    let unread: Vec<_> = unread
        .iter()
        .map(|one| one["part"].as_str().unwrap())
        .collect();
    assert_eq!(unread, ["logRole", "metrics", "stack"], "{run}");
}
