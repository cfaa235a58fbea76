//! Terraform configurations in folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use stackgen_cfn::{Sources, Span};
use stackgen_synth::LocatedError;
use stackgen_terraform::{
    ConfigurationFiles, ConfigurationInputs, ConfigurationProblem, TerraformConfiguration,
    is_configuration,
};
use walkdir::WalkDir;

use crate::bounded::{self, ReadError};
use crate::error::CliError;
use crate::file;
use crate::ui::Ui;

/// Maximum size of a file that a configuration reads, in bytes.
const MAX_FILE: u64 = 8 * bounded::MEBIBYTE;

/// Prefix of environment variables with values of variables.
const VARIABLE_PREFIX: &str = "TF_VAR_";

/// A configuration that was read, and the files that it consists of.
#[derive(Clone, Debug)]
pub(crate) struct ReadConfiguration {
    pub(crate) configuration: TerraformConfiguration,
    /// Files and folders that were read, absolute.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// Returns the folder of the root module, if a path is a file of a configuration or a folder with one.
pub(crate) fn root(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return has_configuration(path).then(|| path.to_owned());
    }
    is_file(path).then(|| file::parent(path).to_owned())
}

/// Returns true for a file of a configuration.
pub(crate) fn is_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(is_configuration) && path.is_file()
}

/// Returns true if a folder has files of a configuration.
pub(crate) fn has_configuration(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .any(|name| is_configuration(&name))
}

/// Returns true if a configuration calls modules of this machine, which may not have been read when it fails.
pub(crate) fn calls_modules(root: &Path) -> bool {
    !stackgen_terraform::local_modules(&FolderFiles::new(root)).is_empty()
}

/// Removes the folders that modules of other folders call.
pub(crate) fn without_called(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let called = folders.iter().flat_map(|folder| {
        let sources = stackgen_terraform::local_modules(&FolderFiles::new(folder));
        sources.into_iter().map(|source| real(&folder.join(source)))
    });
    let called: BTreeSet<PathBuf> = called.collect();
    let mut roots = folders;
    roots.retain(|folder| !called.contains(&real(folder)));
    roots
}

/// Reads a configuration. Files are added to the sources.
///
/// # Errors
///
/// If a file cannot be read or parsed.
pub(crate) fn read(
    root: &Path,
    parameters: &[(String, String)],
    sources: &mut Sources,
) -> Result<ReadConfiguration, CliError> {
    let files = FolderFiles::new(root);
    let inputs = ConfigurationInputs {
        environment: environment_variables(),
        variables: parameters.iter().cloned().collect(),
    };
    match stackgen_terraform::read(&files, &inputs, std::mem::take(sources)) {
        Ok(configuration) => {
            *sources = configuration.sources.clone();
            Ok(ReadConfiguration {
                configuration,
                files: files
                    .read
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner),
            })
        }
        Err(unreadable) => {
            *sources = unreadable.sources;
            Err(CliError::located(
                sources,
                unreadable.errors.into_iter().map(located),
            ))
        }
    }
}

/// Returns the values of `TF_VAR_…`, by the names of the variables.
fn environment_variables() -> BTreeMap<String, String> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name
            .into_string()
            .ok()?
            .strip_prefix(VARIABLE_PREFIX)?
            .to_owned();
        Some((name, value.into_string().ok()?))
    });
    variables.collect()
}

/// Converts a problem of a configuration.
pub(crate) fn located(problem: ConfigurationProblem) -> LocatedError {
    let error = LocatedError::new(problem.span, problem.message);
    match problem.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Prints the remarks about a configuration.
pub(crate) fn print_notes(configuration: &TerraformConfiguration, ui: &Ui) {
    /// More remarks have the same cause most of the time.
    const MOST: usize = 12;
    let all = configuration.missing.iter().chain(&configuration.notes);
    let notes = distinct(all);
    for note in notes.iter().take(MOST) {
        let message = match configuration.sources.location(note.span) {
            Some(location) => format!("{}:{}: {}", location.file, location.line, note.message),
            None => note.message.clone(),
        };
        ui.note(&message, note.hint.as_deref());
    }
    let others = notes.len().saturating_sub(MOST);
    if others > 0 {
        ui.note(
            &format!("and {others} more remarks about the configuration"),
            None,
        );
    }
}

/// Removes remarks about the same span: instances of a module have the same ones.
fn distinct<'n>(
    notes: impl Iterator<Item = &'n ConfigurationProblem>,
) -> Vec<&'n ConfigurationProblem> {
    let mut seen = BTreeSet::new();
    notes
        .filter(|note| note.span.file.is_none() || seen.insert(note.span))
        .collect()
}

