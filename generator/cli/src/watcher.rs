//! Process that cleans up after a `stackgen dev` that was killed: this binary, started with internal arguments.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use stackgen_gateway::{HelperCommand, functions};

use crate::local::LocalGateway;

/// First argument of a watcher.
const MODE: &str = "_watch-gateway";

/// Arguments of a watcher.
pub(crate) struct WatcherArgs {
    /// Process ID of the gateway.
    pid: u32,
    /// Project file or template that the gateway runs.
    project: PathBuf,
    /// Folder of the gateway's copies of code.
    store: PathBuf,
}

impl WatcherArgs {
    /// Returns the arguments of this process if it was started as a watcher. They are parsed by hand: clap would double the
    /// memory of a process that only waits.
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

    /// Waits until the gateway ends, and cleans up.
    pub(crate) fn watch(&self) {
        functions::watch(io::stdin().lock(), &self.store);
        LocalGateway::remove(&self.project, self.pid);
    }
}

/// Returns the command that starts a watcher of this process.
///
/// # Errors
///
/// If the system does not report the path of this binary.
pub(crate) fn command(project: &Path) -> io::Result<HelperCommand> {
    let arguments: [OsString; 3] = [
        MODE.into(),
        std::process::id().to_string().into(),
        std::path::absolute(project)?.into(),
    ];
    Ok(HelperCommand {
        program: std::env::current_exe()?,
        arguments: arguments.into(),
    })
}
