//! Builds of the user's binaries for this machine, by cargo.

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

/// A binary, and a folder of its Cargo workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Binary {
    /// Name, such as `session-authorizer`.
    pub(crate) name: String,
    /// Folder to run cargo in.
    pub(crate) folder: PathBuf,
}

/// Options of a build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuildOptions {
    /// Build with optimizations.
    pub(crate) release: bool,
    /// Build nothing, and use earlier builds.
    pub(crate) no_build: bool,
}

/// Builds binaries, and returns their paths. Cargo prints its progress and errors on stderr. Binaries without a build are
/// left out.
///
/// # Errors
///
/// If cargo cannot be run, or fails.
pub(crate) async fn build(
    binaries: &BTreeSet<Binary>,
    options: BuildOptions,
    ui: &Ui,
) -> Result<BTreeMap<Binary, PathBuf>, CliError> {
    let mut built = BTreeMap::new();
    if options.no_build {
        let found = binaries.iter().filter_map(|binary| {
            let path = built_before(binary, options.release)?;
            Some((binary.clone(), path))
        });
        return Ok(found.collect());
    }
    let folders: BTreeSet<&PathBuf> = binaries.iter().map(|binary| &binary.folder).collect();
    for folder in folders {
        let in_folder = binaries.iter().filter(|binary| binary.folder == *folder);
        let names: Vec<&str> = in_folder.map(|binary| binary.name.as_str()).collect();
        for (name, path) in build_in(folder, &names, options.release, ui).await? {
            let folder = folder.clone();
            built.insert(Binary { name, folder }, path);
        }
    }
    Ok(built)
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

    async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
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

/// Runs cargo in a folder.
async fn build_in(
    folder: &Path,
    names: &[&str],
    release: bool,
    ui: &Ui,
) -> Result<BTreeMap<String, PathBuf>, CliError> {
    let mut command = Command::new(program());
    command.arg("build").current_dir(or_current(folder));
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
    let mut running = CargoProcess::start(&mut command).map_err(|error| not_run(&error))?;
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
                .hint("see the errors above"),
        );
    }
    Ok(built)
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

/// Returns the path of a binary that cargo built before, in its target folder.
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

/// Returns the folders of the packages of a folder's workspace; none outside of a workspace.
pub(crate) async fn packages(folder: &Path) -> Vec<PathBuf> {
    let output = Command::new(program())
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(or_current(folder))
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

/// Returns the cargo that runs this program, or else the one on the path.
fn program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the folder, with `.` for the empty path.
fn or_current(folder: &Path) -> &Path {
    match folder == Path::new("") {
        true => Path::new("."),
        false => folder,
    }
}

fn not_run(error: &std::io::Error) -> CliError {
    CliError::failed(format!("cannot run cargo: {}", reason(error)))
        .hint("install Rust from https://rustup.rs, or use earlier builds with `--no-build`")
}
