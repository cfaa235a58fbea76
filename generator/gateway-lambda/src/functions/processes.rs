//! Kills processes that functions leave behind. An inherited environment variable identifies them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process};

/// Environment variable of every function process. Its value is the name of the gateway's code store and the number of the
/// execution environment: `stackgen-code-x7Gp2a/12/`.
pub(super) const MARK_VARIABLE: &str = "_STACKGEN_GATEWAY";

/// Maximum number of searches. Several are needed because a process may start others before it is killed.
const MAX_SEARCHES: u32 = 100;

/// Time between two searches, in which killed processes disappear.
const SEARCH_INTERVAL: Duration = Duration::from_millis(2);

/// Returns the mark of all processes of the gateway with this code store.
pub(super) fn gateway_mark(store: &Path) -> String {
    let name = store.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}/")
}

/// Kills the processes whose mark starts with this text, and their descendants, until none is left. Blocks.
///
/// Only Linux shows the environment variables of processes. On other systems this finds none.
pub(super) fn kill_marked(mark: &str) {
    for _ in 0..MAX_SEARCHES {
        let marked = marked(mark);
        if marked.is_empty() {
            return;
        }
        let descendants: Vec<Pid> = marked.iter().flat_map(|pid| descendants(*pid)).collect();
        for pid in marked.into_iter().chain(descendants) {
            kill(pid);
        }
        thread::sleep(SEARCH_INTERVAL);
    }
}

/// Kills a process that was found a moment ago. The system does not reuse its number so soon, so no other process can be
/// hit.
pub(super) fn kill(pid: Pid) {
    if pid != getpid() {
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn marked(mark: &str) -> Vec<Pid> {
    let marked = [MARK_VARIABLE.as_bytes(), b"=", mark.as_bytes()].concat();
    let is_marked = |process: &Path| {
        // Reading fails for processes of other users and for ended ones: both count as unmarked.
        let variables = fs::read(process.join("environ")).unwrap_or_default();
        let mut variables = variables.split(|byte| *byte == 0);
        variables.any(|variable| variable.starts_with(&marked))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| Some((pid(&entry.file_name())?, entry.path())));
    let found = processes.filter(|(pid, path)| *pid != getpid() && is_marked(path));
    found.map(|(pid, _)| pid).collect()
}

/// Returns all descendants of a process. Descendants that were started with other environment variables have no mark.
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
