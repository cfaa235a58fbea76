//! Record of the files that were written to a project's `vendor`: `vendor/stackgen.json`.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::crates::{CRATES, RECORD_FILE, VENDOR_FOLDER};

/// Version of the record's form.
const FORMAT: u32 = 1;

/// SHA-256 of a file, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FileDigest(String);

impl FileDigest {
    /// Returns the digest of a file's bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        FileDigest(hex::encode(Sha256::digest(bytes)))
    }
}

/// Files that stackgen wrote, and the user's versions that stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VendorRecord {
    format: u32,
    /// Version of stackgen that wrote the files.
    pub(crate) stackgen: String,
    /// Digests of the files as stackgen wrote them, by their paths in `vendor`.
    pub(crate) files: BTreeMap<String, FileDigest>,
    /// Digests of files that the user changed and keeps; `null` for a file that the user removed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) kept: BTreeMap<String, Option<FileDigest>>,
}

/// Record that cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum RecordError {
    /// Not JSON, or not of the form of a record.
    #[error("it is not a record of `stackgen vendor`: {0}")]
    Malformed(String),
    /// Written by a version with another form.
    #[error("it has the format {0}, which this version of stackgen does not know")]
    Format(u32),
    /// A path that leads out of the library's crates.
    #[error("it names {0:?}, which is not a file of the library")]
    Foreign(String),
}

impl VendorRecord {
    /// Returns the record of files that this version of stackgen writes.
    pub(crate) fn of(files: &BTreeMap<String, String>) -> Self {
        let digests = files
            .iter()
            .map(|(path, text)| (path.clone(), FileDigest::of(text.as_bytes())));
        VendorRecord {
            format: FORMAT,
            stackgen: env!("CARGO_PKG_VERSION").to_owned(),
            files: digests.collect(),
            kept: BTreeMap::new(),
        }
    }

    /// Parses a record.
    ///
    /// # Errors
    ///
    /// If it is malformed, or names files elsewhere: files that it names may be replaced and deleted.
    pub(crate) fn parse(text: &str) -> Result<Self, RecordError> {
        let record: VendorRecord = serde_json::from_str(text)
            .map_err(|error| RecordError::Malformed(error.to_string()))?;
        if record.format != FORMAT {
            return Err(RecordError::Format(record.format));
        }
        let mut paths = record.files.keys().chain(record.kept.keys());
        match paths.find(|path| !is_of_library(path)) {
            Some(path) => Err(RecordError::Foreign(path.clone())),
            None => Ok(record),
        }
    }

    /// Returns the record as a file.
    pub(crate) fn text(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("a record is text and numbers with text as keys") + "\n"
    }

    /// Returns the path of the record in a project.
    pub(crate) fn path() -> String {
        format!("{VENDOR_FOLDER}/{RECORD_FILE}")
    }
}

/// Returns true if a path leads into the folder of one of the library's crates.
fn is_of_library(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    let in_crate = match parts.next() {
        Some(Component::Normal(folder)) => CRATES.iter().any(|it| folder == it.name),
        _ => false,
    };
    in_crate && parts.clone().count() > 0 && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let path = "stackgen-websocket/src/lib.rs".to_owned();
        let files = BTreeMap::from([(path.clone(), "code".to_owned())]);
        let mut record = VendorRecord::of(&files);
        assert_eq!(VendorRecord::parse(&record.text()), Ok(record.clone()));
        record.kept.insert(path.clone(), Some(FileDigest::of(b"x")));
        record.kept.insert(path.replace("lib", "clock"), None);
        assert_eq!(VendorRecord::parse(&record.text()), Ok(record));
    }

    #[test]
    fn a_record_cannot_name_files_outside_of_the_library() {
        for path in [
            "../main.rs",
            "/etc/passwd",
            "other/src/lib.rs",
            "stackgen-websocket",
            "stackgen-websocket/../../main.rs",
            "./stackgen-websocket/src/lib.rs",
            "",
        ] {
            for field in ["files", "kept"] {
                let mut record = VendorRecord::of(&BTreeMap::new());
                let digest = FileDigest::of(b"");
                match field {
                    "files" => drop(record.files.insert(path.to_owned(), digest)),
                    _ => drop(record.kept.insert(path.to_owned(), Some(digest))),
                }
                let foreign = RecordError::Foreign(path.to_owned());
                assert_eq!(VendorRecord::parse(&record.text()), Err(foreign), "{field}");
            }
        }
    }

    #[test]
    fn an_unknown_format_and_a_broken_file_are_errors() {
        let text = VendorRecord::of(&BTreeMap::new()).text();
        let later = text.replace("\"format\": 1", "\"format\": 2");
        assert_eq!(VendorRecord::parse(&later), Err(RecordError::Format(2)));
        let broken = VendorRecord::parse("{}").unwrap_err();
        assert!(matches!(broken, RecordError::Malformed(_)), "{broken}");
    }
}
