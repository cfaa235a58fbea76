//! Client of a handshake or an open connection.

use std::sync::Arc;

use stackgen_gateway_common::FederatedCaller;

use super::principal::Principal;
use crate::connections::OpenConnection;

/// Data of a client that its events contain.
#[derive(Debug)]
pub(super) struct Client {
    /// Connection, which others can find only after the handshake (row C11).
    pub(super) connection: Arc<OpenConnection>,
    /// Request ID of the handshake.
    pub(super) handshake_id: String,
    /// Authority under which the client reached the API.
    pub(super) domain: String,
    /// Identity of Cognito that signed the handshake, if `$connect` has IAM authorization (row A14).
    pub(super) federated: Option<FederatedCaller>,
    /// Principal that the authorizer returned (row A10).
    pub(super) principal: Option<Principal>,
}
