//! Atomic writes of files.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::bounded;
use crate::error::{CliError, reason};
use crate::file;

/// Result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The file is new or was changed.
    Wrote,
    /// The file had the same bytes and was not touched.
    Unchanged,
}

impl Written {
    /// Returns the verb for a line about the file.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Written::Wrote => "wrote",
            Written::Unchanged => "unchanged",
        }
    }
}

/// Temporary files beside their targets, which they replace together. Dropping it removes them.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    // Dropped before the folders, which are removed only if they are empty.
    files: Vec<StagedFile>,
    folders: CreatedFolders,
}

#[derive(Debug)]
struct StagedFile {
    path: PathBuf,
    /// Temporary file and target; `None` if the file has the bytes already. The temporary file is closed, because the number
    /// of open files is limited.
    replacement: Option<(TempPath, PathBuf)>,
}

impl Staged {
    /// Writes a temporary file beside its target.
    pub(crate) fn add(&mut self, path: PathBuf, bytes: &[u8]) -> Result<(), CliError> {
        let replacement = match holds(&path, bytes) {
            true => None,
            false => Some(stage(&path, bytes, &mut self.folders)?),
        };
        self.files.push(StagedFile { path, replacement });
        Ok(())
    }

    /// Replaces all targets, each by a rename.
    pub(crate) fn persist(self) -> Result<Vec<Written>, CliError> {
        let mut written = Vec::new();
        for StagedFile { path, replacement } in self.files {
            written.push(match replacement {
                None => Written::Unchanged,
                Some((file, target)) => {
                    file.persist(target)
                        .map_err(|error| unwritable(&path, &error.error))?;
                    Written::Wrote
                }
            });
        }
        Ok(written)
    }
}

/// Writes files: each is replaced by a rename, and none before all of them are on the disk.
pub(crate) fn write_all(files: &[(PathBuf, String)]) -> Result<Vec<Written>, CliError> {
    let mut staged = Staged::default();
    for (path, text) in files {
        staged.add(path.clone(), text.as_bytes())?;
    }
    staged.persist()
}

/// Writes new files, or none if one of them exists.
pub(crate) fn create_all(files: &[(PathBuf, String)]) -> Result<(), CliError> {
    let mut folders = CreatedFolders::default();
    let mut staged = Vec::new();
    for (path, text) in files {
        staged.push((path, stage(path, text.as_bytes(), &mut folders)?));
    }
    let mut created: Vec<&Path> = Vec::new();
    for (path, (file, target)) in staged {
        if let Err(error) = file.persist_noclobber(target) {
            // Another process created the file meanwhile: it stays, and ours are removed.
            for path in created {
                let _ = fs::remove_file(path);
            }
            return Err(unwritable(path, &error.error));
        }
        created.push(path);
    }
    Ok(())
}

/// Replaces a file by a rename, without its folder. Only its owner can read it.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Only the owner can read a temporary file, and a rename keeps its mode.
    let mut file = NamedTempFile::new_in(file::parent(path))?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the bytes of a file; `None` if it does not exist, or is longer than any file that is written here.
pub(crate) fn current(path: &Path) -> Option<Vec<u8>> {
    bounded::read(path, bounded::MAX_JSON).ok()
}

/// Returns true if a file has these bytes. A longer file is not read to its end.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    bounded::read(path, bytes.len() as u64).is_ok_and(|old| old == bytes)
}

/// Folders that were created for files. Dropping it removes those that are empty, so that a failed run leaves nothing.
#[derive(Debug, Default)]
struct CreatedFolders(Vec<PathBuf>);

impl CreatedFolders {
    fn create(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|folder| *folder != Path::new("") && !folder.exists());
        let missing: Vec<_> = missing.collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => self.0.push(folder.to_owned()),
                Err(_) if folder.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // The system refuses to remove a folder that is not empty.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn stage(
    path: &Path,
    bytes: &[u8],
    folders: &mut CreatedFolders,
) -> Result<(TempPath, PathBuf), CliError> {
    write_beside(path, bytes, folders).map_err(|error| unwritable(path, &error))
}

/// Writes a temporary file beside the target, and returns both. A link is followed, so that it stays a link.
fn write_beside(
    path: &Path,
    bytes: &[u8],
    folders: &mut CreatedFolders,
) -> io::Result<(TempPath, PathBuf)> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A rename would replace a device or a pipe by a file.
        Ok(there) if !there.is_file() => return Err(io::Error::other("it is not a regular file")),
        _ => {}
    }
    let folder = file::parent(&target);
    folders.create(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stackgen-");
    if let Some(permissions) = permissions(&target) {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    Ok((file.into_temp_path(), target))
}

/// Returns the permissions of the file that is replaced, or else 0666 less the umask: a temporary file has 0600.
#[cfg(unix)]
fn permissions(target: &Path) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    let existing = fs::metadata(target)
        .ok()
        .map(|metadata| metadata.permissions());
    Some(existing.unwrap_or_else(|| Permissions::from_mode(0o666)))
}

#[cfg(not(unix))]
fn permissions(_target: &Path) -> Option<Permissions> {
    None
}

fn unwritable(path: &Path, error: &io::Error) -> CliError {
    // A file in place of a folder is a better reason than the system's.
    let nearest = path.ancestors().skip(1).find(|folder| folder.exists());
    let (why, hint) = match nearest {
        Some(file) if file.is_file() => (
            format!("{} is a file, not a folder", file.display()),
            "move it away, or name another folder with `--out`",
        ),
        _ => (
            reason(error),
            "check that you may write to the folder, or name another with `--out`",
        ),
    };
    CliError::input(format!("cannot write {}: {why}", path.display()))
        .hint(hint)
        .file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_written_if_one_cannot_be_staged() {
        let root = tempfile::tempdir().unwrap();
        let (good, bad) = (root.path().join("good"), root.path().join("file/bad"));
        fs::write(root.path().join("file"), "").unwrap();
        let files = [(good.clone(), "text".to_owned()), (bad, "text".to_owned())];
        assert!(write_all(&files).is_err());
        assert!(!good.exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_created_in_vain_are_removed_and_others_stay() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("there")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let at = |path: &str| (root.path().join(path), "text".to_owned());
        let files = [at("there/new/a"), at("new/newer/b"), at("file/c")];
        assert!(write_all(&files).is_err());
        assert!(create_all(&files).is_err());
        assert!(root.path().join("there").is_dir());
        assert!(!root.path().join("there/new").exists());
        assert!(!root.path().join("new").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_replaced() {
        let null = [(PathBuf::from("/dev/null"), "text".to_owned())];
        assert!(write_all(&null).is_err());
        assert!(!Path::new("/dev/null").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let written = write_all(&[(link.clone(), "new".to_owned())]).unwrap();
        assert_eq!(written, [Written::Wrote]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn an_equal_file_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        let files = [(root.path().join("a/b/file"), "text".to_owned())];
        assert_eq!(write_all(&files).unwrap(), [Written::Wrote]);
        assert_eq!(write_all(&files).unwrap(), [Written::Unchanged]);
    }
}
