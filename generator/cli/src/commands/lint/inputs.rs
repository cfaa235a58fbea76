//! Files to lint.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::folder;
use crate::error::{CliError, reason};
use crate::file;
use crate::terraform;

/// A file that may be a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InputTemplate {
    /// `-` for standard input.
    pub(super) path: PathBuf,
    /// Name in results.
    pub(super) name: String,
    /// True if the file must be a template. Other files are skipped if they are none.
    pub(super) is_required: bool,
}

/// Flags that select files.
#[derive(clap::Args, Debug)]
pub(super) struct InputArgs {
    /// Templates, folders and globs such as 'stacks/**/*.yaml'; `-` is standard input (default: the current folder)
    #[arg(value_name = "PATH")]
    paths: Vec<String>,

    /// File name to report for standard input
    #[arg(long, help_heading = "Input", value_name = "FILE")]
    stdin_filename: Option<String>,

    /// Glob of files and folders to skip, at any depth; repeatable
    #[arg(long = "exclude", help_heading = "Input", value_name = "GLOB", value_parser = Pattern::new)]
    excluded: Vec<Pattern>,

    /// Skip files on the command line that are not templates, for hooks that pass every changed file
    #[arg(long, help_heading = "Input")]
    templates_only: bool,
}

/// Rules of globs, as in shells: `*` matches neither `/` nor a leading dot.
const GLOBS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl InputArgs {
    /// Finds the files, each once: in the order of the arguments, and files of a folder in the order of their paths.
    ///
    /// # Errors
    ///
    /// If an argument matches nothing, or a folder cannot be read.
    pub(super) fn inputs(&self) -> Result<Vec<InputTemplate>, CliError> {
        let mut found = Vec::new();
        match self.paths.as_slice() {
            [] => self.add_folder(Path::new("."), &mut found)?,
            paths => {
                for path in paths {
                    self.add(path, &mut found)?;
                }
            }
        }
        found.retain(|input| !self.is_excluded(&input.path));
        Ok(without_called(unique(found)))
    }

    /// Returns true if it is no error to find no template.
    pub(super) fn may_be_empty(&self) -> bool {
        self.templates_only
    }

    /// Creates the error of a run without templates.
    pub(super) fn no_template(&self) -> CliError {
        let (location, hint) = match self.paths.as_slice() {
            [] => (
                "the current folder".to_owned(),
                "name a file or a folder, or render templates with `stackgen synth`",
            ),
            paths => (
                paths.join(", "),
                "a template is YAML or JSON with `Resources`; hidden folders are not searched",
            ),
        };
        CliError::input(format!("there is no template in {location}")).hint(hint)
    }

    fn add(&self, argument: &str, found: &mut Vec<InputTemplate>) -> Result<(), CliError> {
        let path = Path::new(argument);
        if path.is_dir() {
            if terraform::has_configuration(path) {
                found.push(configuration(path, !self.templates_only));
            }
            return self.add_folder(path, found);
        }
        // A file that exists takes precedence over a glob.
        if argument != "-" && !path.exists() && argument.contains(['*', '?', '[']) {
            return self.add_matches(argument, found);
        }
        if let Some(root) = terraform::root(path) {
            found.push(configuration(&root, !self.templates_only));
            return Ok(());
        }
        let name = match &self.stdin_filename {
            Some(name) if argument == "-" => name.clone(),
            _ => file::name(folder::plain(path)),
        };
        found.push(InputTemplate {
            path: folder::plain(path).to_owned(),
            name,
            is_required: !self.templates_only,
        });
        Ok(())
    }

    fn add_folder(&self, folder: &Path, found: &mut Vec<InputTemplate>) -> Result<(), CliError> {
        let files = folder::templates(folder, |path| self.is_excluded(path))?;
        found.extend(files.into_iter().map(|path| match path.is_dir() {
            true => configuration(&path, false),
            false => optional_input(path),
        }));
        Ok(())
    }

    fn add_matches(&self, pattern: &str, found: &mut Vec<InputTemplate>) -> Result<(), CliError> {
        let bad = |why: String| CliError::input(format!("cannot match {pattern}: {why}"));
        let paths = glob::glob_with(pattern, GLOBS).map_err(|error| bad(error.to_string()))?;
        let mut has_matches = false;
        for path in paths {
            let path = path.map_err(|error| bad(reason(error.error())))?;
            has_matches = true;
            match path.is_dir() {
                true => self.add_folder(&path, found)?,
                false => found.push(optional_input(folder::plain(&path).to_owned())),
            }
        }
        match has_matches {
            true => Ok(()),
            false => Err(CliError::input(format!("no file matches {pattern}"))
                .hint("use `**` to match folders: 'stacks/**/*.yaml'")),
        }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        let matches = |path: &Path| {
            let name = path.file_name().map(Path::new);
            let either = [Some(path), name];
            let mut either = either.into_iter().flatten();
            either.any(|path| {
                let mut patterns = self.excluded.iter();
                patterns.any(|pattern| pattern.matches_path_with(path, GLOBS))
            })
        };
        !self.excluded.is_empty() && path.ancestors().any(matches)
    }
}

/// Creates the input of a Terraform configuration.
fn configuration(root: &Path, is_required: bool) -> InputTemplate {
    let path = folder::plain(root).to_owned();
    InputTemplate {
        name: path.display().to_string(),
        path,
        is_required,
    }
}

/// Creates an input that is skipped if it is not a template. A file of Terraform stands for its configuration.
fn optional_input(path: PathBuf) -> InputTemplate {
    if let Some(root) = terraform::root(&path) {
        return configuration(&root, false);
    }
    InputTemplate {
        name: path.display().to_string(),
        path,
        is_required: false,
    }
}

/// Removes modules that others call, unless they are required.
fn without_called(mut inputs: Vec<InputTemplate>) -> Vec<InputTemplate> {
    let folders = inputs.iter().filter(|input| input.path.is_dir());
    let folders: Vec<_> = folders.map(|input| input.path.clone()).collect();
    let roots: HashSet<PathBuf> = terraform::without_called(folders).into_iter().collect();
    inputs.retain(|input| input.is_required || !input.path.is_dir() || roots.contains(&input.path));
    inputs
}

/// Removes duplicates. A file is required if any of its duplicates is.
fn unique(found: Vec<InputTemplate>) -> Vec<InputTemplate> {
    let real = |input: &InputTemplate| fs::canonicalize(&input.path).unwrap_or(input.path.clone());
    let required = found.iter().filter(|input| input.is_required).map(real);
    let required: HashSet<PathBuf> = required.collect();
    let mut seen = HashSet::new();
    let mut inputs = Vec::new();
    for mut input in found {
        let real = real(&input);
        input.is_required = required.contains(&real);
        if seen.insert(real) {
            inputs.push(input);
        }
    }
    inputs
}
