//! Faults in a stack that `stackgen dev` runs.

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
    inject_all(
        &mut breaker,
        |_| None,
        || dev.sandbox.run("doctor --local --json"),
    );
}
