//! SHA-256 as text.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The digest in lower-case hexadecimal, 64 characters.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
    }
    hex
}
