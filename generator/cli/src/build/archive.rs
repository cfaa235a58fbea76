//! Zip files for Lambda, which depend on nothing but the program in them.

use std::io::{Cursor, Write};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Level of compression. Another level makes other bytes, so that Lambda gets all functions again.
const LEVEL: i64 = 6;

/// Returns a zip file with a program as `bootstrap`, the file that Lambda runs. Equal programs give equal bytes.
///
/// # Errors
///
/// If the program is longer than 4 GiB.
pub(super) fn bootstrap(program: &[u8]) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options)?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use sha2::{Digest, Sha256};
    use zip::ZipArchive;

    use super::*;

    /// Bytes that can be compressed, but not to nothing.
    fn program() -> Vec<u8> {
        (0..100_000_u32)
            .flat_map(|number| (number / 7).to_le_bytes())
            .collect()
    }

    #[test]
    fn a_zip_has_one_program_that_can_be_run_and_no_time_of_the_build() {
        let mut zip = ZipArchive::new(Cursor::new(bootstrap(&program()).unwrap())).unwrap();
        assert_eq!(zip.len(), 1);
        let mut entry = zip.by_index(0).unwrap();
        assert_eq!(entry.name(), "bootstrap");
        assert_eq!(entry.unix_mode().unwrap() & 0o7777, 0o755);
        let time = entry.last_modified().unwrap().to_string();
        assert_eq!(time, "1980-01-01 00:00:00");
        let mut unpacked = Vec::new();
        entry.read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, program());
    }

    /// If this digest changes, perhaps by an update of a dependency, every function of every user gets new code and a new
    /// version. The changelog must say so.
    #[test]
    fn a_program_always_gives_the_same_bytes() {
        let zip = bootstrap(&program()).unwrap();
        assert_eq!(zip, bootstrap(&program()).unwrap());
        let digest = hex::encode(Sha256::digest(&zip));
        insta::assert_snapshot!(digest, @"45b7517d24c9b7fd7a84ec50ca63617958552740148227fce3a45e65b7d91ca6");
    }
}
