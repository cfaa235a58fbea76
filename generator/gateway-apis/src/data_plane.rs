//! What handshakes, messages and requests are served from.

use std::sync::Arc;

use stackgen_gateway_common::invoke::Invoke;
use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::{Events, FailureLog, Settings};

use crate::apis::Apis;
use crate::connections::Connections;

/// What all apis of a gateway share. The data plane reads apis, calls functions, and changes nothing but connections.
pub struct DataPlane {
    /// Account, region and limits.
    pub settings: Arc<Settings>,
    /// What stages serve.
    pub apis: Arc<Apis>,
    /// What runs functions.
    pub functions: Arc<dyn Invoke>,
    /// Open connections.
    pub connections: Arc<Connections>,
    /// Where access logs go.
    pub logs: Arc<dyn PutLogs>,
    /// What people follow.
    pub events: Events,
    /// Latest failures, for clients that ask why.
    pub failures: FailureLog,
}
