//! Which files are meant.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::folder;
use crate::error::{CliError, reason};
use crate::file;

/// A file that may be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LintInput {
    /// `-` for standard input.
    pub(super) path: PathBuf,
    /// What it is called in results.
    pub(super) name: String,
    /// Whether it has to be a template. In a folder, what is none is passed over.
    pub(super) named: bool,
}

/// What the command line says of files.
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

    /// Skip named files that are no templates, for hooks that name every changed file
    #[arg(long, help_heading = "Input")]
    templates_only: bool,
}

/// As in shells: `*` stops at `/` and begins no hidden name.
const GLOBS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl InputArgs {
    /// Every file that is meant, once: in the order of the arguments, and those of a folder in the order of their paths.
    ///
    /// # Errors
    ///
    /// If an argument names nothing, or a folder cannot be read.
    pub(super) fn inputs(&self) -> Result<Vec<LintInput>, CliError> {
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
        Ok(unique(found))
    }

    /// Whether there may be nothing to judge.
    pub(super) fn may_be_none(&self) -> bool {
        self.templates_only
    }

    /// What to say when there is nothing to judge.
    pub(super) fn no_template(&self) -> CliError {
        let (place, hint) = match self.paths.as_slice() {
            [] => (
                "the current folder".to_owned(),
                "name a file or a folder; `stackgen synth` writes templates to `out`",
            ),
            paths => (
                paths.join(", "),
                "a template is YAML or JSON with `Resources`; hidden folders are not searched",
            ),
        };
        CliError::input(format!("there is no template in {place}")).hint(hint)
    }

    fn add(&self, argument: &str, found: &mut Vec<LintInput>) -> Result<(), CliError> {
        let path = Path::new(argument);
        if path.is_dir() {
            return self.add_folder(path, found);
        }
        // A file that exists is one, whatever it is called.
        if argument != "-" && !path.exists() && argument.contains(['*', '?', '[']) {
            return self.add_matches(argument, found);
        }
        let name = match &self.stdin_filename {
            Some(name) if argument == "-" => name.clone(),
            _ => file::name(folder::plain(path)),
        };
        found.push(LintInput {
            path: folder::plain(path).to_owned(),
            name,
            named: !self.templates_only,
        });
        Ok(())
    }

    fn add_folder(&self, folder: &Path, found: &mut Vec<LintInput>) -> Result<(), CliError> {
        let files = folder::templates(folder, |path| self.is_excluded(path))?;
        found.extend(files.into_iter().map(passed_over));
        Ok(())
    }

    fn add_matches(&self, pattern: &str, found: &mut Vec<LintInput>) -> Result<(), CliError> {
        let bad = |why: String| CliError::input(format!("{pattern} cannot be matched: {why}"));
        let paths = glob::glob_with(pattern, GLOBS).map_err(|error| bad(error.to_string()))?;
        let mut any = false;
        for path in paths {
            let path = path.map_err(|error| bad(reason(error.error())))?;
            any = true;
            match path.is_dir() {
                true => self.add_folder(&path, found)?,
                false => found.push(passed_over(folder::plain(&path).to_owned())),
            }
        }
        match any {
            true => Ok(()),
            false => Err(CliError::input(format!("nothing matches {pattern}"))
                .hint("`*` stops at `/`, and `**` does not: 'stacks/**/*.yaml'")),
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

/// A file that nobody named.
fn passed_over(path: PathBuf) -> LintInput {
    LintInput {
        name: path.display().to_string(),
        path,
        named: false,
    }
}

/// The first of each file; it counts as named if any is.
fn unique(found: Vec<LintInput>) -> Vec<LintInput> {
    let real = |input: &LintInput| fs::canonicalize(&input.path).unwrap_or(input.path.clone());
    let named = found.iter().filter(|input| input.named).map(real);
    let named: HashSet<PathBuf> = named.collect();
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for mut input in found {
        let real = real(&input);
        input.named = named.contains(&real);
        if seen.insert(real) {
            kept.push(input);
        }
    }
    kept
}
