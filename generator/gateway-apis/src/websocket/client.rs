//! A client whose handshake is under way or was accepted.

use std::sync::Arc;

use super::authorizer::Principal;
use crate::connections::Connection;

/// What every event about a client says of it.
#[derive(Debug)]
pub(super) struct Client {
    /// Its connection, which others find only after the handshake (row C11).
    pub(super) connection: Arc<Connection>,
    /// The request id of its handshake.
    pub(super) handshake_id: String,
    /// The authority that it reached the api by.
    pub(super) domain: String,
    /// Who the authorizer says it is (row A10).
    pub(super) principal: Option<Principal>,
}
