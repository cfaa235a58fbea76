//! Unpacks the zip with a function's code.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aws_lc_rs::digest;

use super::super::FunctionError;
use super::{CopiedCode, MAX_SIZE};

/// Maximum number of files in a zip.
const MAX_FILES: usize = 100_000;

/// Unpacks a zip into a new folder. No entry is written outside of it, links are refused, and sizes are counted while entries
/// are unpacked, because a zip may misstate them.
pub(super) fn unzip(zip: &[u8], root: &Path) -> Result<CopiedCode, FunctionError> {
    let mut archive =
        zip::ZipArchive::new(io::Cursor::new(zip)).map_err(|error| bad_zip(format!("{error}.")))?;
    if archive.len() > MAX_FILES {
        return Err(bad_zip(format!("It has more than {MAX_FILES} files.")));
    }
    fs::create_dir(root).map_err(|error| cannot_unpack(&error))?;
    let mut bytes_left = MAX_SIZE;
    for index in 0..archive.len() {
        let entry = archive
            .by_index(index)
            .map_err(|error| bad_zip(format!("{error}.")))?;
        let Some(relative) = entry.enclosed_name() else {
            return Err(bad_zip(format!("{:?} is outside of it.", entry.name())));
        };
        if entry.is_symlink() {
            return Err(bad_zip(format!("{:?} is a link.", entry.name())));
        }
        unpack(entry, &root.join(relative), &mut bytes_left)?;
    }
    let digest = digest::digest(&digest::SHA256, zip);
    Ok(CopiedCode {
        sha256: digest.as_ref().to_vec(),
        size: zip.len() as u64,
    })
}

/// Writes an entry of a zip to this path and subtracts its unpacked size from `bytes_left`.
fn unpack(
    entry: zip::read::ZipFile<'_, impl Read>,
    path: &Path,
    bytes_left: &mut u64,
) -> Result<(), FunctionError> {
    let name = entry.name().to_owned();
    // The folder was empty, so only another entry can stand in the way.
    let write_error = |error: io::Error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::IsADirectory | ErrorKind::NotADirectory => {
            bad_zip(format!(
                "{name:?} cannot be unpacked: an entry is a file where another needs a folder."
            ))
        }
        ErrorKind::InvalidFilename => bad_zip(format!("The name {name:?} is too long.")),
        _ => cannot_unpack(&error),
    };
    if entry.is_dir() {
        return fs::create_dir_all(path).map_err(write_error);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(write_error)?;
    }
    let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
    let mut file = File::create(path).map_err(write_error)?;
    let unpacked = io::copy(&mut entry.take(*bytes_left + 1), &mut file)
        .map_err(|error| bad_zip(format!("{error}.")))?;
    *bytes_left = bytes_left.checked_sub(unpacked).ok_or_else(|| {
        FunctionError::invalid(format!(
            "Unzipped size must be smaller than {MAX_SIZE} bytes"
        ))
    })?;
    // Always readable for the function; executable only if the zip says so.
    file.set_permissions(fs::Permissions::from_mode(mode | 0o644))
        .map_err(write_error)
}

/// Returns Lambda's error for a zip that cannot be unpacked: its message, and then the reason.
fn bad_zip(reason: String) -> FunctionError {
    FunctionError::invalid(format!(
        "Could not unzip uploaded file. Please check your file, then try to upload again. {reason}"
    ))
}

fn cannot_unpack(error: &io::Error) -> FunctionError {
    FunctionError::file("cannot unpack code", error)
}
