//! Processes that functions leave behind: found by a variable that they inherit, and killed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process};

/// Variable of every process of a function. Its value begins with the name of the gateway's code store, and a number
/// names the environment: `stackgen-code-x7Gp2a/12/`.
pub(super) const MARK: &str = "_STACKGEN_GATEWAY";

/// How often processes are looked for again, since one that is about to be killed may start others.
const ROUNDS: u32 = 100;

/// How long killed processes may take to go before they are looked for again.
const PAUSE: Duration = Duration::from_millis(2);

/// The mark of all processes of a gateway, by the folder of its code store.
pub(super) fn gateway_mark(store: &Path) -> String {
    let name = store.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}/")
}

/// Kills the processes whose mark begins with this, and what they started, until there are none. Blocks.
///
/// Only Linux tells the variables of processes. Elsewhere this finds none.
pub(super) fn kill_marked(mark: &str) {
    for _ in 0..ROUNDS {
        let marked = marked(mark);
        if marked.is_empty() {
            return;
        }
        let descendants: Vec<Pid> = marked.iter().flat_map(|pid| descendants(*pid)).collect();
        for pid in marked.into_iter().chain(descendants) {
            kill(pid);
        }
        thread::sleep(PAUSE);
    }
}

/// Kills a process. It was found a moment ago, and the system gives its number to another one only after it has used all
/// others, so that it is still that one or gone.
pub(super) fn kill(pid: Pid) {
    if pid != getpid() {
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn marked(mark: &str) -> Vec<Pid> {
    let marked = [MARK.as_bytes(), b"=", mark.as_bytes()].concat();
    let is_marked = |process: &Path| {
        // Those of other users cannot be read, and those that have ended have none.
        let variables = fs::read(process.join("environ")).unwrap_or_default();
        let mut variables = variables.split(|byte| *byte == 0);
        variables.any(|variable| variable.starts_with(&marked))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| Some((pid(&entry.file_name())?, entry.path())));
    let found = processes.filter(|(pid, path)| *pid != getpid() && is_marked(path));
    found.map(|(pid, _)| pid).collect()
}

/// The children of a process, and theirs. Those that were started with other variables carry no mark.
pub(super) fn descendants(pid: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut waiting = vec![pid];
    while let Some(parent) = waiting.pop() {
        let children = children(parent);
        waiting.extend(&children);
        found.extend(children);
    }
    found
}

fn children(parent: Pid) -> Vec<Pid> {
    let threads = format!("/proc/{}/task", parent.as_raw_nonzero());
    let threads = fs::read_dir(threads).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read(thread.path().join("children")).ok());
    let children = lists.flat_map(|list| {
        let ids = list.split(|byte| *byte == b' ').map(OsStr::from_bytes);
        ids.filter_map(pid).collect::<Vec<_>>()
    });
    children.collect()
}

fn pid(text: &OsStr) -> Option<Pid> {
    Pid::from_raw(text.to_str()?.parse().ok()?)
}
