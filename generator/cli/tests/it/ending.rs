//! Ends of `stackgen dev`: processes, files and connections that must not remain.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::{Run, Sandbox};
use crate::limits::TEMPLATE;
use crate::running::{Dev, PATIENCE};

/// Function that starts a child, one in its own session, one that ignores signals, one with an empty environment, and one
/// whose parent has ended. Then it answers every message.
const FUNCTION: &str = r#"#!/usr/bin/env python3
import json, os, subprocess, time, urllib.request

started = [
    subprocess.Popen(["sleep", "3600"]),
    subprocess.Popen(["sleep", "3600"], start_new_session=True),
    subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; sleep 3600; sleep 3600"], start_new_session=True),
    subprocess.Popen(["env", "-i", "sleep", "3600"], start_new_session=True),
]
ids = [os.getpid()] + [child.pid for child in started]
orphan = "setsid sleep 3600 >/dev/null 2>&1 & echo $!"
ids.append(int(subprocess.run(["sh", "-c", orphan], stdout=subprocess.PIPE, check=True).stdout))
with open(os.environ["GONE"] + ".new", "w") as file:
    file.write(" ".join(map(str, ids)))
os.rename(os.environ["GONE"] + ".new", os.environ["GONE"])
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(request)
    if event.get("body") == "exit":
        os._exit(1)
    while event["requestContext"]["eventType"] == "DISCONNECT" and os.path.exists(os.environ["STUCK"]):
        time.sleep(0.01)
    answer = {"statusCode": 200, "body": "done-" + event.get("body", "")}
    urllib.request.urlopen(api + id + "/response", json.dumps(answer).encode())
"#;

/// File in which the function lists the processes.
const PROCESSES: &str = "gone";

/// Index of the process with an empty environment: after its parent's end, nothing shows where it belongs.
const UNKNOWN: usize = 4;

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("code/bootstrap", FUNCTION);
    let program = sandbox.path().join("code/bootstrap");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = sandbox.path().display().to_string();
    let template = TEMPLATE.replace("FOLDER", &folder);
    sandbox.write(
        "template.yaml",
        template.replace("Timeout: 2", "Timeout: 900"),
    );
    fs::create_dir(sandbox.path().join("tmp")).unwrap();
    sandbox
}

/// A gateway with a connected client, whose function has run.
struct Busy {
    dev: Dev,
    client: Child,
    processes: Vec<u32>,
}

impl Busy {
    fn start(sandbox: Sandbox) -> Busy {
        let temporary = sandbox.path().join("tmp");
        let arguments = ["template.yaml", "--json", "--no-watch"];
        let mut dev = Dev::spawn(sandbox, &arguments, &[("TMPDIR", &temporary)]);
        dev.ready = dev.event("ready");
        let client = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
            .args(["probe", dev.url(), "--send", "hello", "--hold", "1h"])
            .args(["--expect-close", "1012"])
            .current_dir(dev.sandbox.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        dev.event("message");
        let processes = processes(&dev.sandbox);
        assert_eq!(processes.len(), 6, "{processes:?}");
        for id in &processes {
            assert!(runs(*id), "{id} does not run");
        }
        assert!(!copies(&dev.sandbox).is_empty());
        Busy {
            dev,
            client,
            processes,
        }
    }

    fn signal(&self, signal: Signal) {
        self.dev.signal(signal);
    }

    /// Waits for the gateway's end. Returns its exit code, the client's end, and the folder.
    fn ended(mut self) -> (Option<i32>, Run, Sandbox) {
        let code = self.dev.ended();
        let client = Run::of(self.client.wait_with_output().unwrap());
        (code, client, self.dev.into_sandbox())
    }
}

fn processes(sandbox: &Sandbox) -> Vec<u32> {
    let ids = sandbox.read(PROCESSES);
    ids.split(' ').map(|id| id.parse().unwrap()).collect()
}

/// Returns true if a process runs. Zombies do not.
pub(crate) fn runs(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = status.rsplit_once(") ").map(|(_, rest)| rest);
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

fn kill(id: u32) {
    let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    kill_process(id, Signal::KILL).unwrap();
}

/// Returns the gateway's copies of code.
fn copies(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.path().join("tmp")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn has_word_of_it(sandbox: &Sandbox) -> bool {
    sandbox.path().join(".stackgen/gateway.json").exists()
}

/// Waits until a condition is true.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn assert_nothing_is_left(processes: &[u32], sandbox: &Sandbox) {
    let left: Vec<_> = processes.iter().filter(|id| runs(**id)).collect();
    assert!(left.is_empty(), "{left:?} of {processes:?} run on");
    assert_eq!(copies(sandbox), Vec::<PathBuf>::new());
    assert!(!has_word_of_it(sandbox));
}

#[test]
fn a_signal_closes_connections_and_leaves_nothing() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let busy = Busy::start(project());
        let processes = busy.processes.clone();
        busy.signal(signal);
        let (code, client, sandbox) = busy.ended();
        assert_eq!(code, Some(0), "{signal:?}");
        assert_eq!(client.code, Some(0), "{signal:?}: {client}");
        assert_nothing_is_left(&processes, &sandbox);
    }
}

