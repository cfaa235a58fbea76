//! Operations on sessions: created once, changed by their owner, ended in two steps.

use live_session_core::limits::{CREATION_KEY_RETENTION, MAX_SESSION};
use live_session_core::ports::{
    BroadcastChange, SessionRefusal, SessionStore, StoreError, StoreResult,
};
use live_session_core::{
    BroadcastState, CreationKey, ListenerCounts, Session, SessionId, SessionStatus, Timestamp,
    UserId,
};

use super::DynamoStore;
use super::item;
use super::schema::RATE_LIMITS;
use super::store::{self, WriteResult, session_key};
use super::write::{ConditionalWrite, ItemChange};

/// Condition that the session is not over.
pub(super) const NOT_OVER: &str =
    "attribute_exists(#sessionId) AND #status IN (:active, :paused) AND #createdAt > :horizon";

impl DynamoStore {
    /// Returns an update of a session's item.
    pub(super) fn session_update(
        &self,
        id: &SessionId,
        expression: impl Into<String>,
    ) -> ConditionalWrite {
        let (key, expression) = (session_key(id), expression.into());
        ConditionalWrite::new(
            &self.tables.sessions,
            ItemChange::Update { key, expression },
        )
    }
}

/// Returns the earliest creation time of sessions that have not reached their maximum duration.
fn horizon(now: Timestamp) -> Timestamp {
    now.before(MAX_SESSION)
}

impl SessionStore for DynamoStore {
    async fn create(&self, session: &Session) -> StoreResult<bool> {
        let mut call = self.call("create");
        let put =
            ConditionalWrite::new(&self.tables.sessions, ItemChange::Put(item::write(session)))
                .when("attribute_not_exists(#sessionId)");
        match self.write(&mut call, put).await? {
            WriteResult::Done(_) => Ok(true),
            // An earlier attempt of this call may have written it, and its response was lost.
            WriteResult::ConditionFailed(Some(item)) if call.maybe_written => {
                Ok(item::read::<Session>(call.operation, item)? == *session)
            }
            WriteResult::ConditionFailed(_) => Ok(false),
        }
    }

