//! Reconciler: removes the records of connections whose `$disconnect` never came, and corrects counts.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use stackgen_websocket::metrics::{
    COUNTS_CORRECTED, GHOSTS_REMOVED, RECONCILIATIONS_CUT_SHORT, count, count_many,
};
use stackgen_websocket::{Broadcaster, Clock, ConnectionId, ConnectionProbe, PostError, Timestamp};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::disconnect::disconnect;
use crate::limits::{BROADCAST_DEADLINE, MAX_HANDSHAKE};
use crate::ports::{ConnectionAudit, Ports, Store, StoreResult};
use crate::{Connection, Role, SessionId};

/// Number of probes at once, and of records that are updated at once.
const PROBES_AT_ONCE: usize = 10;

/// Maximum number of a session's listeners that are removed between two looks at the clock.
const REMOVALS_AT_ONCE: usize = 200;

/// Longest time in which a speaker's connection is removed and its listeners are notified: two calls of a table that take up
/// to three seconds, and a broadcast.
const LONGEST_DISCONNECT: Duration = Duration::from_secs(6).saturating_add(BROADCAST_DEADLINE);

/// Settings of the reconciler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcileSettings {
    /// Time without a heartbeat after which a connection is probed. Clients send a heartbeat every 30 seconds.
    pub quiet_after: Duration,
    /// Time between the two probes that must both find a connection closed.
    pub confirm_after: Duration,
    /// Maximum number of records to read.
    pub max_records: usize,
    /// Maximum number of connections to probe in a run. The connections that were quiet for longest come first.
    pub max_probes: usize,
    /// Number of probes per second. They count in the account's request limit (row L5).
    pub probes_per_second: u32,
    /// Time for the probes of a run.
    pub budget: Duration,
    /// Time for the removals after the probes. With the budget, it is shorter than the function's timeout.
    pub removal_time: Duration,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        ReconcileSettings {
            quiet_after: Duration::from_secs(90),
            confirm_after: Duration::from_secs(60),
            max_records: 100_000,
            // As many as fit the budget at this rate.
            max_probes: 4_000,
            probes_per_second: 50,
            budget: Duration::from_secs(220),
            removal_time: Duration::from_secs(15),
        }
    }
}

/// Result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileReport {
    /// Number of records.
    pub records: usize,
    /// Number of connections that were probed.
    pub probed: usize,
    /// Number of removed records.
    pub removed: u32,
    /// Number of counters that were corrected.
    pub corrected: u32,
    /// True if the run read all records, probed all quiet connections, and wrote all that it found.
    pub is_complete: bool,
}

/// Removes the records of closed connections.
///
/// API Gateway may never send `$disconnect` (row M18). Then the listener's place stays taken until a message to it fails.
/// A record is removed only if two probes, at least [`ReconcileSettings::confirm_after`] apart, find the connection
/// closed: during its handshake an open connection answers the same (row C11). Connections that send heartbeats are not
/// probed. Each run starts anew, so an interrupted one leaves nothing behind.
///
/// # Errors
///
/// Fails if the tables cannot be read.
pub async fn reconcile<S: Store + ConnectionAudit, B: Broadcaster + ConnectionProbe, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: ReconcileSettings,
) -> StoreResult<ReconcileReport> {
    let start = Instant::now();
    // The other half is left to confirm what the first probes find.
    let half = settings.budget.saturating_sub(settings.confirm_after) / 2;
    let now = ports.clock.now();
    // Corrections leave time for the first probes.
    let audit = ports
        .store
        .audit(settings.max_records, now, start + half / 2);
    let audit = audit.await?;
    let records = audit.connections.len();
    let now = ports.clock.now();
    let mut quiet: Vec<_> = audit.connections;
    quiet.retain(|connection| is_quiet(connection, settings, now));
    quiet.sort_by_key(|connection| connection.last_seen_at);
    let all_quiet = quiet.len();
    quiet.truncate(settings.max_probes);
    let first = probe_all(ports, settings, quiet, start + half).await;
    let probed = first.open.len() + first.closed.len();
    let mut is_complete = audit.is_complete && probed == all_quiet;
    // The second probes begin by then, also with a slow table: half of the budget is left for them.
    let touch_until = start + half + settings.confirm_after;
    let touching = touch_all(ports, &first.open, now, touch_until);
    let mut removed = 0;
    if first.closed.is_empty() {
        is_complete &= touching.await;
    } else {
        let confirmed = Instant::now() + settings.confirm_after;
        let (touched, ()) = join(touching, sleep_until(confirmed)).await;
        let suspects = first.closed.len();
        let until = start + settings.budget;
        let second = probe_all(ports, settings, first.closed, until).await;
        let all_confirmed = second.open.len() + second.closed.len() == suspects;
        let removal = remove_all(ports, second.closed, until + settings.removal_time).await;
        removed = removal.removed;
        is_complete &= touched && all_confirmed && removal.failures == 0;
    }
    count_many(GHOSTS_REMOVED, removed.into());
    count_many(COUNTS_CORRECTED, audit.corrected.into());
    if !is_complete {
        count(RECONCILIATIONS_CUT_SHORT);
    }
    let corrected = audit.corrected;
    info!(
        records,
        probed, removed, corrected, is_complete, "Reconciled"
    );
    Ok(ReconcileReport {
        records,
        probed,
        removed,
        corrected,
        is_complete,
    })
}

