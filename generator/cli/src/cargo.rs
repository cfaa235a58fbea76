//! Binaries of the user's project, built by cargo for this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::{CliError, reason};
use crate::ui::Ui;

/// A binary and the folder whose Cargo workspace has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Binary {
    /// `session-authorizer`.
    pub(crate) name: String,
    /// Where cargo is run.
    pub(crate) folder: PathBuf,
}

/// How they are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Build {
    /// Optimised.
    pub(crate) release: bool,
    /// Not at all: what was built before is taken.
    pub(crate) none: bool,
}

/// Where each binary is. Cargo's progress and errors go to stderr as they are; what is not there is left out.
///
/// # Errors
///
/// If cargo cannot be run, or does not succeed.
pub(crate) async fn build(
    binaries: &BTreeSet<Binary>,
    build: Build,
    ui: &Ui,
) -> Result<BTreeMap<Binary, PathBuf>, CliError> {
    let mut built = BTreeMap::new();
    if build.none {
        let found = binaries.iter().filter_map(|binary| {
            let path = built_before(binary, build.release)?;
            Some((binary.clone(), path))
        });
        return Ok(found.collect());
    }
    let folders: BTreeSet<&PathBuf> = binaries.iter().map(|binary| &binary.folder).collect();
    for folder in folders {
        let wanted = binaries.iter().filter(|binary| binary.folder == *folder);
        let names: Vec<&str> = wanted.map(|binary| binary.name.as_str()).collect();
        for (name, path) in build_in(folder, &names, build.release, ui).await? {
            let folder = folder.clone();
            built.insert(Binary { name, folder }, path);
        }
    }
    Ok(built)
}

/// Cargo and the compilers that it starts. They are killed when it is dropped before its end: a compiler that goes on would
/// write what the next build writes, too.
struct Running {
    cargo: Child,
    group: Option<Pid>,
}

impl Running {
    fn start(command: &mut Command) -> std::io::Result<Running> {
        let cargo = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = cargo.id().and_then(|id| i32::try_from(id).ok());
        Ok(Running {
            group: id.and_then(Pid::from_raw),
            cargo,
        })
    }

    async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        let ended = self.cargo.wait().await;
        self.group = None;
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// One call of cargo.
async fn build_in(
    folder: &Path,
    names: &[&str],
    release: bool,
    ui: &Ui,
) -> Result<BTreeMap<String, PathBuf>, CliError> {
    let mut command = Command::new(program());
    command.arg("build").current_dir(here(folder));
    command.arg("--message-format=json-render-diagnostics");
    for name in names {
        command.args(["--bin", name]);
    }
    if release {
        command.arg("--release");
    }
    if !ui.shows_progress() {
        command.arg("--quiet");
    }
    ui.detail(|| format!("cargo build in {}: {}", folder.display(), names.join(", ")));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut running = Running::start(&mut command).map_err(|error| not_run(&error))?;
    let mut built = BTreeMap::new();
    if let Some(stdout) = running.cargo.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some((name, path)) = artifact(&line)
                && names.contains(&name.as_str())
            {
                built.insert(name, path);
            }
        }
    }
    let status = running.wait().await.map_err(|error| not_run(&error))?;
    if !status.success() {
        return Err(
            CliError::failed(format!("cargo could not build {}", names.join(", ")))
                .hint("its errors stand above"),
        );
    }
    Ok(built)
}

/// The binary that a line of cargo's messages tells of.
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

/// A binary that cargo has built at some time, in the folder that it builds into.
fn built_before(binary: &Binary, release: bool) -> Option<PathBuf> {
    let profile = if release { "release" } else { "debug" };
    let folder = binary.folder.canonicalize().ok()?;
    let set = std::env::var_os("CARGO_TARGET_DIR").map(|set| folder.join(set));
    let above = folder.ancestors().map(|folder| folder.join("target"));
    let mut targets = set.into_iter().chain(above);
    targets.find_map(|target| {
        let path = target.join(profile).join(&binary.name);
        path.is_file().then_some(path)
    })
}

/// The folders of the packages of the workspace that this folder is in; none when it is in none.
pub(crate) async fn packages(folder: &Path) -> Vec<PathBuf> {
    let output = Command::new(program())
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(here(folder))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let Ok(metadata) = output.map(|output| serde_json::from_slice::<Json>(&output.stdout)) else {
        return Vec::new();
    };
    let metadata = metadata.unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifests = packages.filter_map(|package| package["manifest_path"].as_str());
    manifests
        .filter_map(|manifest| Some(Path::new(manifest).parent()?.to_owned()))
        .collect()
}

/// The cargo that cargo itself names when it runs us, otherwise the one on the path.
fn program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The empty path is no folder to be in.
fn here(folder: &Path) -> &Path {
    match folder == Path::new("") {
        true => Path::new("."),
        false => folder,
    }
}

fn not_run(error: &std::io::Error) -> CliError {
    CliError::failed(format!("cannot run cargo: {}", reason(error))).hint(
        "install Rust from https://rustup.rs, or take what is built already with `--no-build`",
    )
}
