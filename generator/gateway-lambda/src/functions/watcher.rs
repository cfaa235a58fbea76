//! A process that outlives a gateway which is killed, and cleans up after it.

use std::fs;
use std::io::{self, PipeWriter, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use stackgen_gateway_common::WatcherCommand;

use super::processes::{gateway_mark, kill_marked};

/// How long a process that the gateway was just starting may take to get its variables.
const STARTING: Duration = Duration::from_millis(100);

/// A watcher that runs. Dropping it lets it end, and waits for that.
#[derive(Debug)]
pub(super) struct Watcher {
    process: Child,
    /// Closed by the system when this process ends, however it ends.
    pipe: Option<PipeWriter>,
}

impl Watcher {
    /// Starts a watcher over the gateway with this code store.
    pub(super) fn start(command: &WatcherCommand, store: &Path) -> io::Result<Watcher> {
        let (reader, writer) = io::pipe()?;
        let process = Command::new(&command.program)
            .args(&command.arguments)
            .arg(std::path::absolute(store)?)
            .env_clear()
            .current_dir("/")
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Signals of the terminal are for the gateway alone.
            .process_group(0)
            .spawn()?;
        Ok(Watcher {
            process,
            pipe: Some(writer),
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.process.wait();
    }
}

/// Waits until the gateway at the other end of the pipe has ended, then kills what is left of its functions and removes its
/// copies of their code. Blocks.
pub fn watch(mut pipe: impl Read, store: &Path) {
    // Nothing is written to it.
    let _ = io::copy(&mut pipe, &mut io::sink());
    let mark = gateway_mark(store);
    kill_marked(&mark);
    if store.exists() {
        // The gateway was killed.
        thread::sleep(STARTING);
        clear(store);
    }
}

/// Kills what is left of the functions of a gateway that does not run any more, and removes its copies of their code.
pub(super) fn clear(store: &Path) {
    kill_marked(&gateway_mark(store));
    // What cannot be removed is no harm but to the disk.
    let _ = fs::remove_dir_all(store);
}
