//! Tables and a clock, and the steps that change them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use live_session::dynamo::{DynamoStore, RetryPolicy, StoreSettings};
use live_session_core::ports::{
    BroadcastChange, ConnectionAudit, ConnectionStore, SessionStore, StoreError, StoreResult,
};
use live_session_core::{
    Connection, ConnectionId, QualityTier, Session, SessionId, SessionStatus, Timestamp,
};
use tokio::time::Instant;

use super::check::{number, text};
use super::steps::{Batch, CONNECTIONS, LANGUAGES, Name, SESSIONS, Slot, Step};
use crate::support::database::Database;
use crate::support::faults::{Fault, Faults};
use crate::support::fixtures::*;

pub(crate) const CAPACITY: u32 = 3;

/// Maximum delay of expiry. DynamoDB documents a few days.
const LAG: Duration = Duration::from_secs(48 * 3600);

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) now: Timestamp,
    store: DynamoStore,
    faults: Faults,
    /// Number of each slot's current session.
    numbers: [AtomicU32; SESSIONS.len()],
}

impl World {
    pub(crate) async fn new(endpoint: &str) -> Self {
        let database = Database::at(endpoint).await;
        let faults = Faults::default();
        let retry = RetryPolicy {
            budget: Duration::from_secs(60),
            request_timeout: Duration::from_secs(20),
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(4),
        };
        // Pages of two listeners, so that removing all listeners takes several pages.
        let store = database.faulty_store(
            StoreSettings {
                retry,
                rate_retry: retry,
                page: Some(2),
            },
            &faults,
        );
        let numbers = [const { AtomicU32::new(100) }; SESSIONS.len()];
        let world = World {
            database,
            now: NOW,
            store,
            faults,
            numbers,
        };
        for slot in 0..SESSIONS.len() {
            assert_eq!(world.store.create(&world.new_session(slot)).await, Ok(true));
        }
        world
    }

    pub(crate) async fn run(&mut self, batch: &Batch) {
        self.pass(batch.after).await;
        self.faults.plan(batch.faults.iter().copied());
        let outcomes = join_all(batch.steps.iter().map(|step| self.step(*step))).await;
        self.faults.plan([]);
        let denied = batch.faults.contains(&Fault::Denied);
        for (step, outcome) in batch.steps.iter().zip(outcomes) {
            match outcome {
                // Interrupted, like a function that times out.
                Err(StoreError::Unavailable { .. }) if denied => {}
                outcome => assert_eq!(outcome, Ok(()), "{step:?}"),
            }
        }
    }