/// Returns true if a connection has been open for longer than a handshake takes, and silent.
fn is_quiet(connection: &Connection, settings: ReconcileSettings, now: Timestamp) -> bool {
    let quiet_for = now.since(connection.last_seen_at.max(connection.connected_at));
    quiet_for > settings.quiet_after.max(MAX_HANDSHAKE)
}

/// Connections, by the answers to their probes.
#[derive(Default)]
struct Probed {
    open: Vec<Connection>,
    closed: Vec<Connection>,
}

/// Probes connections at the setting's rate. Those that are not reached by `until`, and those whose probe fails, are in neither
/// list. Stops when probes are throttled.
async fn probe_all<S, B: ConnectionProbe, C>(
    ports: &Ports<S, B, C>,
    settings: ReconcileSettings,
    connections: Vec<Connection>,
    until: Instant,
) -> Probed {
    let mut probed = Probed::default();
    let rate = f64::from(settings.probes_per_second.max(1));
    let pause = Duration::from_secs_f64(PROBES_AT_ONCE as f64 / rate);
    let mut next = Instant::now();
    let mut left = connections.into_iter();
    loop {
        let group: Vec<_> = left.by_ref().take(PROBES_AT_ONCE).collect();
        if group.is_empty() || next >= until {
            return probed;
        }
        sleep_until(next).await;
        next = Instant::now() + pause;
        let probes = group
            .iter()
            .map(|connection| ports.broadcaster.probe(&connection.connection_id));
        let answers = join_all(probes).await;
        let mut is_throttled = false;
        for (connection, answer) in group.into_iter().zip(answers) {
            match answer {
                Ok(()) => probed.open.push(connection),
                Err(PostError::Gone) => probed.closed.push(connection),
                Err(error) => {
                    is_throttled |= error == PostError::Busy;
                    warn!(connectionId = %connection.connection_id, %error, "Cannot probe a connection");
                }
            }
        }
        if is_throttled {
            return probed;
        }
    }
}

/// Records that connections are open, so that the next run begins with others. Returns false if there is no time for all.
async fn touch_all<S: Store, B, C>(
    ports: &Ports<S, B, C>,
    open: &[Connection],
    now: Timestamp,
    until: Instant,
) -> bool {
    for group in open.chunks(PROBES_AT_ONCE) {
        let touches = group
            .iter()
            .map(|connection| ports.store.touch(&connection.connection_id, now));
        let Ok(results) = timeout_at(until, join_all(touches)).await else {
            warn!("No time to record that connections are open");
            return false;
        };
        for error in results.into_iter().filter_map(Result::err) {
            warn!(%error, "Cannot record that a connection is open");
        }
    }
    true
}

/// Result of a removal.
#[derive(Default)]
struct Removal {
    removed: u32,
    failures: u32,
}

impl Removal {
    fn add(&mut self, result: StoreResult<u32>) {
        match result {
            Ok(removed) => self.removed += removed,
            Err(error) => {
                self.failures += 1;
                warn!(%error, "Cannot remove the records of closed connections");
            }
        }
    }

    fn lacks_time(&mut self) {
        self.failures += 1;
        warn!("No time to remove the records of closed connections");
    }
}

/// Removes records until the time is over. If the table fails, or there is no time, the records stay for the next run.
async fn remove_all<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    closed: Vec<Connection>,
    until: Instant,
) -> Removal {
    let mut removal = Removal::default();
    let mut listeners: BTreeMap<SessionId, Vec<ConnectionId>> = BTreeMap::new();
    let mut speakers = Vec::new();
    for connection in closed {
        match connection.role {
            Role::Listener => {
                let of_session = listeners.entry(connection.session_id).or_default();
                of_session.push(connection.connection_id);
            }
            Role::Speaker => speakers.push(connection.connection_id),
        }
    }
    // Listeners learn that the speaker left. What has begun is completed, because the next run finds no record.
    let last_speaker = until.checked_sub(LONGEST_DISCONNECT).unwrap_or(until);
    for id in speakers {
        if Instant::now() >= last_speaker {
            removal.lacks_time();
            break;
        }
        let gone = disconnect(ports, &id).await;
        removal.add(gone.map(|gone| gone.is_some().into()));
    }
    let now = ports.clock.now();
    for (session, ids) in listeners {
        for ids in ids.chunks(REMOVALS_AT_ONCE) {
            if Instant::now() >= until {
                removal.lacks_time();
                return removal;
            }
            let leaving = ports.store.remove_listeners(&session, ids, now);
            match timeout_at(until, leaving).await {
                Ok(result) => removal.add(result),
                Err(_) => removal.lacks_time(),
            }
        }
    }
    removal
}
