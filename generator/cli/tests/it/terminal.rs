//! Programs on a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::common::Run;

/// Runs a command on a terminal, and types answers, one a line. Stdout is no terminal.
pub(crate) fn on_terminal(mut command: Command, answers: &str) -> Run {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let name = std::ffi::OsStr::from_bytes(name.as_bytes()).to_owned();
    let side = || File::options().read(true).write(true).open(&name).unwrap();
    command.stdin(side()).stderr(side()).stdout(Stdio::piped());
    let process = command.spawn().unwrap();
    // The terminal ends with its last user.
    drop(command);
    let mut terminal = File::from(terminal);
    terminal
        .write_all(format!("{answers}\n").as_bytes())
        .unwrap();
    // A terminal that nobody reads blocks the program.
    let reader = std::thread::spawn(move || {
        let mut stderr = Vec::new();
        // Linux ends a terminal with an error.
        let _ = terminal.read_to_end(&mut stderr);
        stderr
    });
    let output = process.wait_with_output().unwrap();
    let stderr = reader.join().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap().replace("\r\n", "\n"),
    }
}
