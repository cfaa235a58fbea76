//! Principal of a connection.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::apis::Pairs;

/// Principal that the authorizer returned. All later events of the connection contain it (row A10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    /// `principalId`.
    pub(super) id: String,
    /// Context, with all values as strings.
    pub(super) context: Pairs,
    /// Duration of the authorizer's call in milliseconds.
    pub(super) integration_latency: u64,
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("principalId", &self.id)?;
        map.serialize_entry("integrationLatency", &self.integration_latency)?;
        for (key, value) in &self.context {
            // A context key cannot replace the principal.
            if !matches!(key.as_str(), "principalId" | "integrationLatency") {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}
