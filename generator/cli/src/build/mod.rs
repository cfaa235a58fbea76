//! Builds of functions for Lambda: programs for the architecture of each function, in the zip files that templates refer to.

mod archive;
mod artifact;
mod compile;
mod compiler;
mod functions;
mod glibc;
mod zip_files;

use std::collections::BTreeMap;

use stackgen_synth::FunctionCode;

pub(crate) use artifact::{ArtifactStatus, BuiltArtifact};
pub(crate) use compiler::LambdaProfile;

use crate::bounded::ReadError;
use crate::error::CliError;
use crate::file;
use crate::project::{self, Project};
use crate::ui::Ui;
use zip_files::BuiltZip;

/// Builds the functions of environments, each once, and writes their zip files. If one of them fails, no zip file is written.
///
/// Compilers print their progress and errors on stderr. Dropping the future ends them.
///
/// # Errors
///
/// If a binary or a zip file does not exist, a binary has two architectures, this machine cannot compile for an
/// architecture, a compiler fails, a program needs a newer GLIBC than Lambda has, or a zip file cannot be written.
pub(crate) async fn build_artifacts(
    project: &Project,
    environments: &[&str],
    profile: LambdaProfile,
    ui: &Ui,
) -> Result<Vec<BuiltArtifact>, CliError> {
    let functions = functions::select(project, environments)?;
    let zips = match functions.iter().any(|code| code.binary.is_some()) {
        true => {
            let programs = compile::compile(project, &functions, profile, ui).await?;
            zip_files::write(&programs, project.folder()).await?
        }
        false => BTreeMap::new(),
    };
    let artifacts = functions.iter().map(|code| match code.binary {
        Some(binary) => built(code, binary, &zips),
        None => existing(code, project),
    });
    artifacts.collect()
}

/// Returns the artifact of a function that was built.
fn built(
    code: &FunctionCode<'_>,
    binary: &str,
    zips: &BTreeMap<String, BuiltZip>,
) -> Result<BuiltArtifact, CliError> {
    let zip = zips
        .get(binary)
        .ok_or_else(|| CliError::failed(format!("the binary {binary} was not built")))?;
    Ok(BuiltArtifact {
        function: code.function.to_owned(),
        binary: Some(binary.to_owned()),
        architecture: code.architecture.name(),
        path: zip.path.clone(),
        bytes: zip.bytes,
        sha256: zip.sha256.clone(),
        status: zip.status,
    })
}

/// Returns the artifact of a function whose zip file is made by something else.
fn existing(code: &FunctionCode<'_>, project: &Project) -> Result<BuiltArtifact, CliError> {
    let path = file::within(project.folder(), &code.path);
    let unreadable = |error: ReadError| {
        CliError::input(format!("cannot read {}: {error}", path.display())).file(&path)
    };
    let sha256 = project::digest(&path).map_err(unreadable)?;
    let metadata = path.metadata().map_err(|error| unreadable(error.into()))?;
    Ok(BuiltArtifact {
        function: code.function.to_owned(),
        binary: None,
        architecture: code.architecture.name(),
        path: path.clone(),
        bytes: metadata.len(),
        sha256,
        status: ArtifactStatus::Existing,
    })
}
