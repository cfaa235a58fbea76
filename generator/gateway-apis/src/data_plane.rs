//! State that serves handshakes, messages and requests.

use std::sync::Arc;

use stackgen_gateway_common::endpoints::SendRequest;
use stackgen_gateway_common::invoke::Invoke;
use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::services::CallService;
use stackgen_gateway_common::{Events, FailureLog, Settings, Traffic};

use crate::apis::Apis;
use crate::connections::OpenConnections;

/// State that all APIs of a gateway share. The data plane reads APIs and calls functions; it changes only connections.
pub struct DataPlane {
    /// Account, region and limits.
    pub settings: Arc<Settings>,
    /// APIs with their stages.
    pub apis: Arc<Apis>,
    /// Functions.
    pub functions: Arc<dyn Invoke>,
    /// Services that integrations of the type `AWS` call.
    pub services: Arc<dyn CallService>,
    /// Client for integrations of the types `HTTP` and `HTTP_PROXY`.
    pub endpoints: Arc<dyn SendRequest>,
    /// Open connections.
    pub connections: Arc<OpenConnections>,
    /// Destination of access logs.
    pub logs: Arc<dyn PutLogs>,
    /// Events for users to follow.
    pub events: Events,
    /// Handshakes and frames of clients, for a recorder.
    pub traffic: Traffic,
    /// Latest failures, for clients that look up the reason.
    pub failures: FailureLog,
}
