//! Compilation: one run of cargo per architecture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use stackgen_synth::spec::Architecture;
use stackgen_synth::{FunctionCode, LocatedError};

use super::compiler::{LambdaBuild, LambdaCompiler, LambdaProfile};
use crate::cargo::{self, CargoError, Workspace};
use crate::error::CliError;
use crate::project::Project;
use crate::ui::Ui;

/// Programs that were compiled for Lambda.
#[derive(Debug)]
pub(super) struct CompiledPrograms {
    /// Compiler that built them.
    pub(super) compiler: LambdaCompiler,
    /// Paths of the programs and of the zip files that templates refer to, by binary.
    pub(super) programs: BTreeMap<String, CompiledProgram>,
}

/// A program that was compiled for Lambda.
#[derive(Debug)]
pub(super) struct CompiledProgram {
    /// Path of the program.
    pub(super) path: PathBuf,
    /// Path of the zip file that templates refer to, relative to the folder of stackgen.yaml.
    pub(super) zip: String,
}

/// Compiles the binaries of functions.
///
/// # Errors
///
/// If cargo is missing or fails, the workspace does not have a binary, or no compiler for an architecture is installed.
pub(super) async fn compile(
    project: &Project,
    functions: &[FunctionCode<'_>],
    profile: LambdaProfile,
    ui: &Ui,
) -> Result<CompiledPrograms, CliError> {
    let folder = project.folder();
    let workspace = Workspace::of(folder).await.map_err(cargo_failed)?;
    let packages = find_packages(&workspace, functions, project)?;
    let mut binaries: BTreeMap<Architecture, BTreeMap<&str, &FunctionCode<'_>>> = BTreeMap::new();
    for code in functions {
        if let Some(binary) = code.binary {
            let of_architecture = binaries.entry(code.architecture).or_default();
            of_architecture.insert(binary, code);
        }
    }
    let host = cargo::host(folder).await.map_err(cargo_failed)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let architectures = binaries.keys().copied().collect();
    let compiler = LambdaCompiler::choose(&path, &host, &architectures)?;
    let mut programs = BTreeMap::new();
    for (architecture, binaries) in binaries {
        let build = LambdaBuild {
            compiler,
            architecture,
            profile,
            packages: binaries
                .keys()
                .filter_map(|binary| packages.get(binary).copied())
                .collect(),
            binaries: binaries.keys().copied().collect(),
        };
        let command = build.command(folder);
        let mut built = command.build(ui).await.map_err(|error| match error {
            CargoError::Failed => build_failed(&build),
            error => cargo_failed(error),
        })?;
        for (binary, code) in binaries {
            let reported = built.remove(binary);
            let reported = reported.ok_or_else(|| not_reported(&build, binary))?;
            let path = build.program(folder, binary, reported);
            let zip = code.path.clone();
            programs.insert(binary.to_owned(), CompiledProgram { path, zip });
        }
    }
    Ok(CompiledPrograms { compiler, programs })
}

/// Returns the package of each binary.
fn find_packages<'a>(
    workspace: &'a Workspace,
    functions: &[FunctionCode<'a>],
    project: &Project,
) -> Result<BTreeMap<&'a str, &'a str>, CliError> {
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    for code in functions {
        let Some(binary) = code.binary else { continue };
        match workspace.packages_with(binary).as_slice() {
            [package] => {
                found.insert(binary, *package);
            }
            [] => problems.push(
                LocatedError::new(
                    code.span,
                    format!("the Cargo workspace has no binary `{binary}`"),
                )
                .hint(hint_for_missing(workspace, binary)),
            ),
            several => {
                let message = format!(
                    "several packages have a binary `{binary}`: {}",
                    several.join(", ")
                );
                problems
                    .push(LocatedError::new(code.span, message).hint("rename one of the binaries"));
            }
        }
    }
    match problems.is_empty() {
        true => Ok(found),
        false => Err(project.located(problems)),
    }
}

/// Returns the binaries that the workspace has, the nearest first.
fn hint_for_missing(workspace: &Workspace, binary: &str) -> String {
    let mut binaries: Vec<&str> = workspace.binaries();
    binaries.sort_by_key(|name| strsim::damerau_levenshtein(name, binary));
    match binaries.is_empty() {
        true => {
            "add a package with a `src/main.rs`, or a `[[bin]]` section in a Cargo.toml".to_owned()
        }
        false => format!("it has: {}", binaries.join(", ")),
    }
}

fn cargo_failed(error: CargoError) -> CliError {
    let message = error.to_string();
    match error {
        CargoError::Workspace(why) if why.starts_with("could not find `Cargo.toml`") => {
            CliError::input(message)
                .hint("put stackgen.yaml into the Cargo workspace of its functions, beside its Cargo.toml")
        }
        CargoError::Workspace(_) => {
            CliError::input(message).hint("`cargo metadata --no-deps` shows the whole error")
        }
        _ => CliError::failed(message).hint("install Rust from https://rustup.rs"),
    }
}

fn build_failed(build: &LambdaBuild<'_>) -> CliError {
    CliError::failed(format!(
        "{} could not build {} for {}",
        build.compiler.name(),
        names(&build.binaries),
        build.architecture.name()
    ))
    .hint("see the errors above")
}

fn not_reported(build: &LambdaBuild<'_>, binary: &str) -> CliError {
    let compiler = build.compiler.name();
    CliError::failed(format!("{compiler} succeeded without building {binary}"))
        .hint("run `stackgen build --verbose`, and try the command that it prints")
}

fn names(binaries: &BTreeSet<&str>) -> String {
    let names: Vec<_> = binaries.iter().copied().collect();
    names.join(", ")
}
