//! Which files matter, and when they change.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::cargo;
use crate::error::CliError;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The stackgen.yaml or the template.
    Spec,
    /// What functions are built from.
    Sources,
    /// The code of a function that is not built here.
    Code,
}

/// Watches a project for as long as it is kept.
pub(super) struct Watch {
    changes: mpsc::UnboundedReceiver<Changed>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches a file, the packages of the Cargo workspaces that these folders are in, and code as it is.
    pub(super) async fn start(
        spec: &Path,
        folders: &BTreeSet<PathBuf>,
        code: &[PathBuf],
    ) -> Result<Watch, CliError> {
        let spec = absolute(spec);
        let beside = spec.parent().map(PathBuf::from).unwrap_or_default();
        let mut roots = vec![beside.clone()];
        let mut watched = vec![(beside, RecursiveMode::NonRecursive)];
        for folder in folders {
            for package in cargo::packages(folder).await {
                watched.extend(of_package(&package));
                roots.push(package);
            }
        }
        let code: Vec<_> = code.iter().map(|code| absolute(code)).collect();
        watched.extend(code.iter().filter_map(|code| of_code(code)));
        let (told, changes) = mpsc::unbounded_channel();
        let failed = |error: notify::Error| {
            CliError::failed(format!("cannot watch for changes: {error}"))
                .hint("`--no-watch` goes without")
        };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            for path in &event.paths {
                let of_code = code.iter().any(|code| path.starts_with(code));
                let changed = match what(path, &spec, &roots) {
                    None if of_code => Some(Changed::Code),
                    changed => changed,
                };
                if let Some(changed) = changed {
                    // Nobody listens at the end.
                    let _ = told.send(changed);
                }
            }
        })
        .map_err(failed)?;
        for (path, mode) in watched {
            match watcher.watch(&path, mode) {
                // A folder that has gone meanwhile is none to watch.
                Err(_) if !path.exists() => {}
                watched => watched.map_err(failed)?,
            }
        }
        Ok(Watch {
            changes,
            _watcher: watcher,
        })
    }

    /// True when something changed that nobody asked for yet.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The next change.
    pub(super) async fn next(&mut self) -> Option<Changed> {
        self.changes.recv().await
    }
}

/// A folder with all that is in it; an archive by its folder, since a new one takes its place.
fn of_code(code: &Path) -> Option<(PathBuf, RecursiveMode)> {
    match code.is_dir() {
        true => Some((code.to_owned(), RecursiveMode::Recursive)),
        false => Some((code.parent()?.to_owned(), RecursiveMode::NonRecursive)),
    }
}

/// A package's manifest and its folders, but for what is built and what is hidden.
fn of_package(package: &Path) -> Vec<(PathBuf, RecursiveMode)> {
    let mut watched = vec![(package.to_owned(), RecursiveMode::NonRecursive)];
    let entries = std::fs::read_dir(package).into_iter().flatten().flatten();
    for entry in entries.map(|entry| entry.path()) {
        let name = entry.file_name().and_then(|name| name.to_str());
        let built = name.is_none_or(|name| name.starts_with('.') || BUILT.contains(&name));
        if entry.is_dir() && !built && !entry.join("Cargo.toml").exists() {
            watched.push((entry, RecursiveMode::Recursive));
        }
    }
    watched
}

/// Folders that hold what is made of sources.
const BUILT: [&str; 4] = ["node_modules", "out", "target", "tests"];

/// What it means that this path changed; `None` when it means nothing. What is built lies in a folder `target` inside of
/// one of the roots; above them, folders may have any name.
fn what(path: &Path, spec: &Path, roots: &[PathBuf]) -> Option<Changed> {
    if path == spec {
        return Some(Changed::Spec);
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
    source.then_some(Changed::Sources)
}

/// The path as the system tells it in changes.
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
    fn sources_and_the_spec_matter_and_what_editors_and_builds_write_does_not() {
        let roots = ["/target/p", "/target/p/handlers/h", "/target/lib"].map(PathBuf::from);
        let what = |path| {
            what(
                Path::new(path),
                Path::new("/target/p/stackgen.yaml"),
                &roots,
            )
        };
        assert_eq!(what("/target/p/stackgen.yaml"), Some(Changed::Spec));
        for source in [
            "/target/p/Cargo.toml",
            "/target/p/src/main.rs",
            "/target/p/handlers/h/src/main.rs",
            "/target/lib/src/lib.rs",
        ] {
            assert_eq!(what(source), Some(Changed::Sources), "{source}");
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
            assert_eq!(what(nothing), None, "{nothing}");
        }
    }
}
