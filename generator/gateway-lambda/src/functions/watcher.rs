//! Watcher: a process that cleans up after a gateway that was killed.

use std::fs;
use std::io::{self, PipeWriter, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use stackgen_gateway_common::HelperCommand;

use super::processes::{gateway_mark, kill_marked};

/// Time in which a process that the gateway was just starting gets its environment variables.
const START_TIME: Duration = Duration::from_millis(100);

/// Running watcher. Dropping it lets the process end and waits for that.
#[derive(Debug)]
pub(super) struct Watcher {
    process: Child,
    /// Write end of the pipe. The system closes it when the gateway ends in any way.
    pipe: Option<PipeWriter>,
}

impl Watcher {
    /// Starts a watcher of the gateway with this code store.
    pub(super) fn start(command: &HelperCommand, store: &Path) -> io::Result<Watcher> {
        let (reader, writer) = io::pipe()?;
        let process = Command::new(&command.program)
            .args(&command.arguments)
            .arg(std::path::absolute(store)?)
            .env_clear()
            .current_dir("/")
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal must reach only the gateway.
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

/// Waits until the gateway at the other end of the pipe has ended. Then kills the remaining function processes and removes
/// the copies of their code. Blocks.
pub fn watch(mut pipe: impl Read, store: &Path) {
    // Nothing is ever written to the pipe: the copy ends when the pipe closes.
    let _ = io::copy(&mut pipe, &mut io::sink());
    let mark = gateway_mark(store);
    kill_marked(&mark);
    if store.exists() {
        // The gateway was killed: otherwise it would have removed the folder.
        thread::sleep(START_TIME);
        clean_up(store);
    }
}

/// Kills the remaining function processes of an ended gateway and removes the copies of their code.
pub(super) fn clean_up(store: &Path) {
    kill_marked(&gateway_mark(store));
    // A folder that cannot be removed only takes up space.
    let _ = fs::remove_dir_all(store);
}
