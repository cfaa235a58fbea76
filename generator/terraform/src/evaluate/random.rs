//! Resources of the `random` provider. Their values are the same in every run.

use sha2::{Digest as _, Sha256};

use super::ResourceInstance;
use crate::value::HclValue;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Attributes and their values.
type RandomAttributes = Vec<(&'static str, HclValue)>;

/// Returns the attributes of a random resource; `None` for another type.
pub(super) fn attributes(instance: &ResourceInstance) -> Option<RandomAttributes> {
    let digest = Sha256::digest(instance.address.as_bytes()).to_vec();
    let both = |text: String| {
        vec![
            ("result", HclValue::text(&text)),
            ("id", HclValue::Text(text)),
        ]
    };
    Some(match instance.kind.as_str() {
        "random_string" | "random_password" => both(random_text(instance, &digest)),
        "random_uuid" => both(uuid(&hex::encode(&digest))),
        "random_id" => random_id(instance, &digest),
        "random_pet" => vec![("id", HclValue::Text(pet(instance, &digest)))],
        "random_integer" => {
            let number = HclValue::Number(integer(instance, &digest));
            vec![("result", number.clone()), ("id", number)]
        }
        _ => return None,
    })
}

fn number(instance: &ResourceInstance, name: &str) -> Option<f64> {
    instance.attributes.get(name)?.as_number()
}

fn text<'i>(instance: &'i ResourceInstance, name: &str) -> Option<&'i str> {
    instance.attributes.get(name)?.as_text()
}

fn random_text(instance: &ResourceInstance, digest: &[u8]) -> String {
    let is_on = |name: &str| {
        let flag = instance.attributes.get(name).and_then(HclValue::as_bool);
        flag.unwrap_or(true)
    };
    let mut alphabet = String::new();
    if is_on("lower") || !is_on("upper") {
        alphabet.push_str(LETTERS);
    }
    if is_on("numeric") && is_on("number") {
        alphabet.push_str("0123456789");
    }
    if alphabet.is_empty() {
        alphabet.push_str(&LETTERS.to_uppercase());
    }
    let length = length(number(instance, "length").unwrap_or(16.0));
    letters(digest, &alphabet, length)
}

fn uuid(hex: &str) -> String {
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32],
    ];
    let [first, second, third, fourth, last] = parts;
    format!("{first}-{second}-4{third}-8{fourth}-{last}")
}

fn random_id(instance: &ResourceInstance, digest: &[u8]) -> RandomAttributes {
    let hex = hex::encode(digest);
    let bytes = length(number(instance, "byte_length").unwrap_or(8.0)).min(digest.len());
    let hex = &hex[..2 * bytes];
    let prefixed = format!("{}{hex}", text(instance, "prefix").unwrap_or_default());
    vec![
        ("hex", HclValue::text(&prefixed)),
        ("b64_url", HclValue::text(&prefixed)),
        ("b64_std", HclValue::Text(prefixed)),
        (
            "dec",
            HclValue::Text(u16::from_be_bytes([digest[0], digest[1]]).to_string()),
        ),
        ("id", HclValue::text(hex)),
    ]
}

fn pet(instance: &ResourceInstance, digest: &[u8]) -> String {
    let separator = text(instance, "separator").unwrap_or("-");
    let name = format!("calm{separator}{}", letters(digest, LETTERS, 6));
    match text(instance, "prefix").unwrap_or_default() {
        "" => name,
        prefix => format!("{prefix}{separator}{name}"),
    }
}

fn integer(instance: &ResourceInstance, digest: &[u8]) -> f64 {
    let bound = |name: &str| number(instance, name).unwrap_or_default();
    let range = (bound("max") - bound("min") + 1.0).max(1.0);
    let random = f64::from(u16::from_be_bytes([digest[0], digest[1]]));
    (bound("min") + random % range).floor()
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

fn letters(digest: &[u8], alphabet: &str, length: usize) -> String {
    let alphabet = alphabet.as_bytes();
    let bytes = digest.iter().cycle().take(length);
    bytes
        .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
        .collect()
}
