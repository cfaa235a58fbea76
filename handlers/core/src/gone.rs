//! Memory of connections that were found closed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stackgen_websocket::{ConnectionId, Timestamp};

use crate::Recipient;
use crate::limits::GONE_RETENTION;

/// Maximum number of connections to remember.
const MAX_REMEMBERED: usize = 10_000;

/// Connections that this execution environment found closed.
///
/// The index that lists a session's listeners lags behind, and the removal of their records takes a moment. Without this
/// memory, every chunk until then would post to the same closed connections, and remove the same records again.
#[derive(Debug, Default)]
pub(crate) struct GoneMemory(Mutex<HashMap<ConnectionId, Timestamp>>);

impl GoneMemory {
    /// Removes the recipients that are known to be closed.
    pub(crate) fn filter(&self, audience: &mut Vec<Recipient>) {
        let gone = self.lock();
        if !gone.is_empty() {
            audience.retain(|to| !gone.contains_key(&to.connection_id));
        }
    }

    /// Remembers connections. Returns those that are new.
    pub(crate) fn remember(
        &self,
        connections: Vec<ConnectionId>,
        now: Timestamp,
    ) -> Vec<ConnectionId> {
        let mut gone = self.lock();
        gone.retain(|_, found_at| now.since(*found_at) < GONE_RETENTION);
        let mut new = connections;
        // Connections beyond the maximum are found again by later chunks.
        new.retain(|id| gone.len() < MAX_REMEMBERED && gone.insert(id.clone(), now).is_none());
        new
    }

    /// Forgets connections, so that a later chunk finds them again.
    pub(crate) fn forget(&self, connections: &[ConnectionId]) {
        let mut gone = self.lock();
        for id in connections {
            gone.remove(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
