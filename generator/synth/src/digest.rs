//! Digests for logical ids.

use sha2::{Digest, Sha256};

/// SHA-256 of a text, in lower-case hex.
pub(crate) fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The first ten hex digits: enough to tell the revisions of one thing apart.
pub(crate) fn short(text: &str) -> String {
    let mut digest = hex(text);
    digest.truncate(10);
    digest
}
