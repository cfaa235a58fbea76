//! Reconciler: runs on a schedule, removes the records of closed connections, and corrects counts.

use live_session_core::ports::{ConnectionAudit, Ports, Store, StoreError};
use live_session_core::{Clock, ReconcileReport, ReconcileSettings, reconcile};
use stackgen_websocket::{Broadcaster, ConnectionProbe};
use thiserror::Error;

/// A run that could not read the tables. The next one tries again.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("cannot reconcile connections: {0}")]
pub struct ReconcilerError(#[from] StoreError);

/// Handles one event of the schedule. Its content does not matter.
///
/// # Errors
///
/// Fails if the tables cannot be read.
pub async fn handle<S: Store + ConnectionAudit, B: Broadcaster + ConnectionProbe, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: ReconcileSettings,
) -> Result<ReconcileReport, ReconcilerError> {
    Ok(reconcile(ports, settings).await?)
}

/// Error that Lambda reports.
impl From<ReconcilerError> for lambda_runtime::Diagnostic {
    fn from(error: ReconcilerError) -> Self {
        lambda_runtime::Diagnostic {
            error_type: "ReconcilerError".to_owned(),
            error_message: error.to_string(),
        }
    }
}
