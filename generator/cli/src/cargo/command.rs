//! Runs of cargo.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::reason;
use crate::ui::Ui;

/// Reason why a run of cargo failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CargoError {
    /// Cargo cannot be started.
    #[error("cannot run cargo: {}", reason(.0))]
    NotRun(#[from] std::io::Error),
    /// Cargo failed, and printed the reason on stderr.
    #[error("cargo failed")]
    Failed,
    /// Cargo cannot read the manifests of a workspace.
    #[error("cargo cannot read the workspace: {0}")]
    Workspace(String),
}

/// A command line of cargo, and the folder that it runs in. Displayed as a person would type it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CargoCommand {
    folder: PathBuf,
    arguments: Vec<String>,
}

impl CargoCommand {
    /// Creates the command line of a subcommand, such as `build`.
    pub(crate) fn new(folder: &Path, subcommand: &[&str]) -> Self {
        let command = CargoCommand {
            folder: folder.to_owned(),
            arguments: Vec::new(),
        };
        command.args(subcommand)
    }

    /// Adds arguments.
    #[must_use]
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// Runs a build, and returns the paths of binaries by their names. Cargo prints its progress and errors on stderr.
    ///
    /// # Errors
    ///
    /// If cargo cannot be started, or fails.
    pub(crate) async fn build(&self, ui: &Ui) -> Result<BTreeMap<String, PathBuf>, CargoError> {
        let mut line = self
            .clone()
            .args(&["--message-format=json-render-diagnostics"]);
        if !ui.shows_progress() {
            line = line.args(&["--quiet"]);
        }
        ui.detail(|| format!("in {}: {line}", or_current(&line.folder).display()));
        let mut command = line.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut running = CargoProcess::start(&mut command)?;
        let mut built = BTreeMap::new();
        if let Some(stdout) = running.cargo.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                built.extend(artifact(&line));
            }
        }
        match running.wait().await?.success() {
            true => Ok(built),
            false => Err(CargoError::Failed),
        }
    }

    /// Runs cargo, and returns what it prints.
    ///
    /// # Errors
    ///
    /// If cargo cannot be started.
    pub(super) async fn output(&self) -> Result<Output, CargoError> {
        let mut command = self.command();
        command.stdin(Stdio::null()).kill_on_drop(true);
        Ok(command.output().await?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.args(&self.arguments);
        command.current_dir(or_current(&self.folder));
        command
    }
}

impl fmt::Display for CargoCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cargo {}", self.arguments.join(" "))
    }
}

/// Returns the target triple of this machine, such as `x86_64-unknown-linux-gnu`; empty if cargo does not report it.
///
/// # Errors
///
/// If cargo cannot be started.
pub(crate) async fn host(folder: &Path) -> Result<String, CargoError> {
    let version = CargoCommand::new(folder, &["-vV"]).output().await?;
    let version = String::from_utf8_lossy(&version.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.unwrap_or_default().trim().to_owned())
}

/// Cargo, and the compilers that it starts. Dropping it kills them: a compiler that continues would write the same files as
/// the next build.
struct CargoProcess {
    cargo: Child,
    group: Option<Pid>,
}

impl CargoProcess {
    fn start(command: &mut Command) -> std::io::Result<CargoProcess> {
        let cargo = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = cargo.id().and_then(|id| i32::try_from(id).ok());
        Ok(CargoProcess {
            group: id.and_then(Pid::from_raw),
            cargo,
        })
    }

    async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let ended = self.cargo.wait().await;
        self.group = None;
        ended
    }
}

impl Drop for CargoProcess {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // The group may have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Returns the binary that a line of cargo's messages reports.
fn artifact(line: &str) -> Option<(String, PathBuf)> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        executable: Option<PathBuf>,
        target: Option<Json>,
    }
    let message: Message = serde_json::from_str(line).ok()?;
    let target = message.target?;
    let is_binary = target["kind"].as_array()?.iter().any(|kind| kind == "bin");
    (message.reason == "compiler-artifact" && is_binary).then_some(())?;
    Some((target["name"].as_str()?.to_owned(), message.executable?))
}

/// Returns the cargo that runs this program, or else the one on the path.
fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the folder, with `.` for the empty path.
fn or_current(folder: &Path) -> &Path {
    match folder == Path::new("") {
        true => Path::new("."),
        false => folder,
    }
}