#[test]
fn a_second_signal_at_once_still_closes_connections_and_leaves_nothing() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let sandbox = project();
        // Its `$disconnect` function does not end.
        sandbox.write("stuck", "");
        let busy = Busy::start(sandbox);
        let processes = busy.processes.clone();
        until("it goes on", || {
            busy.dev.signal(signal);
            !runs(busy.dev.id())
        });
        let (ended, client, sandbox) = busy.ended();
        assert_eq!(ended, Some(code), "{signal:?}");
        assert_eq!(client.code, Some(0), "{signal:?}: {client}");
        assert_nothing_is_left(&processes, &sandbox);
    }
}

#[test]
fn a_killed_gateway_leaves_no_process_and_no_file() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    for signal in [Signal::KILL, Signal::ABORT] {
        let busy = Busy::start(project());
        let mut processes = busy.processes.clone();
        // The watcher finds it only if the function ends later.
        let unknown = processes.remove(UNKNOWN);
        busy.signal(signal);
        let (code, client, sandbox) = busy.ended();
        assert_eq!(code, None, "{signal:?}");
        // The TCP connection was lost.
        assert_eq!(client.code, Some(3), "{signal:?}: {client}");
        until("something is left", || {
            let clean = copies(&sandbox).is_empty() && !has_word_of_it(&sandbox);
            clean && processes.iter().all(|id| !runs(*id))
        });
        if runs(unknown) {
            kill(unknown);
        }
    }
}

#[test]
fn the_next_start_cleans_up_after_a_gateway_whose_watcher_was_killed_too() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let busy = Busy::start(project());
    let mut processes = busy.processes.clone();
    busy.dev.watchers().into_iter().for_each(kill);
    busy.signal(Signal::KILL);
    let (_, _, sandbox) = busy.ended();
    // The function ends when its gateway is gone. The processes that it started continue.
    until("the function runs on", || !runs(processes[0]));
    let unknown = processes.remove(UNKNOWN);
    kill(unknown);
    processes.remove(0);
    assert!(processes.iter().all(|id| runs(*id)), "{processes:?}");
    let left = copies(&sandbox);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(has_word_of_it(&sandbox));

    fs::remove_file(sandbox.path().join(PROCESSES)).unwrap();
    let busy = Busy::start(sandbox);
    until("something is left", || {
        !left[0].exists() && processes.iter().all(|id| !runs(*id))
    });
    // Processes that the gateway itself started continue.
    let own = busy.processes.clone();
    assert!(own.iter().all(|id| runs(*id)), "{own:?}");
    busy.signal(Signal::TERM);
    let (code, _, sandbox) = busy.ended();
    assert_eq!(code, Some(0));
    assert_nothing_is_left(&own, &sandbox);
}

#[test]
fn processes_that_a_function_started_end_with_it() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let busy = Busy::start(project());
    let mut first = busy.processes.clone();
    let unknown = first.remove(UNKNOWN);
    fs::remove_file(busy.dev.sandbox.path().join(PROCESSES)).unwrap();
    busy.dev.answers("exit", "Internal server error");
    until("something is left", || first.iter().all(|id| !runs(*id)));
    busy.signal(Signal::INT);
    assert_eq!(busy.ended().0, Some(0));
    kill(unknown);
}

#[test]
fn dev_ends_when_the_reader_of_its_output_is_gone() {
    let sandbox = project();
    for json in [&[][..], &["--json"]] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
            .args(["dev", "template.yaml", "--port", "0", "--no-watch"])
            .args(json)
            .current_dir(sandbox.path())
            .env("TMPDIR", sandbox.path().join("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut String::new()).unwrap();
        assert!(has_word_of_it(&sandbox));
        drop(reader);
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
        assert_nothing_is_left(&[], &sandbox);
    }
}

#[test]
fn a_failed_write_of_output_ends_dev_with_an_error() {
    let sandbox = project();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .args(["dev", "template.yaml", "--port", "0", "--json"])
        .current_dir(sandbox.path())
        .env("TMPDIR", sandbox.path().join("tmp"))
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .unwrap();
    let run = Run::of(output);
    assert_eq!(run.code, Some(1), "{run}");
    let error = "error: cannot write to standard output: no space left on device\n";
    assert_eq!(run.stderr, error);
    assert_nothing_is_left(&[], &sandbox);
}
