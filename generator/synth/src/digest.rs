//! Digests in logical IDs.

use sha2::{Digest, Sha256};

/// Returns the first ten hex digits of a text's SHA-256. That is enough to distinguish revisions of one resource.
pub(crate) fn short_digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    hex::encode(&digest[..5])
}
