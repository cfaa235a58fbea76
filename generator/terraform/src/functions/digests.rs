//! Digests of texts and files.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::arguments::text;
use super::file_functions::content;
use super::{FunctionContext, FunctionResult};
use crate::value::HclValue;

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    let (is_file, digest) = match name.strip_prefix("file") {
        Some(digest) => (true, digest),
        None => (false, name),
    };
    let digest: fn(&[u8]) -> String = match digest {
        "md5" => |bytes| hex::encode(Md5::digest(bytes)),
        "sha1" => |bytes| hex::encode(Sha1::digest(bytes)),
        "sha256" => |bytes| hex::encode(Sha256::digest(bytes)),
        "sha512" => |bytes| hex::encode(Sha512::digest(bytes)),
        "base64sha256" => |bytes| STANDARD.encode(Sha256::digest(bytes)),
        "base64sha512" => |bytes| STANDARD.encode(Sha512::digest(bytes)),
        _ => return None,
    };
    Some(text(arguments, 0).and_then(|text| {
        if !is_file {
            return Ok(Some(HclValue::Text(digest(text.as_bytes()))));
        }
        let content = content(context, Path::new(&text))?;
        Ok(content.map(|content| HclValue::Text(digest(&content))))
    }))
}
