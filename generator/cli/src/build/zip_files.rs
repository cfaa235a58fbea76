//! Writes of zip files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive;
use super::artifact::ArtifactStatus;
use super::compile::{CompiledProgram, CompiledPrograms};
use super::glibc::{self, LAMBDA_GLIBC};
use crate::bounded;
use crate::error::CliError;
use crate::file;
use crate::write::{Staged, Written};

/// A zip file with a program that was compiled.
#[derive(Debug)]
pub(super) struct BuiltZip {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// SHA-256, in lower-case hex.
    pub(super) sha256: String,
    pub(super) status: ArtifactStatus,
}

/// Writes the zip files of programs, and returns them by binary. None is written if a program would not start on Lambda.
///
/// # Errors
///
/// If a program cannot be read or needs a newer GLIBC than Lambda has, or if a zip file cannot be written.
pub(super) async fn write(
    compiled: &CompiledPrograms,
    folder: &Path,
) -> Result<BTreeMap<String, BuiltZip>, CliError> {
    let (mut staged, mut zips, mut too_new) = (Staged::default(), Vec::new(), Vec::new());
    for (binary, program) in &compiled.programs {
        // Ctrl-C counts between two programs.
        tokio::task::yield_now().await;
        let bytes = read(&program.path)?;
        let newer = glibc::too_new(&bytes).map_err(|error| not_elf(program, &error))?;
        if let Some(version) = newer {
            too_new.push(format!("{} needs {version}", program.path.display()));
            continue;
        }
        let zip = archive::bootstrap(&bytes)
            .map_err(|error| CliError::failed(format!("cannot zip {binary}: {error}")))?;
        let path = file::within(folder, &program.zip);
        staged.add(path.clone(), &zip).map_err(unwritable)?;
        let built = BuiltZip {
            path,
            bytes: zip.len() as u64,
            sha256: hex::encode(Sha256::digest(&zip)),
            status: ArtifactStatus::Unchanged,
        };
        zips.push((binary.clone(), built));
    }
    if !too_new.is_empty() {
        let all = too_new.join(", ");
        return Err(
            CliError::failed(format!("Lambda has GLIBC {LAMBDA_GLIBC}, but {all}"))
                .hint(compiled.compiler.hint_for_glibc()),
        );
    }
    let written = staged.persist().map_err(unwritable)?;
    for ((_, zip), written) in zips.iter_mut().zip(written) {
        zip.status = match written {
            Written::Wrote => ArtifactStatus::Wrote,
            Written::Unchanged => ArtifactStatus::Unchanged,
        };
    }
    Ok(zips.into_iter().collect())
}

fn read(program: &Path) -> Result<Vec<u8>, CliError> {
    bounded::read(program, bounded::MAX_CODE).map_err(|error| {
        CliError::failed(format!("cannot read {}: {error}", program.display())).file(program)
    })
}

fn not_elf(program: &CompiledProgram, error: &object::Error) -> CliError {
    let path = program.path.display();
    CliError::failed(format!("{path} is no program for Lambda: {error}")).file(&program.path)
}

/// There is no flag for another folder, because templates refer to this one.
fn unwritable(error: CliError) -> CliError {
    error.hint("check that `target/lambda` beside stackgen.yaml is a folder that you may write to")
}