/// Returns the spans of the resources, by logical ID.
pub(crate) fn resource_spans(configuration: &TerraformConfiguration) -> BTreeMap<String, Span> {
    let resources = configuration
        .template
        .get("Resources")
        .and_then(stackgen_cfn::Node::as_map);
    let entries = resources.into_iter().flat_map(stackgen_cfn::Map::entries);
    entries
        .map(|(id, entry)| (id.to_owned(), entry.key_span))
        .collect()
}

/// Files below the folder of a root module, and elsewhere.
struct FolderFiles {
    /// Absolute path.
    root: PathBuf,
    label: PathBuf,
    read: Mutex<BTreeSet<PathBuf>>,
}

impl FolderFiles {
    fn new(root: &Path) -> Self {
        let label = match root == Path::new(".") {
            true => PathBuf::new(),
            false => root.to_owned(),
        };
        FolderFiles {
            root: std::path::absolute(root).unwrap_or_else(|_| root.to_owned()),
            label,
            read: Mutex::default(),
        }
    }

    fn record(&self, path: PathBuf) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(path);
    }
}

impl ConfigurationFiles for FolderFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        let path = self.root.join(path);
        let content = bounded::read(&path, MAX_FILE);
        self.record(path);
        match content {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(ReadError::NotRegular("a folder")) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn file_names(&self, folder: &Path) -> Option<Vec<String>> {
        let folder = self.root.join(folder);
        let entries = std::fs::read_dir(&folder).ok()?;
        self.record(folder);
        let names = entries.flatten().filter(|entry| !entry.path().is_dir());
        let mut names: Vec<String> = names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        Some(names)
    }

    fn files_below(&self, folder: &Path) -> Option<Vec<String>> {
        /// `fileset` of a folder with packages would take long.
        const MOST: usize = 20_000;
        files_below(&self.root.join(folder), MOST)
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn label(&self) -> &Path {
        &self.label
    }
}

/// Returns the paths of the files below a folder, relative to it; `None` if it contains more files and folders than `most`.
fn files_below(folder: &Path, most: usize) -> Option<Vec<String>> {
    let mut files = Vec::new();
    let entries = WalkDir::new(folder).min_depth(1).sort_by_file_name();
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        if index >= most {
            return None;
        }
        let path = entry.path().strip_prefix(folder).ok();
        if let Some(path) = path.and_then(Path::to_str)
            && entry.path().is_file()
        {
            files.push(path.to_owned());
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use stackgen_cfn::FileId;

    use super::*;

    #[test]
    fn remarks_about_the_same_span_are_printed_once_and_all_without_a_span() {
        let file = Sources::new().add("main.tf", "a = 1\n").id();
        let note = |file: Option<FileId>, message: &str| {
            let span = Span {
                file,
                ..Span::default()
            };
            ConfigurationProblem::new(span, message)
        };
        let notes = [
            note(Some(file), "a"),
            note(None, "b"),
            note(Some(file), "c"),
            note(None, "d"),
        ];
        let distinct = distinct(notes.iter());
        let messages: Vec<_> = distinct.iter().map(|note| note.message.as_str()).collect();
        assert_eq!(messages, ["a", "b", "d"]);
    }

    #[test]
    fn the_files_of_a_folder_with_too_many_are_unknown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["a", "b/c"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let files = files_below(folder.path(), 3);
        assert_eq!(files.unwrap(), ["a", "b/c"]);
        assert_eq!(files_below(folder.path(), 2), None);
    }
}
