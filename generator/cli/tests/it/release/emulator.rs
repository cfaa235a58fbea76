//! ministack, an emulator of AWS that is not ours, with the additions in `tests/ministack`.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::root;

/// A running emulator. Dropping it ends it with all functions.
pub(crate) struct Emulator {
    process: Child,
    /// The emulator ends when this is closed.
    _stdin: Option<ChildStdin>,
    port: u16,
    scratch: TempDir,
}

impl Emulator {
    /// Starts an emulator; `None` skips the test.
    pub(crate) fn start() -> Option<Emulator> {
        Emulator::start_with_delay("0")
    }

    /// Starts an emulator that takes some seconds for every change to a resource; `None` skips the test.
    pub(crate) fn start_with_delay(seconds: &str) -> Option<Emulator> {
        let python = stackgen_test_tools::installed("ministack/bin/python")?;
        let scratch = tempfile::tempdir().unwrap();
        let launcher = root().join("generator/cli/tests/ministack/launch.py");
        let mut process = Command::new(python)
            .arg(launcher)
            .arg("--failures")
            .arg(scratch.path().join("failures.json"))
            .env("STACKGEN_RESOURCE_DELAY", seconds)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        // The pipe must not fill up.
        std::thread::spawn(move || drop(stdout.read_to_end(&mut Vec::new())));
        Some(Emulator {
            _stdin: process.stdin.take(),
            process,
            port: ready["port"].as_u64().unwrap().try_into().unwrap(),
            scratch,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes operations on resources fail: `[{"resource": …, "on": …, "times": …, "reason": …}]`.
    pub(crate) fn fail(&self, script: Value) {
        let (new, file) = (
            self.scratch_file("new.json"),
            self.scratch_file("failures.json"),
        );
        std::fs::write(&new, script.to_string()).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// Runs `stacks.py`, which deploys and changes APIs as other tools do. Returns what it prints.
    pub(crate) fn stacks(&self, arguments: &[&str]) -> String {
        self.script("stacks.py", arguments, "")
    }

    /// Runs `logs.py`, which creates an API with logs and fills them. Returns what it prints.
    pub(crate) fn logs(&self, arguments: &[&str], input: &str) -> String {
        self.script("logs.py", arguments, input)
    }

    fn script(&self, name: &str, arguments: &[&str], input: &str) -> String {
        let python = stackgen_test_tools::installed("ministack/bin/python").unwrap();
        let script = root().join("generator/cli/tests/ministack").join(name);
        let mut command = Command::new(python);
        command.arg(script).arg(self.url()).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = process.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn fail_nothing(&self) {
        self.fail(json!([]));
    }

    fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}
