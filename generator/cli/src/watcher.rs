//! The process that cleans up after a `stackgen dev` that was killed: this binary, started with arguments that are no
//! command of its users.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use stackgen_gateway::{WatcherCommand, functions};

use crate::local::Local;

/// First argument of a watcher.
const MODE: &str = "_watch-gateway";

/// What a watcher is started with.
pub(crate) struct WatcherArgs {
    /// Process id of the gateway.
    pid: u32,
    /// The stackgen.yaml or template that the gateway runs.
    project: PathBuf,
    /// The folder with the gateway's copies of code.
    store: PathBuf,
}

impl WatcherArgs {
    /// The arguments of this process, if it was started as a watcher. They are read by hand: setting up the command line
    /// parser would double the memory of a process that does nothing but wait.
    pub(crate) fn of_process() -> Option<WatcherArgs> {
        let mut arguments = std::env::args_os().skip(1);
        if arguments.next()? != MODE {
            return None;
        }
        Some(WatcherArgs {
            pid: arguments.next()?.to_str()?.parse().ok()?,
            project: arguments.next()?.into(),
            store: arguments.next()?.into(),
        })
    }

    /// Waits for the gateway's end and cleans up what it left.
    pub(crate) fn watch(&self) {
        functions::watch(io::stdin().lock(), &self.store);
        Local::remove(&self.project, self.pid);
    }
}

/// Starts a watcher over the gateway that this process is.
///
/// # Errors
///
/// If the system does not tell where this binary is.
pub(crate) fn command(project: &Path) -> io::Result<WatcherCommand> {
    let arguments: [OsString; 3] = [
        MODE.into(),
        std::process::id().to_string().into(),
        std::path::absolute(project)?.into(),
    ];
    Ok(WatcherCommand {
        program: std::env::current_exe()?,
        arguments: arguments.into(),
    })
}
