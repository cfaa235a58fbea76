//! File watcher of a project.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use stackgen_terraform::is_configuration;
use tokio::sync::mpsc;

use super::changed_file::ChangedFile;
use super::noise::OwnFiles;
use crate::cargo;
use crate::error::CliError;
use crate::source::PreparedStack;

/// Watcher of a project's files.
pub(super) struct FileWatch {
    changes: mpsc::UnboundedReceiver<(PathBuf, ChangedFile)>,
    _watcher: RecommendedWatcher,
}

impl FileWatch {
    /// Starts to watch the file of a stack, the packages of its functions' Cargo workspaces, and code.
    pub(super) async fn start(
        prepared: &PreparedStack,
        own: OwnFiles,
    ) -> Result<FileWatch, CliError> {
        let (folders, code) = (&prepared.folders, prepared.code());
        let spec = absolute(Path::new(&prepared.template.file));
        let configuration = ConfigurationFiles::of(prepared);
        let beside = spec.parent().map(PathBuf::from).unwrap_or_default();
        let mut roots = vec![beside.clone()];
        let mut watched = vec![(beside, RecursiveMode::NonRecursive)];
        for folder in folders {
            for package in cargo::packages(folder).await {
                watched.extend(package_folders(&package));
                roots.push(package);
            }
        }
        watched.extend(
            configuration
                .folders()
                .map(|it| (it.to_owned(), RecursiveMode::NonRecursive)),
        );
        let code: Vec<_> = code.iter().map(|code| absolute(code)).collect();
        watched.extend(code.iter().filter_map(|code| code_folder(code)));
        let (sender, changes) = mpsc::unbounded_channel();
        let failed = |error: notify::Error| {
            CliError::failed(format!("cannot watch for changes: {error}"))
                .hint("run without watching: `--no-watch`")
        };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            for path in &event.paths {
                let folder = code.iter().find(|code| path.starts_with(code));
                let changed = match (kind(path, &spec, &roots), folder) {
                    _ if configuration.contains(path) => Some(ChangedFile::Project),
                    (None, Some(folder)) if !own.is_noise(path, folder) => Some(ChangedFile::Code),
                    (changed, _) => changed,
                };
                if let Some(changed) = changed {
                    // During shutdown, there is no receiver.
                    let _ = sender.send((path.clone(), changed));
                }
            }
        })
        .map_err(failed)?;
        for (path, mode) in watched {
            match watcher.watch(&path, mode) {
                // The folder was removed meanwhile.
                Err(_) if !path.exists() => {}
                watched => watched.map_err(failed)?,
            }
        }
        Ok(FileWatch {
            changes,
            _watcher: watcher,
        })
    }

    /// Returns the next change that has arrived, if there is one.
    pub(super) fn arrived(&mut self) -> Option<(PathBuf, ChangedFile)> {
        self.changes.try_recv().ok()
    }

    /// Waits for the next change.
    pub(super) async fn next(&mut self) -> Option<(PathBuf, ChangedFile)> {
        self.changes.recv().await
    }
}

/// Files of a Terraform configuration: those that it was read from, and new files of its modules.
#[derive(Default)]
struct ConfigurationFiles {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl ConfigurationFiles {
    fn of(prepared: &PreparedStack) -> Self {
        let read = prepared.configuration.iter().flat_map(|it| &it.files);
        let (folders, files): (BTreeSet<_>, BTreeSet<_>) = read
            .map(|path| absolute(path))
            .partition(|path| path.is_dir());
        ConfigurationFiles { files, folders }
    }

    /// Returns the folders to watch.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        let parents = self.files.iter().filter_map(|file| file.parent());
        let folders = self.folders.iter().map(PathBuf::as_path).chain(parents);
        folders.filter(|folder| folder.is_dir())
    }

    fn contains(&self, path: &Path) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let is_read = is_configuration(name) || name.contains(".tfvars");
        let is_beside = is_read
            && path
                .parent()
                .is_some_and(|folder| self.folders.contains(folder));
        is_beside || self.files.contains(path)
    }
}

/// Returns the folder to watch for code: the folder itself, or that of an archive, which a new archive replaces.
fn code_folder(code: &Path) -> Option<(PathBuf, RecursiveMode)> {
    match code.is_dir() {
        true => Some((code.to_owned(), RecursiveMode::Recursive)),
        false => Some((code.parent()?.to_owned(), RecursiveMode::NonRecursive)),
    }
}

/// Returns a package's folder and its subfolders, without hidden ones and those of builds.
fn package_folders(package: &Path) -> Vec<(PathBuf, RecursiveMode)> {
    let mut watched = vec![(package.to_owned(), RecursiveMode::NonRecursive)];
    let entries = std::fs::read_dir(package).into_iter().flatten().flatten();
    for entry in entries.map(|entry| entry.path()) {
        let name = entry.file_name().and_then(|name| name.to_str());
        let is_skipped = name.is_none_or(|name| name.starts_with('.') || SKIPPED.contains(&name));
        if entry.is_dir() && !is_skipped && !entry.join("Cargo.toml").exists() {
            watched.push((entry, RecursiveMode::Recursive));
        }
    }
    watched
}

/// Folders that hold no sources of functions.
const SKIPPED: [&str; 4] = ["node_modules", "out", "target", "tests"];

/// Returns the kind of a changed file; `None` if it does not belong to the project. Builds are in folders named `target` below
/// a root; folders above the roots may have any name.
fn kind(path: &Path, spec: &Path, roots: &[PathBuf]) -> Option<ChangedFile> {
    if path == spec {
        return Some(ChangedFile::Project);
    }
    let within = roots
        .iter()
        .filter_map(|root| path.strip_prefix(root).ok())
        .min_by_key(|within| within.components().count())?;
    let is_built = |part: Component<'_>| part.as_os_str() == "target";
    let mut folders = within.parent()?.components();
    let name = path.file_name()?.to_str()?;
    if folders.any(is_built) || name.starts_with('.') || name.ends_with('~') {
        return None;
    }
    let source = name.ends_with(".rs") || name == "Cargo.toml" || name == "Cargo.lock";
    source.then_some(ChangedFile::Source)
}

/// Returns the path as the system reports it in changes.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_editors_and_builds_do_not_belong_to_the_project() {
        let roots = ["/target/p", "/target/p/handlers/h", "/target/lib"].map(PathBuf::from);
        let kind = |path| {
            kind(
                Path::new(path),
                Path::new("/target/p/stackgen.yaml"),
                &roots,
            )
        };
        assert_eq!(kind("/target/p/stackgen.yaml"), Some(ChangedFile::Project));
        for source in [
            "/target/p/Cargo.toml",
            "/target/p/src/main.rs",
            "/target/p/handlers/h/src/main.rs",
            "/target/lib/src/lib.rs",
        ] {
            assert_eq!(kind(source), Some(ChangedFile::Source), "{source}");
        }
        for nothing in [
            "/target/p/.stackgen.yaml.swp",
            "/target/p/stackgen.yaml~",
            "/target/p/target/debug/build/x/out/lib.rs",
            "/target/p/handlers/h/target/debug/build/x/out/lib.rs",
            "/target/p/src/.#main.rs",
            "/target/p/README.md",
            "/target/elsewhere/src/main.rs",
        ] {
            assert_eq!(kind(nothing), None, "{nothing}");
        }
    }
}
