//! `stackgen` as a process, and how it ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use tokio::process::{Child, Command};

use crate::common::stackgen;
use crate::proxy::Proxy;

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(150);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Exit(i32),
    Signal(i32),
    /// It had to be ended.
    Hung,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Exit(code) => write!(f, "exit {code}"),
            Ending::Signal(signal) => write!(f, "signal {signal}"),
            Ending::Hung => f.write_str("hung"),
        }
    }
}

/// A run that ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) ending: Ending,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn code(&self) -> Option<i32> {
        match self.ending {
            Ending::Exit(code) => Some(code),
            Ending::Signal(_) | Ending::Hung => None,
        }
    }

    pub(crate) fn is_green(&self) -> bool {
        self.ending == Ending::Exit(0)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ending)?;
        for line in self.stdout.lines().chain(self.stderr.lines()) {
            write!(f, "\n    | {line}")?;
        }
        Ok(())
    }
}

/// A process that runs.
pub(crate) struct Running {
    child: Child,
    /// Kept until it ends.
    _proxy: Option<std::sync::Arc<Proxy>>,
}

/// Starts stackgen in a folder, with little in its environment. It is ended when it is dropped.
pub(crate) fn start(
    folder: &Path,
    words: &[String],
    proxy: Option<&std::sync::Arc<Proxy>>,
) -> Running {
    let child = Command::from(stackgen())
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let running = Running {
        child,
        _proxy: proxy.cloned(),
    };
    if let Some(proxy) = proxy {
        proxy.watch(running.process());
    }
    running
}

impl Running {
    pub(crate) fn process(&self) -> Pid {
        let id = self.child.id().expect("it was not waited for");
        Pid::from_raw(id.try_into().unwrap()).unwrap()
    }

    /// Waits until it ends.
    pub(crate) async fn end(self) -> Run {
        let output = tokio::time::timeout(PATIENCE, self.child.wait_with_output());
        match output.await {
            Ok(output) => ended(output.unwrap()),
            Err(_) => Run {
                ending: Ending::Hung,
                stdout: String::new(),
                stderr: String::new(),
            },
        }
    }
}

fn ended(output: Output) -> Run {
    let ending = match (output.status.code(), output.status.signal()) {
        (Some(code), _) => Ending::Exit(code),
        (None, signal) => Ending::Signal(signal.unwrap_or_default()),
    };
    Run {
        ending,
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
