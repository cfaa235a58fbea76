//! Stacks that CDK and SAM deployed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::faults::finding_ids;
use crate::common::{Run, Sandbox};
use crate::release::emulator::Emulator;
use crate::running::PATIENCE;

/// Findings after a person added a route and turned AutoDeploy off in the console. ministack never deploys by itself.
const BROKEN: [&str; 5] = ["DR104", "DR204", "DR206", "DR208", "DR306"];

/// Examines the API of a tool's stack, before and after a person adds a route and turns AutoDeploy off in the console.
fn examined(tool: &'static str, healthy: &[&str], broken: &[&str]) {
    // Its functions run on Node.
    let Some(_) = stackgen_test_tools::on_path("node") else {
        return;
    };
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let sandbox = Sandbox::new();
    let id = emulator.stacks(&["create", tool]);
    let run = |line: &str| {
        let mut command = sandbox.command();
        command.args(line.split_whitespace());
        command.args([
            "--api-id",
            &id,
            "--stage-name",
            "prod",
            "--endpoint-url",
            &emulator.url(),
        ]);
        Run::of(command.env("AWS_REGION", "us-east-1").output().unwrap())
    };
    let ids = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let until = Instant::now() + PATIENCE;
    let mut first = run("doctor --json");
    // Functions are pending for a while after their creation.
    while finding_ids(&first).contains("DR302") && Instant::now() < until {
        sleep(Duration::from_millis(500));
        first = run("doctor --json");
    }
    assert_eq!(finding_ids(&first), ids(healthy), "{first}");
    emulator.stacks(&["add-route", &id]);
    emulator.stacks(&["disable-auto-deploy", &id]);
    let second = run("doctor --json");
    assert_eq!(finding_ids(&second), ids(broken), "{second}");
    assert_eq!(second.code, Some(3));
}

#[test]
fn an_api_of_cdk_is_examined_without_a_project_file() {
    examined("cdk", &["DR206"], &BROKEN);
}

#[test]
fn an_api_of_sam_is_examined_without_a_project_file() {
    examined("sam", &["DR206"], &BROKEN);
}
