//! Runs of the binary with limits, and what they used.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use wait4::Wait4;

use crate::common::Sandbox;

/// The CPU time that a command may use, also in builds without optimisation. The system ends it then.
pub(crate) const CPU_LIMIT: Duration = Duration::from_secs(20);

/// Time limit of a command, after which it is killed. It is long, because on a busy machine a second of
/// CPU time may take minutes.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(600);

/// The address space of a process, in bytes. One that asks for more is aborted before the machine runs out of memory.
const ADDRESS_SPACE: u64 = 4 << 30;

/// The largest file that a process may write, its output included, in bytes.
const FILE_SIZE: u64 = 256 << 20;

/// Interval between polls of a process.
const INTERVAL: Duration = Duration::from_millis(2);

/// Text that `stackgen dev --json` prints once it serves.
const READY: &str = r#"{"event":"ready""#;

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) is_killed: bool,
    /// True for a gateway that served and then got SIGTERM.
    pub(crate) was_ready: bool,
    /// From start to end.
    pub(crate) time: Duration,
    /// CPU time, of user and system.
    pub(crate) cpu: Duration,
    /// The peak resident set, in bytes. Linux also counts what the parent had when it started the process, so that no value is
    /// below that.
    pub(crate) memory: u64,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// Files outside of its folder and processes that the run left behind.
    pub(crate) left: Vec<String>,
}

/// Runs the binary in the folder `work` of a sandbox until it ends, or, if it is a gateway, ends it once it serves.
pub(crate) fn run(sandbox: &Sandbox, arguments: &[String]) -> Run {
    let at = |name: &str| sandbox.path().join(name);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .args(arguments)
        .current_dir(at("work"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", at("tmp"))
        .stdin(Stdio::null())
        .stdout(File::create(at("stdout")).unwrap())
        .stderr(File::create(at("stderr")).unwrap())
        .spawn()
        .unwrap();
    let id = limit(&child);
    let is_gateway = arguments[0] == "dev";
    let start = Instant::now();
    let (mut is_killed, mut was_ready) = (false, false);
    let used = loop {
        if let Some(used) = child.try_wait4().unwrap() {
            break used;
        }
        if !was_ready && is_gateway && is_ready(&at("stdout")) {
            was_ready = true;
            kill_process(id, Signal::TERM).unwrap();
        }
        if !is_killed && start.elapsed() > TIME_LIMIT {
            is_killed = true;
            kill_process(id, Signal::KILL).unwrap();
        }
        thread::sleep(INTERVAL);
    };
    Run {
        status: used.status,
        is_killed,
        was_ready,
        time: start.elapsed(),
        cpu: used.rusage.utime + used.rusage.stime,
        memory: used.rusage.maxrss,
        stdout: fs::read(at("stdout")).unwrap(),
        stderr: fs::read(at("stderr")).unwrap(),
        left: left(sandbox, is_gateway),
    }
}

/// Sets the limits of a process, and returns its id.
fn limit(child: &Child) -> Pid {
    let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    for (resource, most) in [
        (Resource::Cpu, CPU_LIMIT.as_secs()),
        (Resource::As, ADDRESS_SPACE),
        (Resource::Fsize, FILE_SIZE),
        // A crash is a finding; its memory is not needed.
        (Resource::Core, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        // One that has ended already needs none.
        let _ = prlimit(Some(id), resource, limit);
    }
    id
}

fn is_ready(stdout: &Path) -> bool {
    let text = fs::read(stdout).unwrap();
    String::from_utf8_lossy(&text).contains(READY)
}

/// The files that a run left outside of its folder, and of a gateway, the processes.
fn left(sandbox: &Sandbox, is_gateway: bool) -> Vec<String> {
    let files = sandbox.files().into_iter();
    let mut left: Vec<String> = files
        .filter(|name| !name.starts_with("work/") && name != "stdout" && name != "stderr")
        .collect();
    if is_gateway {
        let processes = processes_left(sandbox).into_iter();
        left.extend(processes.map(|id| format!("process {id}")));
    }
    left
}

/// The processes that have this sandbox in their environment, if they do not end soon.
fn processes_left(sandbox: &Sandbox) -> Vec<u32> {
    let mark = format!("TMPDIR={}", sandbox.path().join("tmp").display());
    let start = Instant::now();
    // The watcher of a gateway ends a moment after it.
    loop {
        let processes = processes_with(mark.as_bytes());
        if processes.is_empty() || start.elapsed() > TIME_LIMIT {
            return processes;
        }
        thread::sleep(INTERVAL);
    }
}

fn processes_with(mark: &[u8]) -> Vec<u32> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse().ok()
    });
    let has_mark = |id: &u32| {
        let variables = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|one| one == mark)
    };
    ids.filter(has_mark).collect()
}
