//! Code of functions, and its copies for versions.

mod copied;
mod layers;
mod unzip;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use bytes::Bytes;

use super::FunctionError;
pub(super) use copied::StoredFolder;
pub use copied::{CodeCopy, CodeFolder};
use unzip::unzip;

/// Maximum size of unpacked code in bytes: twice Lambda's 250 MB, because debug builds are larger.
const MAX_SIZE: u64 = 512 * 1024 * 1024;

/// Source of a function's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Executable that uses the Runtime API, or a folder with an executable named `bootstrap`.
    Bootstrap(PathBuf),
    /// Folder with sources for Python or Node.
    Folder(PathBuf),
    /// Zip file as for an upload.
    Zip(PathBuf),
    /// Bytes of a zip file.
    ZipBytes(Bytes),
    /// Layers in their order. Files of a later layer replace those of an earlier one.
    Layers(Vec<Code>),
    /// Code that was copied already.
    Copied(CodeCopy),
    /// Code that is missing, with the reason. Invocations fail with this reason.
    Absent(String),
}

impl Code {
    /// Copies the code into a new folder. Blocks.
    ///
    /// # Errors
    ///
    /// If the code is missing or cannot be read.
    pub(super) fn copy(&self, root: &Path) -> Result<CopiedCode, FunctionError> {
        let read_error = |path: &Path, error: &io::Error| {
            FunctionError::file(format!("cannot read the code {}", path.display()), error)
        };
        match self {
            Code::Absent(reason) => Err(FunctionError::invalid(reason.clone())),
            Code::Layers(layers) => layers::merge(layers, root),
            Code::Copied(copy) => match &copy.root {
                Ok(folder) => Code::Folder(folder.to_path_buf()).copy(root),
                Err(reason) => Err(FunctionError::invalid(reason.clone())),
            },
            Code::Bootstrap(path) if !path.is_dir() => {
                copy_bootstrap(path, root).map_err(|error| read_error(path, &error))
            }
            Code::Bootstrap(path) | Code::Folder(path) => {
                copy_folder(path, root).map_err(|error| read_error(path, &error))
            }
            Code::Zip(path) => {
                let zip = read_zip(path).map_err(|error| read_error(path, &error))?;
                unzip(&zip, root)
            }
            Code::ZipBytes(zip) => unzip(zip, root),
        }
    }
}

/// Digest and size of copied code.
pub(super) struct CopiedCode {
    /// SHA-256 of the zip file, or of the copied files.
    pub(super) sha256: Vec<u8>,
    /// Size in bytes: of the zip file, or of all copied files.
    pub(super) size: u64,
}

fn copy_bootstrap(from: &Path, root: &Path) -> io::Result<CopiedCode> {
    fs::create_dir(root)?;
    let to = root.join("bootstrap");
    let size = copy_file(from, &to, MAX_SIZE)?;
    fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    let mut digest = digest::Context::new(&digest::SHA256);
    // Hash the copy: a build may be overwriting the original.
    hash_file(&to, &mut digest)?;
    Ok(CopiedCode {
        sha256: digest.finish().as_ref().to_vec(),
        size,
    })
}

fn copy_folder(from: &Path, root: &Path) -> io::Result<CopiedCode> {
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut size = 0;
    fs::create_dir(root)?;
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            fs::read_dir(from.join(&folder))?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = folder.join(entry.file_name());
            // Links are followed, as packaging does, because their targets may be outside the folder.
            if fs::metadata(entry.path())?.is_dir() {
                // Virtual environments of Python are used where they are: a copy would not work.
                if entry.path().join("pyvenv.cfg").is_file() {
                    continue;
                }
                // A project's folder may be the code of its functions.
                if folder.as_os_str().is_empty() && is_of_tool(&entry.file_name()) {
                    continue;
                }
                fs::create_dir(root.join(&path))?;
                folders.push(path);
                continue;
            }
            let copy = root.join(&path);
            size += copy_file(&entry.path(), &copy, MAX_SIZE - size)?;
            digest.update(path.as_os_str().as_encoded_bytes());
            digest.update(&[0]);
            // The mode counts as code: a bootstrap must be executable.
            digest.update(&copy.metadata()?.permissions().mode().to_be_bytes());
            hash_file(&copy, &mut digest)?;
        }
    }
    Ok(CopiedCode {
        sha256: digest.finish().as_ref().to_vec(),
        size,
    })
}

/// Returns true for folders in which tools keep their own files, also the gateway's.
fn is_of_tool(name: &OsStr) -> bool {
    const TOOLS: [&str; 5] = [".aws-sam", ".git", ".serverless", ".stackgen", "cdk.out"];
    TOOLS.iter().any(|tool| name == *tool)
}

/// Copies a regular file of up to `limit` bytes and returns its size.
///
/// Does not open anything else: a pipe would block, and a device has no end.
fn copy_file(from: &Path, to: &Path, limit: u64) -> io::Result<u64> {
    require_regular(from, limit)?;
    fs::copy(from, to)
}

/// Reads a zip file of up to [`MAX_SIZE`] bytes.
fn read_zip(path: &Path) -> io::Result<Vec<u8>> {
    require_regular(path, MAX_SIZE)?;
    fs::read(path)
}

fn require_regular(path: &Path, limit: u64) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other(format!(
            "{} is not a regular file",
            path.display()
        )));
    }
    if metadata.len() > limit {
        return Err(io::Error::other(format!(
            "it is larger than {MAX_SIZE} bytes"
        )));
    }
    Ok(())
}

fn hash_file(path: &Path, digest: &mut digest::Context) -> io::Result<()> {
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
