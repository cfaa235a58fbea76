//! Answers of integrations.

use bytes::Bytes;

/// Answer of an integration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IntegrationAnswer {
    /// Return value of a function.
    Returned(Bytes),
    /// Answer of an integration that is no proxy, as its integration response maps it.
    Mapped { status: u16, body: Option<String> },
}
