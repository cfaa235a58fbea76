//! A function's code, and the copies of it that versions hold on to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use bytes::Bytes;

use super::FunctionError;
use super::unzip::unzip;

/// How large code may be once it is unpacked: Lambda's 250 MB, and as much again for debug builds.
pub(super) const LARGEST: u64 = 512 * 1024 * 1024;

/// Where a function's code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// An executable that speaks the Runtime API, or a folder with one called `bootstrap`.
    Bootstrap(PathBuf),
    /// A folder with sources, for Python and Node.
    Folder(PathBuf),
    /// A zip file, as it would be uploaded.
    Zip(PathBuf),
    /// The bytes of a zip file.
    ZipBytes(Bytes),
    /// Code that is not here, and why: invoking it fails with this.
    Absent(String),
}

impl Code {
    /// Copies it into a new folder. Blocks.
    ///
    /// # Errors
    ///
    /// If it is not there, or cannot be read.
    pub(super) fn copy(&self, root: &Path) -> Result<Measured, FunctionError> {
        let reading = |path: &Path, error: &io::Error| {
            FunctionError::file(format!("cannot read the code {}", path.display()), error)
        };
        match self {
            Code::Absent(reason) => Err(FunctionError::invalid(reason.clone())),
            Code::Bootstrap(path) if !path.is_dir() => {
                copy_bootstrap(path, root).map_err(|error| reading(path, &error))
            }
            Code::Bootstrap(path) | Code::Folder(path) => {
                copy_folder(path, root).map_err(|error| reading(path, &error))
            }
            Code::Zip(path) => {
                let zip = read_zip(path).map_err(|error| reading(path, &error))?;
                unzip(&zip, root)
            }
            Code::ZipBytes(zip) => unzip(zip, root),
        }
    }
}

/// A digest and a size in bytes.
pub(super) type Measured = (Vec<u8>, u64);

fn copy_bootstrap(from: &Path, root: &Path) -> io::Result<Measured> {
    fs::create_dir(root)?;
    let to = root.join("bootstrap");
    let size = copy_file(from, &to, LARGEST)?;
    fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    let mut digest = digest::Context::new(&digest::SHA256);
    // Of the copy: the original may be written anew at this moment.
    read_into(&to, &mut digest)?;
    Ok((digest.finish().as_ref().to_vec(), size))
}

fn copy_folder(from: &Path, root: &Path) -> io::Result<Measured> {
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut size = 0;
    fs::create_dir(root)?;
    let mut waiting = vec![PathBuf::new()];
    while let Some(folder) = waiting.pop() {
        let mut entries: Vec<_> =
            fs::read_dir(from.join(&folder))?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = folder.join(entry.file_name());
            // Links are followed, as packaging does: what they name may lie outside of the folder.
            if fs::metadata(entry.path())?.is_dir() {
                fs::create_dir(root.join(&path))?;
                waiting.push(path);
                continue;
            }
            let copy = root.join(&path);
            size += copy_file(&entry.path(), &copy, LARGEST - size)?;
            digest.update(path.as_os_str().as_encoded_bytes());
            digest.update(&[0]);
            // Whether a bootstrap may be executed decides whether it runs.
            digest.update(&copy.metadata()?.permissions().mode().to_be_bytes());
            read_into(&copy, &mut digest)?;
        }
    }
    Ok((digest.finish().as_ref().to_vec(), size))
}

/// Copies a regular file of up to `limit` bytes, and returns its size. Does not open anything else: a pipe would block, and a
/// device has no end.
fn copy_file(from: &Path, to: &Path, limit: u64) -> io::Result<u64> {
    require_regular(from, limit)?;
    fs::copy(from, to)
}

/// Reads a zip file of up to [`LARGEST`] bytes.
fn read_zip(path: &Path) -> io::Result<Vec<u8>> {
    require_regular(path, LARGEST)?;
    fs::read(path)
}

fn require_regular(path: &Path, limit: u64) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other(format!(
            "{} is no regular file",
            path.display()
        )));
    }
    if found.len() > limit {
        return Err(io::Error::other(format!("it is over {LARGEST} bytes")));
    }
    Ok(())
}

fn read_into(path: &Path, digest: &mut digest::Context) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        digest.update(&buffer[..read]);
    }
}
