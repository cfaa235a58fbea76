//! Resources of the `random` provider. Their values are the same in every run.

use sha2::{Digest as _, Sha256};

use super::ResourceInstance;
use crate::value::HclValue;

/// Returns the attributes of a random resource; `None` for another type.
pub(super) fn attributes(instance: &ResourceInstance) -> Option<Vec<(&'static str, HclValue)>> {
    let number = |name: &str| instance.attributes.get(name).and_then(HclValue::as_number);
    let is_on = |name: &str| {
        instance
            .attributes
            .get(name)
            .and_then(HclValue::as_bool)
            .unwrap_or(true)
    };
    let prefix = instance
        .attributes
        .get("prefix")
        .and_then(HclValue::as_text)
        .unwrap_or_default();
    let digest = digest(&instance.address);
    let hex = hex::encode(&digest);
    Some(match instance.kind.as_str() {
        "random_string" | "random_password" => {
            let length = length(number("length").unwrap_or(16.0));
            let mut alphabet = String::new();
            if is_on("lower") || !is_on("upper") {
                alphabet.push_str("abcdefghijklmnopqrstuvwxyz");
            }
            if is_on("numeric") && is_on("number") {
                alphabet.push_str("0123456789");
            }
            let text = letters(&digest, alphabet.as_bytes(), length);
            vec![
                ("result", HclValue::text(&text)),
                ("id", HclValue::text(text)),
            ]
        }
        "random_id" => {
            let digits = 2 * length(number("byte_length").unwrap_or(8.0)).min(hex.len() / 2);
            let hex = &hex[..digits];
            vec![
                ("hex", HclValue::Text(format!("{prefix}{hex}"))),
                ("b64_url", HclValue::Text(format!("{prefix}{hex}"))),
                (
                    "dec",
                    HclValue::Text(format!(
                        "{prefix}{}",
                        u32::from(digest[0]) * 1000 + u32::from(digest[1])
                    )),
                ),
                ("id", HclValue::text(hex)),
            ]
        }
        "random_pet" => {
            let separator = instance
                .attributes
                .get("separator")
                .and_then(HclValue::as_text)
                .unwrap_or("-");
            let name = format!(
                "calm{separator}{}",
                letters(&digest, b"abcdefghijklmnopqrstuvwxyz", 6)
            );
            let name = match prefix {
                "" => name,
                prefix => format!("{prefix}{separator}{name}"),
            };
            vec![("id", HclValue::Text(name))]
        }
        "random_uuid" => {
            let uuid = format!(
                "{}-{}-4{}-8{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                &hex[17..20],
                &hex[20..32]
            );
            vec![
                ("result", HclValue::text(&uuid)),
                ("id", HclValue::text(uuid)),
            ]
        }
        "random_integer" => {
            let (min, max) = (number("min").unwrap_or(0.0), number("max").unwrap_or(0.0));
            let range = (max - min + 1.0).max(1.0);
            let value = min + (f64::from(digest[0]) * 256.0 + f64::from(digest[1])) % range;
            vec![
                ("result", HclValue::Number(value.floor())),
                ("id", HclValue::Number(value.floor())),
            ]
        }
        _ => return None,
    })
}

fn digest(address: &str) -> Vec<u8> {
    Sha256::digest(address.as_bytes()).to_vec()
}

fn length(number: f64) -> usize {
    /// Longer names are refused everywhere.
    const LONGEST: f64 = 128.0;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped"
    )]
    let length = number.clamp(1.0, LONGEST) as usize;
    length
}

/// Returns letters of an alphabet; the first is a letter, if the alphabet has one.
fn letters(digest: &[u8], alphabet: &[u8], length: usize) -> String {
    let alphabet = if alphabet.is_empty() {
        b"abcdefghijklmnopqrstuvwxyz"
    } else {
        alphabet
    };
    let bytes = digest.iter().cycle().take(length);
    bytes
        .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
        .collect()
}
