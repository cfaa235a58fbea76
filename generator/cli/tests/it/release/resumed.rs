//! Runs that follow the operation of an earlier run, which was ended while CloudFormation worked.

use std::time::{Duration, Instant};

use serde_json::json;

use super::emulator::Emulator;
use super::project::Project;
use super::recorder::Recorder;
use super::{assert_done, assert_failed};

const DEPLOY: &str = "deploy --no-build --capability CAPABILITY_IAM";

/// Time for a deploy to get to a call on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);

/// Starts a deploy, and ends it by SIGKILL once CloudFormation executes its change set.
fn end_during_operation(project: &Project, recorder: &Recorder) {
    recorder.take_calls();
    let mut process = project.start(DEPLOY);
    let started = Instant::now();
    let is_executed = || {
        let calls = recorder.take_calls();
        let mut calls = calls.iter().map(|call| &call.body);
        calls.any(|body| body.contains("Action=ExecuteChangeSet"))
    };
    while !is_executed() {
        assert!(started.elapsed() < LONGEST, "nothing is executed");
        std::thread::sleep(Duration::from_millis(10));
    }
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn a_resumed_run_names_the_first_cause_and_its_line() {
    let Some(emulator) = Emulator::start_with_delay("0.5") else {
        return;
    };
    let mut project = Project::new(&emulator, "dev");
    assert_done(&project.run_as("bootstrap"));
    let address = emulator.url().trim_start_matches("http://").parse();
    let recorder = Recorder::start(address.unwrap());
    project.use_endpoint(recorder.url());
    for on in ["create", "update"] {
        emulator.fail(json!([
            {"resource": "RoomsFunction", "on": on, "times": 1, "reason": "the role is not ready"}
        ]));
        project.set_code(on, true);
        end_during_operation(&project, &recorder);
        let resumed = project.run(DEPLOY);
        let cause = "RoomsFunction (AWS::Lambda::Function)";
        let place = "RoomsFunction comes from stackgen.yaml:5:3";
        assert_failed(&resumed, [cause, "the role is not ready", place]);
        assert!(
            resumed.stderr.contains("the update of an earlier run"),
            "{resumed}"
        );
        emulator.fail_nothing();
        assert_done(&project.run(DEPLOY));
    }
}
