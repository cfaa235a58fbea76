//! Who is at the other end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id that API Gateway gives a connection: opaque, base64 with `=` (row E0).
///
/// Whoever knows it and may call the management API can post to the connection; treat it as internal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Takes an id as it came from API Gateway.
    pub fn new(id: impl Into<String>) -> Self {
        ConnectionId(id.into())
    }

    /// The id as API Gateway spells it.
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
    fn an_id_is_spelled_as_it_came() {
        let id = ConnectionId::new("L0SM9cOFvHcCIhw=");
        assert_eq!(id.as_str(), "L0SM9cOFvHcCIhw=");
        assert_eq!(id.to_string(), id.as_str());
    }
}
