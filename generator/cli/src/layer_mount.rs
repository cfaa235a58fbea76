//! Process of a function with layers: this binary, started with internal arguments, mounts the layers and then becomes the
//! function's program.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use stackgen_gateway::{HelperCommand, functions};

/// First argument of such a process.
const MODE: &str = "_with-layers";

/// Arguments of such a process.
pub(crate) struct LayerMountArgs {
    /// Folder of the layers.
    layers: PathBuf,
    /// Program of the function; `None` to find out whether the machine permits the mount.
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
}

impl LayerMountArgs {
    /// Returns the arguments of this process if it was started for a function.
    pub(crate) fn of_process() -> Option<LayerMountArgs> {
        let mut arguments = std::env::args_os().skip(1);
        if arguments.next()? != MODE {
            return None;
        }
        Some(LayerMountArgs {
            layers: arguments.next()?.into(),
            program: arguments.next().map(PathBuf::from),
            arguments: arguments.collect(),
        })
    }

    /// Mounts the layers and becomes the program. Returns only after a failure, or without a program.
    pub(crate) fn run(&self) -> ExitCode {
        if let Err(error) = functions::mount_layers(&self.layers) {
            let _ = writeln!(io::stderr(), "{error}");
            return ExitCode::FAILURE;
        }
        let Some(program) = &self.program else {
            return ExitCode::SUCCESS;
        };
        let error = self.exec(program);
        let reason = functions::start_error(program, &error);
        let _ = writeln!(io::stderr(), "{reason}");
        ExitCode::FAILURE
    }

    /// Becomes the program, with retries while it is busy: another process may hold a program that was just written open
    /// until it calls exec. Returns why it failed.
    fn exec(&self, program: &Path) -> io::Error {
        let mut command = Command::new(program);
        command.args(&self.arguments);
        let mut tries = 0;
        loop {
            let error = command.exec();
            if error.kind() != io::ErrorKind::ExecutableFileBusy || tries == 50 {
                return error;
            }
            tries += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Returns the command that starts such a process.
///
/// # Errors
///
/// If the system does not report the path of this binary.
pub(crate) fn command() -> io::Result<HelperCommand> {
    // The binary that runs, also after an update has replaced its file.
    let running = Path::new("/proc/self/exe");
    Ok(HelperCommand {
        program: match running.exists() {
            true => running.to_owned(),
            false => std::env::current_exe()?,
        },
        arguments: vec![MODE.into()],
    })
}
