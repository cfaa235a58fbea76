//! Digests for logical ids.

use sha2::{Digest, Sha256};

/// The first ten hex digits of a text's SHA-256: enough to tell the revisions of one thing apart.
pub(crate) fn short(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    hex::encode(&digest[..5])
}
