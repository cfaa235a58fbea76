//! What a deployment snapshots, as a digest.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::Model;
use crate::api::Api;
use crate::digest::sha256_hex;
use crate::parts::{Kind, Names, Naming, api_parts, as_kept, in_snapshot, numbered};

/// The digest of what a deployment of an api snapshots (row D1): SHA-256 of its canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SnapshotDigest(String);

impl SnapshotDigest {
    /// The version of the canonical form. A change of it gives every wiring another digest, so that every stack deploys
    /// again: golden digests in the tests keep it from changing unnoticed.
    pub const VERSION: u32 = 1;

    /// The first ten hexadecimal digits in upper case: what a logical id carries.
    pub fn short(&self) -> String {
        self.0[..10].to_uppercase()
    }
}

/// From 64 hexadecimal digits.
impl FromStr for SnapshotDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_digest {
            true => Ok(SnapshotDigest(text.to_lowercase())),
            false => Err(NotADigest),
        }
    }
}

/// A text that is no digest of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest has 64 hexadecimal digits")
    }
}

impl std::error::Error for NotADigest {}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for SnapshotDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Api {
    /// A digest that changes exactly when a new deployment is needed to make a change live. It depends neither on
    /// order nor on the logical ids of routes, integrations, authorizers and models, nor on whether a default of API
    /// Gateway's is written down: a description of the account, which says them all, has the same digest.
    pub fn snapshot_digest(&self, model: &Model) -> SnapshotDigest {
        SnapshotDigest(sha256_hex(self.snapshot(model).as_bytes()))
    }

    /// What a deployment snapshots, as canonical JSON: routes with their integrations and responses by route key,
    /// authorizers and models by name, integrations that no route uses, and the api's own settings that count.
    pub fn snapshot(&self, model: &Model) -> String {
        let names = Names::new(model, Naming::Physical);
        let mut sections = BTreeMap::from(SECTIONS.map(|section| (section, Vec::new())));
        let mut snapshot = Map::new();
        for mut part in api_parts(self, &names) {
            part.content
                .retain(|property, _| in_snapshot(&part.kind, property));
            as_kept(&part.kind, self.protocol, &mut part.content);
            match section(&part.kind) {
                Some(section) => sections
                    .entry(section)
                    .or_default()
                    .push((part.name, Json::Object(part.content))),
                // What is left of a stage or a deployment is nothing; of the api, what counts.
                None => snapshot.extend(part.content),
            }
        }
        for (section, mut parts) in sections {
            parts.sort_by_cached_key(|(name, content)| (name.clone(), content.to_string()));
            snapshot.insert(section.to_owned(), Json::Object(numbered(parts)));
        }
        let mut snapshot = Json::Object(snapshot);
        snapshot.sort_all_objects();
        snapshot.to_string()
    }
}

const SECTIONS: [&str; 4] = ["Authorizers", "Integrations", "Models", "Routes"];

/// Where a part stands in the snapshot.
fn section(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Authorizer => Some("Authorizers"),
        Kind::Integration => Some("Integrations"),
        Kind::Model => Some("Models"),
        Kind::Route => Some("Routes"),
        _ => None,
    }
}
