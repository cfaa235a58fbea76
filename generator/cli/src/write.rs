//! Files: written whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::bounded;
use crate::error::{CliError, reason};
use crate::file;

/// What became of a file that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is new, or its bytes were others.
    Wrote,
    /// It held these bytes already, and was not touched.
    Unchanged,
}

impl Written {
    /// For a line about the file.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Written::Wrote => "wrote",
            Written::Unchanged => "unchanged",
        }
    }
}

/// Files on the disk beside their targets, which they replace together. Dropped, it leaves nothing behind.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    // Before the folders, which are removed only if they are empty.
    files: Vec<StagedFile>,
    folders: Folders,
}

#[derive(Debug)]
struct StagedFile {
    path: PathBuf,
    /// Where the text is and where it goes; `None` when the file holds it already. It is closed, because a process may
    /// have only so many open files.
    replacement: Option<(TempPath, PathBuf)>,
}

impl Staged {
    /// Writes a file beside its target.
    pub(crate) fn add(&mut self, path: PathBuf, text: &str) -> Result<(), CliError> {
        let same = current(&path).is_some_and(|old| old == text.as_bytes());
        let replacement = match same {
            true => None,
            false => Some(stage(&path, text, &mut self.folders)?),
        };
        self.files.push(StagedFile { path, replacement });
        Ok(())
    }

    /// Puts all files in place, each one whole by a rename.
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

/// Puts files in place: each one whole by a rename, and none before all of them could be written to the disk.
pub(crate) fn write_all(files: &[(PathBuf, String)]) -> Result<Vec<Written>, CliError> {
    let mut staged = Staged::default();
    for (path, text) in files {
        staged.add(path.clone(), text)?;
    }
    staged.persist()
}

/// Puts new files in place, or none when one of them exists.
pub(crate) fn create_all(files: &[(PathBuf, String)]) -> Result<(), CliError> {
    let mut folders = Folders::default();
    let mut staged = Vec::new();
    for (path, text) in files {
        staged.push((path, stage(path, text, &mut folders)?));
    }
    let mut created: Vec<&Path> = Vec::new();
    for (path, (file, target)) in staged {
        if let Err(error) = file.persist_noclobber(target) {
            // Whoever came in between keeps what they wrote; what we wrote goes again.
            for path in created {
                let _ = fs::remove_file(path);
            }
            return Err(unwritable(path, &error.error));
        }
        created.push(path);
    }
    Ok(())
}

/// The bytes that a file holds now; `None` when there is none, or one longer than whatever is written.
pub(crate) fn current(path: &Path) -> Option<Vec<u8>> {
    bounded::read(path, bounded::MAX_JSON).ok()
}

/// The folders that were made for files. In the end those that stayed empty are removed again: a run that fails
/// leaves nothing behind.
#[derive(Debug, Default)]
struct Folders(Vec<PathBuf>);

impl Folders {
    fn make(&mut self, folder: &Path) -> io::Result<()> {
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

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // Refused for a folder that holds something, which is what keeps it.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn stage(path: &Path, text: &str, folders: &mut Folders) -> Result<(TempPath, PathBuf), CliError> {
    beside(path, text, folders).map_err(|error| unwritable(path, &error))
}

/// The text in a temporary file beside its target, and the target. A link is followed, so that it stays a link.
fn beside(path: &Path, text: &str, folders: &mut Folders) -> io::Result<(TempPath, PathBuf)> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A rename would put a file where a device or a pipe was.
        Ok(there) if !there.is_file() => return Err(io::Error::other("it is not a regular file")),
        _ => {}
    }
    let folder = file::parent(&target);
    folders.make(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stackgen-");
    if let Some(permissions) = permissions(&target) {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok((file.into_temp_path(), target))
}

/// Those of the file that is replaced, otherwise what the umask leaves of 0666: a temporary file alone would be 0600.
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
    // The nearest that exists: a file where a folder should be says more than what the system says of it.
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
    fn a_file_that_cannot_be_staged_keeps_the_others_unwritten() {
        let root = tempfile::tempdir().unwrap();
        let (good, bad) = (root.path().join("good"), root.path().join("file/bad"));
        fs::write(root.path().join("file"), "").unwrap();
        let files = [(good.clone(), "text".to_owned()), (bad, "text".to_owned())];
        assert!(write_all(&files).is_err());
        assert!(!good.exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_made_for_nothing_go_again_and_others_stay() {
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
