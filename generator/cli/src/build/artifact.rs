//! Results of a build.

use std::path::PathBuf;

use serde::Serialize;

/// Code of a function, ready to be uploaded to Lambda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BuiltArtifact {
    /// Name of the function in stackgen.yaml.
    pub(crate) function: String,
    /// Cargo binary; `None` if stackgen.yaml names a zip file.
    pub(crate) binary: Option<String>,
    /// Lambda's name of the architecture.
    pub(crate) architecture: &'static str,
    /// Path of the zip file.
    pub(crate) path: PathBuf,
    /// Length of the zip file.
    pub(crate) bytes: u64,
    /// SHA-256 of the zip file, in lower-case hex.
    pub(crate) sha256: String,
    /// What happened to the zip file.
    pub(crate) status: ArtifactStatus,
}

/// What a build did to a zip file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ArtifactStatus {
    /// The file is new or was changed.
    Wrote,
    /// The file had the same bytes and was not touched.
    Unchanged,
    /// stackgen.yaml names the file, and something else makes it.
    Existing,
}
