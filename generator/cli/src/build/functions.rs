//! Functions to build, and checks before anything is compiled.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_synth::{FunctionCode, LocatedError};

use crate::error::CliError;
use crate::file;
use crate::project::Project;

/// Returns the code of functions in environments. Equal code of several environments is returned once.
///
/// # Errors
///
/// If a binary has two architectures, or a zip file that is not built here does not exist.
pub(super) fn select<'p>(
    project: &'p Project,
    environments: &[&str],
) -> Result<Vec<FunctionCode<'p>>, CliError> {
    let mut seen = BTreeSet::new();
    let all = environments
        .iter()
        .flat_map(|environment| project.function_code(environment));
    let functions: Vec<_> = all
        .filter(|code| seen.insert((code.function, code.path.clone(), code.architecture)))
        .collect();
    let mut problems = two_architectures(&functions);
    problems.extend(
        functions
            .iter()
            .filter_map(|code| missing_zip(code, project)),
    );
    match problems.is_empty() {
        true => Ok(functions),
        false => Err(project.located(problems)),
    }
}

/// A template refers to a binary's zip file by a path without the architecture.
fn two_architectures(functions: &[FunctionCode<'_>]) -> Vec<LocatedError> {
    let mut first: BTreeMap<&str, &FunctionCode<'_>> = BTreeMap::new();
    let mut problems = Vec::new();
    for code in functions {
        let Some(binary) = code.binary else { continue };
        let other = *first.entry(binary).or_insert(code);
        if other.architecture == code.architecture {
            continue;
        }
        let (here, there) = (code.architecture.name(), other.architecture.name());
        let message = format!(
            "the binary `{binary}` cannot be built for {here} and for {there}: both would be {}",
            code.path
        );
        let problem = LocatedError::new(code.architecture_span, message)
            .related(other.architecture_span, format!("{there} is here"))
            .hint("use one architecture, or build environments separately with `--env`");
        problems.push(problem);
    }
    problems
}

fn missing_zip(code: &FunctionCode<'_>, project: &Project) -> Option<LocatedError> {
    if code.binary.is_some() || file::within(project.folder(), &code.path).is_file() {
        return None;
    }
    let message = format!(
        "function `{}` has no code: there is no {}",
        code.function, code.path
    );
    let problem = LocatedError::new(code.span, message)
        .hint("make the zip file first: stackgen builds only functions with a `binary`");
    Some(problem)
}
