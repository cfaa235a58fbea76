//! The snapshot of an API in canonical form, and its digest.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::Model;
use crate::api::Api;
use crate::digest::sha256_hex;
use crate::parts::{
    Names, Naming, PartKind, api_parts, apply_service_defaults, in_snapshot, numbered,
};

/// Digest of the snapshot that a deployment holds (row D1): the SHA-256 hash of its canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SnapshotDigest(String);

impl SnapshotDigest {
    /// The version of the canonical form. A change of the form changes every digest, so that every stack deploys again.
    /// Tests with golden digests detect such a change.
    pub const VERSION: u32 = 1;

    /// Returns the first ten hexadecimal digits in upper case, which logical IDs contain.
    pub fn short(&self) -> String {
        self.0[..10].to_uppercase()
    }
}

/// Parses 64 hexadecimal digits.
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

/// Error for a text that is not the digest of a snapshot.
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

/// Properties of routes and responses that name models.
pub const MODEL_PROPERTIES: [&str; 2] = ["RequestModels", "ResponseModels"];

impl Api {
    /// Returns a digest that changes if and only if a change needs a new deployment to go live. It does not depend on
    /// order, on the logical IDs of routes, integrations, authorizers and models, or on whether a default of API
    /// Gateway is written. So the description of an account, which contains all defaults, has the same digest.
    pub fn snapshot_digest(&self, model: &Model) -> SnapshotDigest {
        SnapshotDigest(sha256_hex(self.snapshot(model).as_bytes()))
    }

    /// Returns the snapshot as canonical JSON: routes with their integrations and responses by route key, authorizers
    /// and models by name, integrations that no route uses, and the API's own properties that count. Models count only if
    /// a route or a response names one: the others have no effect.
    pub fn snapshot(&self, model: &Model) -> String {
        let names = Names::new(model, Naming::Physical);
        let mut sections = BTreeMap::from(SECTIONS.map(|section| (section, Vec::new())));
        let mut snapshot = Map::new();
        for mut part in api_parts(self, &names) {
            part.content
                .retain(|property, _| in_snapshot(&part.kind, property));
            apply_service_defaults(&part.kind, self.protocol, &mut part.content);
            match section(&part.kind) {
                Some(section) => sections
                    .entry(section)
                    .or_default()
                    .push((part.name, Json::Object(part.content))),
                // Nothing is left of stages and deployments, but some properties of the API are.
                None => snapshot.extend(part.content),
            }
        }
        if !sections[ROUTES].iter().any(|(_, route)| names_model(route)) {
            sections.insert(MODELS, Vec::new());
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

const ROUTES: &str = "Routes";
const MODELS: &str = "Models";
const SECTIONS: [&str; 4] = ["Authorizers", "Integrations", MODELS, ROUTES];

/// True if a property of a route, its integration or their responses names models. An unknown value may name one.
fn names_model(content: &Json) -> bool {
    match content {
        Json::Object(map) => map.iter().any(|(property, value)| {
            let names = MODEL_PROPERTIES.contains(&property.as_str());
            let is_empty = value.as_object().is_some_and(Map::is_empty);
            names && !is_empty || names_model(value)
        }),
        Json::Array(items) => items.iter().any(names_model),
        _ => false,
    }
}

/// Returns the section of a part.
fn section(kind: &PartKind) -> Option<&'static str> {
    match kind {
        PartKind::Authorizer => Some("Authorizers"),
        PartKind::Integration => Some("Integrations"),
        PartKind::Model => Some(MODELS),
        PartKind::Route => Some(ROUTES),
        _ => None,
    }
}
