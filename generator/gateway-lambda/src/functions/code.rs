//! Code of functions, and its copies for versions.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use bytes::Bytes;

use super::FunctionError;

/// Maximum size of unpacked code in bytes: twice Lambda's 250 MB, because debug builds are larger.
const MAX_SIZE: u64 = 512 * 1024 * 1024;
/// Maximum number of files in a zip.
const MAX_FILES: usize = 100_000;

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
            Code::Bootstrap(path) if !path.is_dir() => {
                copy_bootstrap(path, root).map_err(|error| read_error(path, &error))
            }
            Code::Bootstrap(path) | Code::Folder(path) => {
                copy_folder(path, root).map_err(|error| read_error(path, &error))
            }
            Code::Zip(path) => {
                let zip = fs::read(path).map_err(|error| read_error(path, &error))?;
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
    let size = fs::copy(from, &to)?;
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
                fs::create_dir(root.join(&path))?;
                folders.push(path);
                continue;
            }
            size += fs::copy(entry.path(), root.join(&path))?;
            if size > MAX_SIZE {
                return Err(io::Error::other(format!(
                    "it is larger than {MAX_SIZE} bytes"
                )));
            }
            let copy = root.join(&path);
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

/// Unpacks a zip into a new folder. Entries cannot escape the folder, links are refused, and the size limit applies to the
/// unpacked bytes, not to the sizes that the zip declares.
fn unzip(zip: &[u8], root: &Path) -> Result<CopiedCode, FunctionError> {
    let invalid =
        |what: String| FunctionError::invalid(format!("Could not unzip uploaded file. {what}"));
    let broken = |error: zip::result::ZipError| invalid(format!("{error}."));
    let write_error = |error: io::Error| FunctionError::file("cannot unpack code", &error);
    let mut archive = zip::ZipArchive::new(io::Cursor::new(zip)).map_err(broken)?;
    if archive.len() > MAX_FILES {
        return Err(invalid(format!("It has more than {MAX_FILES} files.")));
    }
    fs::create_dir(root).map_err(write_error)?;
    let mut bytes_left = MAX_SIZE;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        let Some(relative) = entry.enclosed_name() else {
            return Err(invalid(format!("{:?} is outside of it.", entry.name())));
        };
        let path = root.join(relative);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(write_error)?;
            continue;
        }
        if entry.is_symlink() {
            return Err(invalid(format!("{:?} is a link.", entry.name())));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(write_error)?;
        }
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        let mut file = File::create(&path).map_err(write_error)?;
        let unpacked = io::copy(&mut entry.take(bytes_left + 1), &mut file)
            .map_err(|error| invalid(format!("{error}.")))?;
        bytes_left = bytes_left.checked_sub(unpacked).ok_or_else(|| {
            FunctionError::invalid(format!(
                "Unzipped size must be smaller than {MAX_SIZE} bytes"
            ))
        })?;
        // Always readable for the function; executable only if the zip says so.
        file.set_permissions(fs::Permissions::from_mode(mode | 0o644))
            .map_err(write_error)?;
    }
    let digest = digest::digest(&digest::SHA256, zip);
    Ok(CopiedCode {
        sha256: digest.as_ref().to_vec(),
        size: zip.len() as u64,
    })
}
