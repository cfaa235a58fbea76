//! Faults in a stack that is deployed to ministack, in both release modes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::faults::{Breaker, BrokenStack, Fault, finding_ids, inject_all, project};
use crate::common::{Run, Sandbox};
use crate::release::emulator::Emulator;
use crate::release::recorder::{Recorder, ReplayedAnswer};
use crate::terminal::on_terminal;

/// A stack in an emulator.
pub(super) struct Deployed {
    pub(super) emulator: Emulator,
    sandbox: Sandbox,
    pub(super) breaker: Breaker,
    environment: &'static str,
}

impl Deployed {
    /// Deploys the stack; `None` skips the test.
    pub(super) fn new(environment: &'static str) -> Option<Deployed> {
        let emulator = Emulator::start()?;
        emulator.stacks(&["set-log-role"]);
        let sandbox = project();
        let url = emulator.url();
        let run = |line: &str| {
            let run = run_at(&sandbox, &url, line);
            assert_eq!(run.code, Some(0), "{run}");
        };
        run("bootstrap");
        run(&format!(
            "deploy --no-build --capability CAPABILITY_IAM --env {environment}"
        ));
        let breaker = Breaker::start(&url, environment, false);
        Some(Deployed {
            emulator,
            sandbox,
            breaker,
            environment,
        })
    }

    pub(super) fn run(&self, line: &str) -> Run {
        self.run_at(&self.emulator.url(), line)
    }

    pub(super) fn run_at(&self, url: &str, line: &str) -> Run {
        run_at(
            &self.sandbox,
            url,
            &format!("{line} --env {}", self.environment),
        )
    }

    /// Runs a command that takes no account.
    pub(super) fn run_offline(&self, line: &str) -> Run {
        self.sandbox
            .run(&format!("{line} --env {}", self.environment))
    }

    /// Runs a command on a terminal, and types answers.
    pub(super) fn on_terminal(&self, line: &str, answers: &str) -> Run {
        let mut command = self.sandbox.process();
        command
            .args(line.split_whitespace())
            .args([
                "--env",
                self.environment,
                "--endpoint-url",
                &self.emulator.url(),
            ])
            .env("AWS_REGION", "us-east-1");
        on_terminal(command, answers)
    }

    fn inject_all(&mut self, expected: impl Fn(&Fault) -> Option<&BTreeSet<String>>) {
        let address = self.emulator.url();
        let stack = ScriptedStack {
            emulator: &self.emulator,
            recorder: Recorder::start(address.trim_start_matches("http://").parse().unwrap()),
            sandbox: &self.sandbox,
            environment: self.environment,
        };
        inject_all(&mut self.breaker, expected, &stack);
    }
}

/// A stack in an emulator, behind a proxy that can change answers.
struct ScriptedStack<'a> {
    emulator: &'a Emulator,
    recorder: Recorder,
    sandbox: &'a Sandbox,
    environment: &'static str,
}

impl BrokenStack for ScriptedStack<'_> {
    fn run(&self, line: &str) -> Run {
        let line = format!("{line} --env {}", self.environment);
        run_at(self.sandbox, &self.recorder.url(), &line)
    }

    fn parse(&self, line: &str) -> Run {
        self.sandbox.run(line)
    }

    fn script(&self, script: Option<&Value>) {
        match script {
            Some(script) => self.emulator.fail(script.clone()),
            None => self.emulator.fail_nothing(),
        }
    }

    fn replay(&self, answer: Option<ReplayedAnswer>) {
        self.recorder.replay(answer);
    }
}

fn run_at(sandbox: &Sandbox, url: &str, line: &str) -> Run {
    let mut command = sandbox.command();
    command
        .args(line.split_whitespace())
        .args(["--endpoint-url", url]);
    Run::of(command.env("AWS_REGION", "us-east-1").output().unwrap())
}

#[test]
fn every_fault_of_a_deployed_stack_is_found_and_a_healthy_one_has_no_findings() {
    if let Some(mut deployed) = Deployed::new("dev") {
        deployed.inject_all(|fault| fault.emulator.as_ref());
    }
}

#[test]
fn every_fault_of_a_pinned_stack_is_found_and_a_healthy_one_has_no_findings() {
    if let Some(mut deployed) = Deployed::new("prod") {
        deployed.inject_all(|fault| fault.pinned.as_ref());
    }
}

#[test]
fn each_metric_with_errors_is_a_finding() {
    let Some(mut deployed) = Deployed::new("dev") else {
        return;
    };
    let mut expected = BTreeSet::new();
    for (fault, id) in [
        ("integration-errors", "DR601"),
        ("execution-errors", "DR602"),
        ("client-errors", "DR603"),
        ("function-throttles", "DR604"),
        ("function-errors", "DR605"),
    ] {
        deployed.breaker.run(&format!("break {fault}"));
        expected.insert(id.to_owned());
        assert_eq!(
            finding_ids(&deployed.run("doctor --json")),
            expected,
            "{fault}"
        );
    }
}

#[test]
fn a_stack_that_rolled_back_is_found_with_its_first_cause() {
    let Some(deployed) = Deployed::new("dev") else {
        return;
    };
    deployed.emulator.fail(json!([
        {"resource": "RoomsFunction", "on": "update", "times": 1, "reason": "the role is not ready"}
    ]));
    let spec = deployed
        .sandbox
        .read("stackgen.yaml")
        .replace("GREETING: hello", "GREETING: bye");
    deployed.sandbox.write("stackgen.yaml", spec);
    let failed = deployed.run("deploy --no-build --capability CAPABILITY_IAM");
    assert_eq!(failed.code, Some(1), "{failed}");
    // Lambda takes a moment to restore the function.
    let mut runs = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(200));
        deployed.run("doctor --json")
    });
    let run = runs
        .by_ref()
        .take(50)
        .find(|run| !finding_ids(run).contains("DR302"));
    let run = run.expect("the function is ready in the end");
    // The template that was not deployed has another value.
    let expected = ["DR309", "DR701"].map(str::to_owned);
    assert_eq!(finding_ids(&run), expected.into(), "{run}");
    assert!(
        run.stdout.contains(
            "RoomsFunction (AWS::Lambda::Function): UPDATE_FAILED: the role is not ready"
        ),
        "{run}"
    );
    assert_eq!(run.code, Some(3));
}

#[test]
fn functions_that_run_other_code_than_the_built_one_are_found() {
    let Some(deployed) = Deployed::new("prod") else {
        return;
    };
    deployed.sandbox.write("rooms.zip", "PK\u{5}\u{6}another");
    let run = deployed.run("doctor --json");
    assert_eq!(finding_ids(&run), ["DR303".to_owned()].into(), "{run}");
}
