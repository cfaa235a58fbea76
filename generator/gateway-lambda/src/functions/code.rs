//! A function's code, and the copies of it that versions hold on to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use bytes::Bytes;

use super::FunctionError;

/// How large code may be once it is unpacked: Lambda's 250 MB, and as much again for debug builds.
const LARGEST: u64 = 512 * 1024 * 1024;
/// How many files a zip may hold.
const MOST_FILES: usize = 100_000;

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
                let zip = fs::read(path).map_err(|error| reading(path, &error))?;
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
    let size = fs::copy(from, &to)?;
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
            size += fs::copy(entry.path(), root.join(&path))?;
            if size > LARGEST {
                return Err(io::Error::other(format!("it is over {LARGEST} bytes")));
            }
            let copy = root.join(&path);
            digest.update(path.as_os_str().as_encoded_bytes());
            digest.update(&[0]);
            // Whether a bootstrap may be executed decides whether it runs.
            digest.update(&copy.metadata()?.permissions().mode().to_be_bytes());
            read_into(&copy, &mut digest)?;
        }
    }
    Ok((digest.finish().as_ref().to_vec(), size))
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

/// Unpacks a zip into a folder of its own. No entry gets out of it, links are not made, and sizes are counted while they are
/// unpacked and not as the zip tells them.
fn unzip(zip: &[u8], root: &Path) -> Result<Measured, FunctionError> {
    let refused =
        |what: String| FunctionError::invalid(format!("Could not unzip uploaded file. {what}"));
    let broken = |error: zip::result::ZipError| refused(format!("{error}."));
    let writing = |error: io::Error| FunctionError::file("cannot unpack code", &error);
    let mut archive = zip::ZipArchive::new(io::Cursor::new(zip)).map_err(broken)?;
    if archive.len() > MOST_FILES {
        return Err(refused(format!("It has more than {MOST_FILES} files.")));
    }
    fs::create_dir(root).map_err(writing)?;
    let mut left = LARGEST;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        let Some(inside) = entry.enclosed_name() else {
            return Err(refused(format!("{:?} is outside of it.", entry.name())));
        };
        let path = root.join(inside);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(writing)?;
            continue;
        }
        if entry.is_symlink() {
            return Err(refused(format!("{:?} is a link.", entry.name())));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(writing)?;
        }
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        let mut file = File::create(&path).map_err(writing)?;
        let unpacked = io::copy(&mut entry.take(left + 1), &mut file)
            .map_err(|error| refused(format!("{error}.")))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            FunctionError::invalid(format!(
                "Unzipped size must be smaller than {LARGEST} bytes"
            ))
        })?;
        // Readable for the function whatever the zip says, and executable where it says so.
        file.set_permissions(fs::Permissions::from_mode(mode | 0o644))
            .map_err(writing)?;
    }
    let digest = digest::digest(&digest::SHA256, zip);
    Ok((digest.as_ref().to_vec(), zip.len() as u64))
}