    /// Advances the clock. Expires items whose TTL passed longer than [`LAG`] ago: records long before their sessions.
    async fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.expire_connections(self.now.before(LAG)).await;
        self.expire_sessions(self.now.before(LAG)).await;
    }

    async fn expire_connections(&self, expired_before: Timestamp) {
        let table = &self.database.tables.connections;
        self.expire(table, "connectionId", "ttl", expired_before)
            .await;
    }

    async fn expire_sessions(&self, expired_before: Timestamp) {
        let table = &self.database.tables.sessions;
        self.expire(table, "sessionId", "expiresAt", expired_before)
            .await;
    }

    async fn expire(&self, table: &str, key: &str, ttl: &str, expired_before: Timestamp) {
        for item in self.database.scan(table).await {
            if number(&item, ttl) < expired_before.as_seconds() {
                self.database
                    .expire_item(table, key, text(&item, key))
                    .await;
            }
        }
    }

    async fn step(&self, step: Step) -> StoreResult<()> {
        match step {
            Step::Create(session) => self.create(session).await,
            Step::Listen { .. } | Step::Speak { .. } | Step::Exchange { .. } => {
                self.join(step).await
            }
            Step::ChangeLanguage { .. }
            | Step::RequestRefresh(_)
            | Step::Leave(_)
            | Step::Gone { .. } => self.change_or_leave(step).await,
            Step::Expire {
                sessions,
                connections,
            } => {
                if sessions {
                    self.expire_sessions(self.now).await;
                }
                if connections {
                    self.expire_connections(self.now).await;
                }
                Ok(())
            }
            Step::Audit => {
                let until = Instant::now() + MINUTE;
                self.store.audit(1_000, self.now, until).await.map(drop)
            }
            step => self.change_session(step).await,
        }
    }

    async fn create(&self, slot: Slot) -> StoreResult<()> {
        let current = self.store.session(&self.id(slot)).await?;
        if current.is_none_or(|session| session.status_at(self.now).is_over()) {
            self.numbers[slot].fetch_add(1, Ordering::SeqCst);
        }
        self.store.create(&self.new_session(slot)).await.map(drop)
    }

    async fn join(&self, step: Step) -> StoreResult<()> {
        let (store, now) = (&self.store, self.now);
        let (Step::Listen {
            connection,
            session,
        }
        | Step::Speak {
            connection,
            session,
            ..
        }
        | Step::Exchange {
            connection,
            session,
            ..
        }) = step
        else {
            unreachable!("{step:?} is no coming");
        };
        // As the rules do, which read the session before they admit a connection.
        let session = store.session(&self.id(session)).await?;
        let is_reconnect = !matches!(step, Step::Listen { .. });
        let Some(session) = session.filter(|session| match session.status_at(now) {
            SessionStatus::Active => true,
            status => is_reconnect && status.admits_reconnects(),
        }) else {
            return Ok(());
        };
        let listener = listener_record(connection, &session);
        let mut speaker = speaker(connection, &session);
        let admission = match step {
            Step::Speak { as_owner, .. } => {
                if !as_owner {
                    speaker.user_id = Some(user("bob"));
                }
                store.admit_speaker(&speaker, now).await
            }
            Step::Exchange { previous, .. } => {
                store.exchange_listener(&id(previous), &listener, now).await
            }
            _ => {
                store
                    .admit_listener(&listener, capacity(CAPACITY), now)
                    .await
            }
        };
        admission.map(drop)
    }

    async fn change_or_leave(&self, step: Step) -> StoreResult<()> {
        let (store, now) = (&self.store, self.now);
        match step {
            Step::ChangeLanguage {
                connection,
                language: tag,
            } => store
                .change_language(&id(connection), &language(tag), now)
                .await
                .map(drop),
            Step::RequestRefresh(connection) => {
                store.request_refresh(&id(connection), now).await.map(drop)
            }
            Step::Leave(connection) => store.remove(&id(connection), now).await.map(drop),
            Step::Gone {
                session,
                connections,
            } => {
                let ids = connections.map(id);
                store
                    .remove_listeners(&self.id(session), &ids, now)
                    .await
                    .map(drop)
            }
            _ => unreachable!("{step:?} is neither"),
        }
    }

    async fn change_session(&self, step: Step) -> StoreResult<()> {
        let (store, owner, now) = (&self.store, user(OWNER), self.now);
        match step {
            Step::SetStatus { session, to } => store
                .set_status(&self.id(session), &owner, to, now)
                .await
                .map(drop),
            Step::Mute(session) => {
                let change = BroadcastChange {
                    is_muted: Some(true),
                    ..Default::default()
                };
                store
                    .set_broadcast_state(&self.id(session), change, now)
                    .await
                    .map(drop)
            }
            Step::BeginEnd(session) => store
                .begin_end(&self.id(session), &owner, now)
                .await
                .map(drop),
            Step::RemovePage(session) => {
                let id = self.id(session);
                let session = store.session(&id).await?;
                if session.is_some_and(|session| session.status.is_over()) {
                    self.remove_page(&id).await?;
                }
                Ok(())
            }
            Step::FinishEnd(session) => store.finish_end(&self.id(session), now).await.map(drop),
            Step::End(session) => {
                let id = self.id(session);
                if store.begin_end(&id, &owner, now).await?.is_ok() {
                    while self.remove_page(&id).await? > 0 {}
                    store.finish_end(&id, now).await?;
                }
                Ok(())
            }
            _ => unreachable!("{step:?} changes no session"),
        }
    }

    async fn remove_page(&self, session: &SessionId) -> StoreResult<u32> {
        let page = self.store.listeners(session, None, None).await?;
        let listeners = page.listeners.into_iter();
        let ids: Vec<ConnectionId> = listeners.map(|listener| listener.connection_id).collect();
        self.store.remove_listeners(session, &ids, self.now).await
    }

    fn id(&self, slot: Slot) -> SessionId {
        let number = self.numbers[slot].load(Ordering::SeqCst);
        session_id(&format!("{}-{number}-k7dq2m9x4hw3t", SESSIONS[slot]))
    }

    fn new_session(&self, slot: Slot) -> Session {
        let tier = QualityTier::Standard;
        Session::new(self.id(slot), user(OWNER), language("en"), tier, self.now)
    }
}

/// Returns a listener's record. Every second connection is anonymous, and the others are Bob's.
fn listener_record(connection: Name, session: &Session) -> Connection {
    let index = CONNECTIONS
        .iter()
        .position(|one| *one == connection)
        .unwrap();
    Connection {
        user_id: (index % 2 == 1).then(|| user("bob")),
        target_language: Some(language(LANGUAGES[index % LANGUAGES.len()])),
        ..listener(connection, session)
    }
}
