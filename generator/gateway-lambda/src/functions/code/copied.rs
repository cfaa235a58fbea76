//! Copies of code, which exist as long as a version or a process needs them.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use tempfile::TempDir;

/// Immutable copy of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCopy {
    /// `CodeSha256`, in base64.
    pub sha256: String,
    /// `CodeSize` in bytes.
    pub size: u64,
    /// Folder for `LAMBDA_TASK_ROOT`, or the reason why there is none.
    pub root: Result<CodeFolder, String>,
    /// Absolute path of the folder that was copied. `None` for archives and programs.
    pub source: Option<PathBuf>,
}

/// Folder of a copy. It is removed with the last clone.
#[derive(Clone, Debug)]
pub struct CodeFolder(Arc<StoredFolder>);

#[derive(Debug)]
pub(in super::super) struct StoredFolder {
    path: PathBuf,
    /// Contains `path`; removed on drop.
    _folder: TempDir,
}

impl CodeFolder {
    /// Creates the folder of a new copy. `folder` contains `path`.
    pub(in super::super) fn new(path: PathBuf, folder: TempDir) -> Self {
        let stored = StoredFolder {
            path,
            _folder: folder,
        };
        CodeFolder(Arc::new(stored))
    }

    /// Returns the folder if it still exists.
    pub(in super::super) fn upgrade(folder: &Weak<StoredFolder>) -> Option<Self> {
        folder.upgrade().map(CodeFolder)
    }

    pub(in super::super) fn downgrade(&self) -> Weak<StoredFolder> {
        Arc::downgrade(&self.0)
    }
}

impl Deref for CodeFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0.path
    }
}

impl PartialEq for CodeFolder {
    fn eq(&self, other: &Self) -> bool {
        self.0.path == other.0.path
    }
}

impl Eq for CodeFolder {}
