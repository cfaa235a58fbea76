//! Answers of integrations.

use bytes::Bytes;

/// Answer of an integration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IntegrationAnswer {
    /// Return value of a function.
    Returned(Bytes),
    /// Answer of an integration that is no proxy, as its integration response maps it, or of an HTTP endpoint.
    Mapped {
        status: u16,
        body: Option<String>,
        /// Subprotocol that an HTTP endpoint selected (row C9).
        protocol: Option<String>,
    },
}
