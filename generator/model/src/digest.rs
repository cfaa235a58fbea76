//! SHA-256 as text.

use sha2::{Digest, Sha256};

/// Returns the digest in lower-case hexadecimal, 64 characters.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
