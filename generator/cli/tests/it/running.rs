//! Processes of `stackgen dev`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::{Run, Sandbox, building, root, stackgen, target};

/// Longest wait of a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Builds the function of the starter `echo` once, outside of the target folder, where other tests would replace it.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let _building = building();
        let status = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet", "--workspace"])
            .args(["--bin", "echo"])
            .current_dir(root())
            .env("CARGO_TARGET_DIR", target())
            .status()
            .unwrap();
        assert!(status.success());
        let echo = Path::new(env!("CARGO_TARGET_TMPDIR")).join("echo");
        fs::copy(target().join("debug/echo"), &echo).unwrap();
        echo
    })
}

/// Copies the function of the starter `echo` to where a project's cargo would write it.
pub(crate) fn place_echo(sandbox: &Sandbox) {
    let debug = sandbox.path().join("target/debug");
    fs::create_dir_all(&debug).unwrap();
    fs::copy(built(), debug.join("echo")).unwrap();
}

/// A running `stackgen dev`.
pub(crate) struct Dev {
    pub(crate) sandbox: Sandbox,
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    /// The `ready` event, with `--json`.
    pub(crate) ready: Value,
}

impl Dev {
    /// Starts in a folder with the starter `echo`, and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let sandbox = Sandbox::starter("echo");
        place_echo(&sandbox);
        let all = [&["--json", "--no-build"], arguments].concat();
        let mut dev = Dev::spawn(sandbox, &all, &[]);
        dev.ready = dev.event("ready");
        dev
    }

    /// Starts with a template, and waits until it is ready.
    pub(crate) fn of_template(sandbox: Sandbox, arguments: &[&str]) -> Self {
        let all = [&["template.yaml", "--json"], arguments].concat();
        let mut dev = Dev::spawn(sandbox, &all, &[]);
        dev.ready = dev.event("ready");
        dev
    }

    /// Starts with free ports, unless one is given, and with a minimal environment.
    pub(crate) fn spawn(sandbox: Sandbox, arguments: &[&str], more: &[(&str, &Path)]) -> Self {
        let mut child = stackgen()
            .current_dir(sandbox.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(more.iter().copied())
            .arg("dev")
            .args(match arguments.contains(&"--port") {
                true => &[][..],
                false => &["--port", "0"],
            })
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let errors = printed_lines(child.stderr.take().unwrap());
        Dev {
            sandbox,
            child,
            lines,
            errors,
            ready: Value::Null,
        }
    }

    /// Waits for the next event of a kind.
    pub(crate) fn event(&self, kind: &str) -> Value {
        loop {
            let line = self.next_line(kind);
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Waits for the next line that contains a text.
    pub(crate) fn line(&self, has: &str) -> String {
        loop {
            let line = self.next_line(has);
            if line.contains(has) {
                return line;
            }
        }
    }

    fn next_line(&self, waits_for: &str) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        line.unwrap_or_else(|_| panic!("no {waits_for}"))
    }

    /// Waits for the next line on stderr that contains a text.
    pub(crate) fn error(&self, has: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {has} on stderr"));
            if line.contains(has) {
                return line;
            }
        }
    }

    /// URL of the WebSocket API in the banner.
    pub(crate) fn printed_url(&self) -> String {
        let line = self.line("ws://127.0.0.1:");
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("ws://"));
        self.line("Ctrl-C ends it");
        url.unwrap().to_owned()
    }

    pub(crate) fn url(&self) -> &str {
        let stage = &self.ready["gateway"]["apis"][0]["stages"][0];
        stage["url"].as_str().unwrap()
    }

    /// Returns the answer to a message, by `stackgen probe`.
    pub(crate) fn answers(&self, send: &str, expect: &str) {
        self.answers_at(self.url(), send, expect);
    }

    pub(crate) fn answers_at(&self, url: &str, send: &str, expect: &str) {
        let probe = self
            .sandbox
            .command()
            .args(["probe", url, "--send", send, "--expect", expect])
            .output()
            .unwrap();
        let probe = Run::of(probe);
        assert_eq!(probe.code, Some(0), "{probe}");
    }

    /// Returns the processes of its functions.
    pub(crate) fn functions(&self) -> Vec<u32> {
        let is_function = |id: &u32| {
            let variables = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            String::from_utf8_lossy(&variables).contains("AWS_LAMBDA_RUNTIME_API=")
        };
        self.children().into_iter().filter(is_function).collect()
    }

    /// Returns the watcher processes.
    pub(crate) fn watchers(&self) -> Vec<u32> {
        let functions = self.functions();
        let mut others = self.children();
        others.retain(|id| !functions.contains(id));
        others
    }

    fn children(&self) -> Vec<u32> {
        let threads = format!("/proc/{}/task", self.child.id());
        let children = fs::read_dir(threads).unwrap().flat_map(|thread| {
            let children = thread.unwrap().path().join("children");
            let children = fs::read_to_string(children).unwrap_or_default();
            let children = children.split_whitespace();
            children.map(|id| id.parse().unwrap()).collect::<Vec<u32>>()
        });
        children.collect()
    }

    /// Waits for the process to exit, and returns the folder.
    pub(crate) fn into_sandbox(mut self) -> Sandbox {
        std::mem::replace(&mut self.sandbox, Sandbox::new())
    }

    /// Returns the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGINT.
    pub(crate) fn interrupt(&self) {
        interrupt(&self.child);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Waits for the process to exit, and returns its exit code; `None` if a signal ended it.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// Ends the gateway if a test fails.
impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends SIGINT to a process.
pub(crate) fn interrupt(child: &Child) {
    let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
}

/// Returns the lines of a stream as they arrive.
pub(crate) fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Returns the lines of a stream as they arrive, and prints them if the test fails.
#[allow(
    clippy::print_stderr,
    reason = "the output helps to debug a failed test"
)]
fn printed_lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, all) = channel();
    let lines = lines(stream);
    thread::spawn(move || {
        for line in lines {
            eprintln!("{line}");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    all
}
