//! Cargo: builds of the user's binaries, and what a Cargo workspace contains.

mod command;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(crate) use command::{CargoCommand, CargoError, host};
pub(crate) use workspace::{Workspace, packages};

use crate::error::CliError;
use crate::ui::Ui;

/// A binary, and a folder of its Cargo workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Binary {
    /// Name, such as `session-authorizer`.
    pub(crate) name: String,
    /// Folder to run cargo in.
    pub(crate) folder: PathBuf,
}

/// Options of a build for this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuildOptions {
    /// Build with optimizations.
    pub(crate) release: bool,
    /// Build nothing, and use earlier builds.
    pub(crate) no_build: bool,
}

/// Builds binaries for this machine, and returns their paths. Cargo prints its progress and errors on stderr. Binaries
/// without a build are left out.
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

/// Runs `cargo build` in a folder.
async fn build_in(
    folder: &Path,
    names: &[&str],
    release: bool,
    ui: &Ui,
) -> Result<BTreeMap<String, PathBuf>, CliError> {
    let mut command = CargoCommand::new(folder, &["build"]);
    for name in names {
        command = command.args(&["--bin", name]);
    }
    if release {
        command = command.args(&["--release"]);
    }
    let mut built = command.build(ui).await.map_err(|error| match error {
        CargoError::Failed => {
            CliError::failed(format!("cargo could not build {}", names.join(", ")))
                .hint("see the errors above")
        }
        error => CliError::failed(error.to_string())
            .hint("install Rust from https://rustup.rs, or use earlier builds with `--no-build`"),
    })?;
    built.retain(|name, _| names.contains(&name.as_str()));
    Ok(built)
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
