//! Packages of Cargo workspaces.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::command::{CargoCommand, CargoError};

/// Packages of a Cargo workspace.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Workspace {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    /// Folder of a dependency that is no published crate.
    path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Package {
    /// Returns the names of the package's binaries.
    fn binaries(&self) -> impl Iterator<Item = &str> {
        let binaries = self.targets.iter();
        let binaries = binaries.filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        binaries.map(|target| target.name.as_str())
    }
}

impl Workspace {
    /// Reads the workspace of a folder.
    ///
    /// # Errors
    ///
    /// If cargo cannot be run, or cannot read the manifests.
    pub(crate) async fn of(folder: &Path) -> Result<Workspace, CargoError> {
        let arguments = ["metadata", "--no-deps", "--offline", "--format-version=1"];
        let output = CargoCommand::new(folder, &arguments).output().await?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(CargoError::Workspace(first_error(&errors)));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| CargoError::Workspace(error.to_string()))
    }

    /// Returns the names of the packages that have a binary.
    pub(crate) fn packages_with(&self, binary: &str) -> Vec<&str> {
        let packages = self.packages.iter();
        let packages = packages.filter(|package| package.binaries().any(|name| name == binary));
        packages.map(|package| package.name.as_str()).collect()
    }

    /// Returns the names of all binaries.
    pub(crate) fn binaries(&self) -> Vec<&str> {
        self.packages.iter().flat_map(Package::binaries).collect()
    }
}

/// Returns the first error that cargo printed, without its label.
fn first_error(errors: &str) -> String {
    let mut errors = errors.lines();
    let error = errors.find_map(|line| line.strip_prefix("error: "));
    error.unwrap_or("its manifest is invalid").to_owned()
}

/// Returns the folders of the packages of a folder's workspace, and of the packages that they depend on by path; none outside
/// of a workspace.
pub(crate) async fn packages(folder: &Path) -> Vec<PathBuf> {
    let workspace = Workspace::of(folder).await.unwrap_or_default();
    let mut folders = BTreeSet::new();
    for package in workspace.packages {
        folders.extend(package.manifest_path.parent().map(Path::to_owned));
        let dependencies = package.dependencies.into_iter();
        folders.extend(dependencies.filter_map(|dependency| dependency.path));
    }
    folders.into_iter().collect()
}
