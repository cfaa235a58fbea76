//! Reads of untrusted input: regular files only, and never more than a limit.
//!
//! A repository may contain a link to `/dev/zero`, a named pipe without a writer, or a file of any size, and a pull request
//! may add one. So every path from a user, a template or a folder is opened and read by this module. Links are followed;
//! their target must be a regular file.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Maximum size of JSON files other than templates (baselines, manifests of cloud assemblies), in bytes.
pub(crate) const MAX_JSON: u64 = 16 * MEBIBYTE;

/// Maximum size of a function's code, in bytes: twice Lambda's limit, because debug builds are large.
pub(crate) const MAX_CODE: u64 = 512 * MEBIBYTE;

pub(crate) const MEBIBYTE: u64 = 1024 * 1024;

/// Reason why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Error of the system.
    #[error("{}", crate::error::reason(.0))]
    Io(#[from] io::Error),
    /// A device, a pipe, a socket or a folder.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// Longer than this number of bytes.
    #[error("it is longer than {} MiB", .0 / MEBIBYTE)]
    TooLong(u64),
}

impl ReadError {
    /// Returns true if the file does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Opens a regular file. Never waits for a pipe's writer, and never opens a device.
///
/// # Errors
///
/// If the file does not exist, cannot be opened, or is not a regular file.
pub(crate) fn open(path: &Path) -> Result<File, ReadError> {
    // Opening a device may have effects, so the type is checked first. It is checked again after opening, because the path
    // may lead elsewhere by then.
    let kind = fs::metadata(path)?.file_type();
    if is_own_pipe(path, kind) {
        return Ok(File::open(path)?);
    }
    require_regular(kind)?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    require_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a regular file of up to `limit` bytes. The limit applies while reading, because reported lengths may be wrong, as
/// in `/proc`.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    read_stream(&mut open(path)?, limit)
}

/// Reads a stream of up to `limit` bytes, and stops at the first byte beyond it.
pub(crate) fn read_stream(stream: &mut impl Read, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    stream.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(ReadError::TooLong(limit)),
        false => Ok(bytes),
    }
}

/// Returns true for a pipe that the process was started with, as in `stackgen diff <(…) template.yaml`. Only the path
/// counts, not the target of a link, so that no file of a repository qualifies.
fn is_own_pipe(path: &Path, kind: FileType) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    let inherited = path == Path::new("/dev/stdin")
        || folders
            .iter()
            .any(|folder| path.parent() == Some(Path::new(folder)));
    inherited && kind.is_fifo()
}

fn require_regular(kind: FileType) -> Result<(), ReadError> {
    let other = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(ReadError::NotRegular(other))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn refused(path: &Path) -> String {
        read(path, 10).unwrap_err().to_string()
    }

    #[test]
    fn links_are_followed_to_regular_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").unwrap();
        symlink("file", at("link")).unwrap();
        assert_eq!(read(&at("link"), 10).unwrap(), b"text");
        symlink("/dev/zero", at("zero")).unwrap();
        assert_eq!(refused(&at("zero")), "it is a device, not a regular file");
        symlink("/dev/fd/0", at("stdin")).unwrap();
        assert!(!is_own_pipe(
            &at("stdin"),
            fs::metadata("/dev/null").unwrap().file_type()
        ));
        symlink("loop", at("loop")).unwrap();
        assert_eq!(refused(&at("loop")), "too many levels of symbolic links");
        assert_eq!(refused(folder.path()), "it is a folder, not a regular file");
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert_eq!(refused(&at("socket")), "it is a socket, not a regular file");
        assert!(read(&at("none"), 10).unwrap_err().is_not_found());
    }

    #[test]
    fn a_pipe_without_a_writer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(refused(&pipe), "it is a pipe, not a regular file");
    }

    #[test]
    fn the_limit_applies_to_files_and_to_endless_streams() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, [0; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap().len(), 10);
        fs::write(&path, [0; 11]).unwrap();
        assert!(matches!(read(&path, 10), Err(ReadError::TooLong(10))));
        let endless = read_stream(&mut io::repeat(0), 10);
        assert!(matches!(endless, Err(ReadError::TooLong(10))));
    }
}