    /// Writes the ID unless there is one, and returns what the item then has: one request, which may be repeated.
    async fn reserve_id(
        &self,
        owner: &UserId,
        key: &CreationKey,
        candidate: &SessionId,
        now: Timestamp,
    ) -> StoreResult<SessionId> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reserved {
            session_id: SessionId,
        }
        let mut call = self.call("reserve_id");
        let expression = "SET #sessionId = if_not_exists(#sessionId, :candidate), \
                          #expiresAt = if_not_exists(#expiresAt, :expires)";
        let update = ItemChange::Update {
            key: store::key(RATE_LIMITS.key, &key.reservation(owner)),
            expression: expression.to_owned(),
        };
        let table = self.rate_limits_table(call.operation)?;
        let expires = now.after(CREATION_KEY_RETENTION).as_seconds();
        let update = ConditionalWrite::new(table, update)
            // After its expiry, an item that DynamoDB has not deleted yet still names a session that is over.
            .when("attribute_not_exists(#identifier) OR attribute_exists(#sessionId)")
            .with(":candidate", candidate)
            .with(":expires", &expires);
        match self.write(&mut call, update).await? {
            WriteResult::Done(item) => {
                let item: Reserved = item::read(call.operation, item.unwrap_or_default())?;
                Ok(item.session_id)
            }
            WriteResult::ConditionFailed(_) => Err(StoreError::Corrupt {
                operation: call.operation,
                reason: "sessionId: missing".to_owned(),
            }),
        }
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        let mut call = self.call("session");
        let item = self
            .get(&mut call, &self.tables.sessions, session_key(id))
            .await?;
        item.map(|item| item::read(call.operation, item))
            .transpose()
    }

    async fn listener_counts(&self, id: &SessionId) -> StoreResult<ListenerCounts> {
        self.counts("listener_counts", id).await
    }

    async fn set_status(
        &self,
        id: &SessionId,
        owner: &UserId,
        to: SessionStatus,
        now: Timestamp,
    ) -> StoreResult<Result<Session, SessionRefusal>> {
        let update = self
            .session_update(id, "SET #status = :to, #updatedAt = :now")
            .when(format!("{NOT_OVER} AND #speakerId = :owner"))
            .with(":to", &to)
            .with(":owner", owner);
        let update = with_not_over_values(update, now).with(":now", &now);
        self.change_session("set_status", update, Some(owner), now)
            .await
    }

    async fn set_broadcast_state(
        &self,
        id: &SessionId,
        change: BroadcastChange,
        now: Timestamp,
    ) -> StoreResult<Result<BroadcastState, SessionRefusal>> {
        let mut expression =
            "SET #broadcastState.#lastStateChange = :now, #updatedAt = :now".to_owned();
        if change.is_paused.is_some() {
            expression += ", #broadcastState.#isPaused = :isPaused";
        }
        if change.is_muted.is_some() {
            expression += ", #broadcastState.#isMuted = :isMuted";
        }
        if change.volume.is_some() {
            expression += ", #broadcastState.#volume = :volume";
        }
        let mut update = self.session_update(id, expression).when(NOT_OVER);
        if let Some(is_paused) = change.is_paused {
            update = update.with(":isPaused", &is_paused);
        }
        if let Some(is_muted) = change.is_muted {
            update = update.with(":isMuted", &is_muted);
        }
        if let Some(volume) = change.volume {
            update = update.with(":volume", &volume);
        }
        let update = with_not_over_values(update, now).with(":now", &now);
        let changed = self
            .change_session("set_broadcast_state", update, None, now)
            .await?;
        Ok(changed.map(|session| session.broadcast_state))
    }

    async fn begin_end(
        &self,
        id: &SessionId,
        owner: &UserId,
        now: Timestamp,
    ) -> StoreResult<Result<Session, SessionRefusal>> {
        let mut call = self.call("begin_end");
        // This also applies after the maximum duration, so that the last listeners are removed.
        let update = self
            .session_update(id, "SET #status = :ending, #updatedAt = :now")
            .when("#speakerId = :owner AND #status IN (:active, :paused)")
            .with(":ending", &SessionStatus::Ending)
            .with(":owner", owner)
            .with(":active", &SessionStatus::Active)
            .with(":paused", &SessionStatus::Paused)
            .with(":now", &now);
        let (WriteResult::Done(item) | WriteResult::ConditionFailed(item)) =
            self.write(&mut call, update).await?;
        let Some(item) = item else {
            return Ok(Err(SessionRefusal::NoSession));
        };
        let session: Session = item::read(call.operation, item)?;
        if session.speaker_id != *owner {
            return Ok(Err(SessionRefusal::NotOwner));
        }
        if session.status == SessionStatus::Ending {
            // In this order: after an interruption the status tells that shards may be open.
            self.close_shards(call.operation, &session).await?;
        }
        Ok(Ok(session))
    }

    async fn finish_end(&self, id: &SessionId, now: Timestamp) -> StoreResult<bool> {
        let mut call = self.call("finish_end");
        let key = session_key(id);
        let Some(item) = self.get(&mut call, &self.tables.sessions, key).await? else {
            // DynamoDB has expired it, so it is over.
            return Ok(true);
        };
        let session: Session = item::read(call.operation, item)?;
        if session.status != SessionStatus::Ending {
            return Ok(session.status == SessionStatus::Ended);
        }
        // Closed shards only lose listeners, so that a sum of zero stays zero.
        let shards = self.close_shards(call.operation, &session).await?;
        if shards.iter().any(|shard| shard.listeners > 0) {
            return Ok(false);
        }
        let update = self
            .session_update(id, "SET #status = :ended, #updatedAt = :now")
            .when("#status = :ending")
            .with(":ended", &SessionStatus::Ended)
            .with(":ending", &SessionStatus::Ending)
            .with(":now", &now);
        // If the condition is false, another call has done it, or DynamoDB has expired the session.
        self.write(&mut call, update).await?;
        Ok(true)
    }
}

/// Adds the values of [`NOT_OVER`].
pub(super) fn with_not_over_values(write: ConditionalWrite, now: Timestamp) -> ConditionalWrite {
    write
        .with(":active", &SessionStatus::Active)
        .with(":paused", &SessionStatus::Paused)
        .with(":horizon", &horizon(now))
}

impl DynamoStore {
    /// Changes a session that is not over. If `owner` is given, that user must own it.
    async fn change_session(
        &self,
        operation: &'static str,
        update: ConditionalWrite,
        owner: Option<&UserId>,
        now: Timestamp,
    ) -> StoreResult<Result<Session, SessionRefusal>> {
        let mut call = self.call(operation);
        match self.write(&mut call, update).await? {
            WriteResult::Done(item) => Ok(Ok(item::read(operation, item.unwrap_or_default())?)),
            WriteResult::ConditionFailed(None) => Ok(Err(SessionRefusal::NoSession)),
            WriteResult::ConditionFailed(Some(item)) => {
                let session: Session = item::read(operation, item)?;
                Ok(Err(match owner {
                    Some(owner) if session.speaker_id != *owner => SessionRefusal::NotOwner,
                    _ => SessionRefusal::WrongStatus(session.status_at(now)),
                }))
            }
        }
    }
}
