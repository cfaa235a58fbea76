//! Files of a project's `vendor` folder: reads, and an update.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::compare::VendorComparison;
use super::update::VendorUpdate;
use crate::bounded::{self, ReadError};
use crate::error::{CliError, reason};
use crate::file;
use crate::library::{FileDigest, VENDOR_FOLDER, VendorRecord};
use crate::write;

/// Hint of an error about a file that cannot be read, written or removed.
const CHECK: &str = "check that you may read and change the folder vendor";

/// Reads a project's record of vendored files.
pub(super) fn read_record(project: &Path) -> Result<VendorRecord, CliError> {
    let path = file::within(project, &VendorRecord::path());
    let shown = path.display();
    let bytes = bounded::read(&path, bounded::MAX_JSON).map_err(|error| {
        let error = match error.is_not_found() {
            true => CliError::input(format!("there is no vendored library: {shown} does not exist"))
            .hint("name the folder of a project of `stackgen init` with `--project`. With `init --registry`, cargo updates the library"),
            false => CliError::input(format!("cannot read {shown}: {error}")).hint(CHECK),
        };
        error.file(&path)
    })?;
    VendorRecord::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        CliError::input(format!("cannot use {shown}: {error}"))
            .hint("restore it from version control, or use the version of stackgen that wrote it")
            .file(&path)
    })
}

/// Returns the digests of the project's files among `paths`.
pub(super) fn digests<'a>(
    project: &Path,
    paths: impl Iterator<Item = &'a String>,
) -> Result<BTreeMap<String, FileDigest>, CliError> {
    let mut digests = BTreeMap::new();
    for name in paths {
        let path = vendored(project, name);
        match bounded::read(&path, bounded::MAX_JSON) {
            Ok(bytes) => {
                digests.insert(name.clone(), FileDigest::of(&bytes));
            }
            Err(ReadError::Io(error)) if is_absent(&error) => {}
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                return Err(CliError::input(message).hint(CHECK).file(&path));
            }
        }
    }
    Ok(digests)
}

/// Returns the path of a vendored file.
pub(super) fn vendored(project: &Path, name: &str) -> PathBuf {
    file::within(project, &format!("{VENDOR_FOLDER}/{name}"))
}

impl VendorUpdate {
    /// Writes and removes files, and then writes the record. If this is interrupted, the same update completes it later.
    /// Returns true if anything changed.
    pub(super) fn apply(
        &self,
        comparison: &VendorComparison,
        project: &Path,
    ) -> Result<bool, CliError> {
        let files = self.write.iter();
        let files: Vec<_> = files
            .map(|(name, text)| (vendored(project, name), text.clone()))
            .collect();
        write::write_all(&files).map_err(|error| error.hint(CHECK))?;
        for name in &self.remove {
            remove(project, &vendored(project, name))?;
        }
        let record = file::within(project, &VendorRecord::path());
        let record = [(record, self.record.text())];
        write::write_all(&record).map_err(|error| error.hint(CHECK))?;
        let is_recorded = self.record == comparison.record;
        Ok(!is_recorded || !self.write.is_empty() || !self.remove.is_empty())
    }
}

/// Removes a file, and the folders that are empty without it.
fn remove(project: &Path, path: &Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => {
            let message = format!("cannot remove {}: {}", path.display(), reason(&error));
            return Err(CliError::failed(message).hint(CHECK).file(path));
        }
        _ => {}
    }
    let vendor = file::within(project, VENDOR_FOLDER);
    let folders = path.ancestors().skip(1);
    for folder in folders.take_while(|folder| *folder != vendor) {
        // The system refuses to remove a folder that is not empty.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Returns true if there is no such file, or a file in place of its folder.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
