//! Operations on sessions: created once, changed by their owner, ended in two steps.

use live_session_core::limits::MAX_SESSION;
use live_session_core::ports::{BroadcastChange, Refusal, SessionStore, Stored};
use live_session_core::{BroadcastState, Session, SessionId, Status, Timestamp, UserId};

use super::DynamoStore;
use super::item;
use super::store::{Written, session_key};
use super::write::{Change, Write};

/// Condition that the session is not over.
pub(super) const GOES_ON: &str =
    "attribute_exists(#sessionId) AND #status IN (:active, :paused) AND #createdAt > :horizon";

impl DynamoStore {
    /// Returns an update of a session's item.
    pub(super) fn session_update(&self, id: &SessionId, expression: impl Into<String>) -> Write {
        let (key, expression) = (session_key(id), expression.into());
        Write::new(&self.tables.sessions, Change::Update { key, expression })
    }
}

/// Returns the earliest creation time of sessions that have not reached their maximum duration.
pub(super) fn horizon(now: Timestamp) -> Timestamp {
    now.before(MAX_SESSION)
}

impl SessionStore for DynamoStore {
    async fn create(&self, session: &Session) -> Stored<bool> {
        let mut call = self.call("create");
        let put = Write::new(&self.tables.sessions, Change::Put(item::write(session)))
            .when("attribute_not_exists(#sessionId)");
        match self.write(&mut call, put).await? {
            Written::Done(_) => Ok(true),
            // An earlier attempt of this call may have written it, and its response was lost.
            Written::Refused(Some(item)) if call.unsure => {
                Ok(item::read::<Session>(call.operation, item)? == *session)
            }
            Written::Refused(_) => Ok(false),
        }
    }

    async fn session(&self, id: &SessionId) -> Stored<Option<Session>> {
        let mut call = self.call("session");
        let item = self
            .get(&mut call, &self.tables.sessions, session_key(id))
            .await?;
        item.map(|item| item::read(call.operation, item))
            .transpose()
    }

    async fn set_status(
        &self,
        id: &SessionId,
        owner: &UserId,
        to: Status,
        now: Timestamp,
    ) -> Stored<Result<Session, Refusal>> {
        let update = self
            .session_update(id, "SET #status = :to, #updatedAt = :now")
            .when(format!("{GOES_ON} AND #speakerId = :owner"))
            .with(":to", &to)
            .with(":owner", owner);
        let update = going_on(update, now).with(":now", &now);
        self.change_session("set_status", update, Some(owner), now)
            .await
    }

    async fn set_broadcast_state(
        &self,
        id: &SessionId,
        change: BroadcastChange,
        now: Timestamp,
    ) -> Stored<Result<BroadcastState, Refusal>> {
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
        let mut update = self.session_update(id, expression).when(GOES_ON);
        if let Some(is_paused) = change.is_paused {
            update = update.with(":isPaused", &is_paused);
        }
        if let Some(is_muted) = change.is_muted {
            update = update.with(":isMuted", &is_muted);
        }
        if let Some(volume) = change.volume {
            update = update.with(":volume", &volume);
        }
        let update = going_on(update, now).with(":now", &now);
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
    ) -> Stored<Result<Session, Refusal>> {
        let mut call = self.call("begin_end");
        // This also applies after the maximum duration, so that the last listeners are removed.
        let update = self
            .session_update(id, "SET #status = :ending, #updatedAt = :now")
            .when("#speakerId = :owner AND #status IN (:active, :paused)")
            .with(":ending", &Status::Ending)
            .with(":owner", owner)
            .with(":active", &Status::Active)
            .with(":paused", &Status::Paused)
            .with(":now", &now);
        let (Written::Done(item) | Written::Refused(item)) = self.write(&mut call, update).await?;
        let Some(item) = item else {
            return Ok(Err(Refusal::NoSession));
        };
        let session: Session = item::read(call.operation, item)?;
        Ok(match session.speaker_id == *owner {
            true => Ok(session),
            false => Err(Refusal::NotOwner),
        })
    }

    async fn finish_end(&self, id: &SessionId, now: Timestamp) -> Stored<bool> {
        let mut call = self.call("finish_end");
        let update = self
            .session_update(id, "SET #status = :ended, #updatedAt = :now")
            .when("#status = :ending AND #listenerCount = :none")
            .with(":ended", &Status::Ended)
            .with(":ending", &Status::Ending)
            .with(":none", &0)
            .with(":now", &now);
        match self.write(&mut call, update).await? {
            Written::Done(_) => Ok(true),
            Written::Refused(Some(item)) => {
                let session: Session = item::read(call.operation, item)?;
                Ok(session.status == Status::Ended)
            }
            // DynamoDB has expired it, so it is over.
            Written::Refused(None) => Ok(true),
        }
    }
}

/// Adds the values of [`GOES_ON`].
fn going_on(write: Write, now: Timestamp) -> Write {
    write
        .with(":active", &Status::Active)
        .with(":paused", &Status::Paused)
        .with(":horizon", &horizon(now))
}

impl DynamoStore {
    /// Changes a session that is not over. If `owner` is given, that user must own it.
    async fn change_session(
        &self,
        operation: &'static str,
        update: Write,
        owner: Option<&UserId>,
        now: Timestamp,
    ) -> Stored<Result<Session, Refusal>> {
        let mut call = self.call(operation);
        match self.write(&mut call, update).await? {
            Written::Done(item) => Ok(Ok(item::read(operation, item.unwrap_or_default())?)),
            Written::Refused(None) => Ok(Err(Refusal::NoSession)),
            Written::Refused(Some(item)) => {
                let session: Session = item::read(operation, item)?;
                Ok(Err(match owner {
                    Some(owner) if session.speaker_id != *owner => Refusal::NotOwner,
                    _ => Refusal::Status(session.status_at(now)),
                }))
            }
        }
    }
}
