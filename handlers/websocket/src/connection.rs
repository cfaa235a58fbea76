//! Connection IDs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Connection ID from API Gateway: opaque text in base64, with `=` (row E0).
///
/// With it and the permission to call the management API, anybody can post to the connection. Keep it internal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Returns an ID that came from API Gateway.
    pub fn new(id: impl Into<String>) -> Self {
        ConnectionId(id.into())
    }

    /// Returns the ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_unchanged() {
        let id = ConnectionId::new("L0SM9cOFvHcCIhw=");
        assert_eq!(id.as_str(), "L0SM9cOFvHcCIhw=");
        assert_eq!(id.to_string(), id.as_str());
    }
}
