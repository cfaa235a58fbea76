//! A project that is deployed to the emulator.

use std::io::{Cursor, Write};
use std::process::Stdio;

use assert_cmd::Command;
use zip::write::SimpleFileOptions;

use super::emulator::Emulator;
use crate::common::{Run, Sandbox};

/// A WebSocket API whose function is a zip file with a Python program. `dev` is live, `prod` is pinned.
const SPEC: &str = r#"
name: rooms

functions:
  rooms: { zip: rooms.zip, runtime: provided.al2023, handler: bootstrap, architecture: x86_64 }

websocket:
  name: rooms-api
  stage: { name: live }
  routes:
    $connect: { function: rooms }
    ping: { function: rooms, twoWay: true }

verify:
  anonymous:
    send: '{"action":"ping"}'
    expect: pong

environments:
  dev: {}
  prod: {}
"#;

/// Answers as an authorizer, as an HTTP API's function, and every message with `ANSWER`. `CONNECTS` decides whether handshakes
/// and requests succeed.
const FUNCTION: &str = r#"#!/usr/bin/env python3
# LABEL
import json, os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(request)
    result = {"statusCode": 200, "body": "ANSWER"}
    if event.get("type") == "REQUEST":
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
        result = {"principalId": "guest", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    connects = event["requestContext"].get("eventType", "CONNECT") != "CONNECT" or CONNECTS
    path = "/response"
    if not connects:
        path, result = "/error", {"errorMessage": "broken", "errorType": "Exception"}
    urllib.request.urlopen(api + id + path, json.dumps(result).encode())
"#;

pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
    url: String,
    environment: &'static str,
    /// Zip files of the functions.
    zip_files: Vec<String>,
}

impl Project {
    pub(crate) fn new(emulator: &Emulator, environment: &'static str) -> Project {
        let zip_files = vec!["rooms.zip".to_owned()];
        Project::with(Sandbox::with(SPEC), zip_files, emulator, environment)
    }

    /// Creates the project of a starter, with this program in place of its binaries.
    pub(crate) fn starter(
        name: &str,
        binaries: &[&str],
        emulator: &Emulator,
        environment: &'static str,
    ) -> Project {
        let zip_file = |binary: &&str| format!("target/lambda/{binary}/bootstrap.zip");
        let zip_files = binaries.iter().map(zip_file).collect();
        Project::with(Sandbox::starter(name), zip_files, emulator, environment)
    }

    fn with(
        sandbox: Sandbox,
        zip_files: Vec<String>,
        emulator: &Emulator,
        environment: &'static str,
    ) -> Project {
        let project = Project {
            sandbox,
            url: emulator.url(),
            environment,
            zip_files,
        };
        project.set_code("first", true);
        project
    }

    /// Replaces the code of the functions.
    pub(crate) fn set_code(&self, label: &str, connects: bool) {
        self.write_code(label, connects, "pong");
    }

    /// Replaces the code of the functions by one that answers otherwise, and expects that answer of a release.
    pub(crate) fn set_answer(&self, answer: &str) {
        self.write_code(answer, true, answer);
        let spec = self.sandbox.read("stackgen.yaml");
        let expects = |line: &&str| line.trim_start().starts_with("expect: ");
        let expected = spec.lines().find(expects).unwrap();
        self.edit(expected, &format!("    expect: {answer}"));
    }

    fn write_code(&self, label: &str, connects: bool, answer: &str) {
        let connects = if connects { "True" } else { "False" };
        let program = FUNCTION
            .replace("LABEL", label)
            .replace("ANSWER", answer)
            .replace("CONNECTS", connects);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", options).unwrap();
        zip.write_all(program.as_bytes()).unwrap();
        let zip = zip.finish().unwrap().into_inner();
        for file in &self.zip_files {
            self.sandbox.write(file, &zip);
        }
    }

    /// Calls another endpoint from now on.
    pub(crate) fn use_endpoint(&mut self, url: String) {
        self.url = url;
    }

    /// Replaces a text of stackgen.yaml.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let spec = self.sandbox.read("stackgen.yaml");
        assert!(spec.contains(from), "{spec}");
        self.sandbox
            .write("stackgen.yaml", spec.replacen(from, to, 1));
    }

    /// Runs a command for the environment.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_as(&format!("{line} --env {}", self.environment))
    }

    /// Runs a command without `--env`.
    pub(crate) fn run_as(&self, line: &str) -> Run {
        let mut command = self.command(line);
        Run::of(command.env("AWS_REGION", "us-east-1").output().unwrap())
    }

    /// Runs a command for the environment, with further variables.
    pub(crate) fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.command(&format!("{line} --env {}", self.environment));
        command
            .env("AWS_REGION", "us-east-1")
            .envs(variables.iter().copied());
        Run::of(command.output().unwrap())
    }

    /// Runs a command without a region in its environment.
    pub(crate) fn run_anywhere(&self, line: &str) -> Run {
        Run::of(self.command(line).output().unwrap())
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.sandbox.command();
        let arguments = line.split_whitespace();
        command.args(arguments).args(["--endpoint-url", &self.url]);
        command
    }

    /// Starts a command for the environment, without waiting for its end.
    pub(crate) fn start(&self, line: &str) -> std::process::Child {
        let mut command = self.sandbox.process();
        command
            .env("AWS_REGION", "us-east-1")
            .args(line.split_whitespace())
            .args(["--env", self.environment])
            .args(["--endpoint-url", &self.url])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Deploys, with consent to IAM roles.
    pub(crate) fn deploy(&self, flags: &str) -> Run {
        self.run(&format!(
            "deploy --no-build --capability CAPABILITY_IAM {flags}"
        ))
    }
}
