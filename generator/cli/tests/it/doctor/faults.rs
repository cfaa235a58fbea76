//! Faults, the findings that they produce, and the program that injects them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use zip::write::SimpleFileOptions;

use crate::common::{Run, Sandbox, root};
use crate::release::recorder::ReplayedAnswer;

/// A stack with all that the checks look at: an authorizer for anonymous callers, a table, logs, and a function that posts.
pub(super) const SPEC: &str = r#"
name: rooms

tables:
  Connections:
    partitionKey: { name: connectionId, type: S }
    indexes:
      byRoom:
        partitionKey: { name: room, type: S }
    timeToLive: ttl

functions:
  rooms:
    zip: rooms.zip
    runtime: provided.al2023
    handler: bootstrap
    architecture: x86_64
    environment: { GREETING: hello }
    tables: { Connections: [PutItem, DeleteItem] }
    manageConnections: [POST]
  guard: { zip: rooms.zip, runtime: provided.al2023, handler: bootstrap, architecture: x86_64 }

websocket:
  name: rooms-api
  stage: { name: live, accessLogs: { retentionInDays: 30 } }
  authorizer: { function: guard, callers: mixed }
  routes:
    $connect: { function: rooms }
    $disconnect: { function: rooms }
    $default: { function: rooms }
    ping: { function: rooms, twoWay: true }

verify:
  anonymous:
    send: '{"action":"ping"}'
    expect: pong

environments:
  dev: { release: live }
  prod: { release: pinned }
"#;

/// Program of both functions.
const FUNCTION: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(request)
    result = {"statusCode": 200, "body": "pong"}
    if event.get("type") == "REQUEST":
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
        result = {"principalId": "guest", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    urllib.request.urlopen(api + id + "/response", json.dumps(result).encode())
"#;

/// Returns a folder with the project.
pub(super) fn project() -> Sandbox {
    let sandbox = Sandbox::with(SPEC);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(FUNCTION.as_bytes()).unwrap();
    sandbox.write("rooms.zip", zip.finish().unwrap().into_inner());
    sandbox
}

/// A fault, and the IDs of the findings that it produces.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) local: Option<BTreeSet<String>>,
    pub(super) emulator: Option<BTreeSet<String>>,
    pub(super) pinned: Option<BTreeSet<String>>,
    /// Command of stackgen that follows.
    then: Option<String>,
    /// Script of the emulator.
    script: Option<Value>,
    /// Answer of AWS that the emulator cannot give. Nothing is broken.
    replay: Option<ReplayedAnswer>,
}

/// A running stack that is broken.
pub(super) trait BrokenStack {
    /// Runs a command on the stack.
    fn run(&self, line: &str) -> Run;

    /// Runs a command as it is.
    fn parse(&self, line: &str) -> Run;

    /// Scripts delays and failures of the emulator, or none.
    fn script(&self, script: Option<&Value>);

    /// Changes answers to the commands, or none.
    fn replay(&self, answer: Option<ReplayedAnswer>);
}

/// Returns the faults in their order.
pub(super) fn faults() -> Vec<Fault> {
    let file = root().join("generator/cli/tests/doctor/faults.json");
    let mut table: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    serde_json::from_value(table["faults"].take()).unwrap()
}

/// The program that breaks a stack and undoes it.
pub(super) struct Breaker {
    process: Child,
    stdin: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Breaker {
    pub(super) fn start(endpoint: &str, environment: &str, is_local: bool) -> Breaker {
        let python = stackgen_test_tools::installed("ministack/bin/python").unwrap();
        let mut command = Command::new(python);
        command.arg(root().join("generator/cli/tests/ministack/faults.py"));
        command
            .args([endpoint, environment])
            .args(is_local.then_some("--local"));
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut breaker = Breaker {
            stdin: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        };
        breaker.expect_ok("start");
        breaker
    }

    pub(super) fn run(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
        self.expect_ok(line);
    }

    fn expect_ok(&mut self, line: &str) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "ok", "{line}");
    }
}

impl Drop for Breaker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the IDs of the findings in the output of `--json`.
pub(super) fn finding_ids(run: &Run) -> BTreeSet<String> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let stages = report["stages"]
        .as_array()
        .unwrap_or_else(|| panic!("{run}"));
    let findings = stages
        .iter()
        .flat_map(|stage| stage["findings"].as_array().unwrap());
    findings
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Injects faults one by one. Expects the findings of each, the exit code that follows, and none when it is undone.
pub(super) fn inject_all(
    breaker: &mut Breaker,
    expected: impl Fn(&Fault) -> Option<&BTreeSet<String>>,
    stack: &impl BrokenStack,
) {
    let mut wrong = Vec::new();
    let mut check = |name: &str, run: &Run, expected: &BTreeSet<String>| {
        let found = finding_ids(run);
        if found != *expected {
            wrong.push(format!("{name}: {found:?} instead of {expected:?}"));
        }
    };
    let doctor = || stack.run("doctor --json");
    let healthy = doctor();
    check("healthy", &healthy, &BTreeSet::new());
    assert_eq!(healthy.code, Some(0), "{healthy}");
    let only = std::env::var("STACKGEN_FAULT").ok();
    for fault in faults() {
        let Some(expected) = expected(&fault) else {
            continue;
        };
        if only.as_ref().is_some_and(|only| *only != fault.name) {
            continue;
        }
        stack.script(fault.script.as_ref());
        match fault.replay {
            Some(_) => stack.replay(fault.replay.clone()),
            None => breaker.run(&format!("break {}", fault.name)),
        }
        if let Some(then) = &fault.then {
            let run = stack.run(then);
            assert_eq!(run.code, Some(0), "{}: {run}", fault.name);
        }
        let run = doctor();
        check(&fault.name, &run, expected);
        let is_wrong = run.stdout.contains("\"severity\": \"problem\"")
            || run.stdout.contains("\"severity\": \"warning\"");
        let code = if is_wrong { 3 } else { 0 };
        assert_eq!(run.code, Some(code), "{}: {run}", fault.name);
        assert_commands_parse(&run, stack);
        stack.replay(None);
        stack.script(None);
        breaker.run("undo");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Parses the commands of stackgen in the next steps, without running them.
fn assert_commands_parse(run: &Run, stack: &impl BrokenStack) {
    for step in next_steps(run) {
        let commands = step.split('`').skip(1).step_by(2);
        for command in commands.filter_map(|text| text.strip_prefix("stackgen ")) {
            let parsed = stack.parse(&format!("{command} --help"));
            assert_eq!(parsed.code, Some(0), "{command}: {parsed}");
        }
    }
}

fn next_steps(run: &Run) -> Vec<String> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let stages = report["stages"].as_array().unwrap();
    let findings = stages
        .iter()
        .flat_map(|stage| stage["findings"].as_array().unwrap());
    findings
        .map(|finding| finding["nextStep"].as_str().unwrap().to_owned())
        .collect()
}
