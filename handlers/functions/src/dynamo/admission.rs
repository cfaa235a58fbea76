//! Admission to a session: writes a record and updates the session's item, in one transaction.

use live_session_core::ports::{Admission, SessionRefusal, StoreError, StoreResult};
use live_session_core::{Connection, ConnectionId, Role, Session, SessionStatus, Timestamp};

use super::DynamoStore;
use super::call::{ConditionResult, StoreCall};
use super::item::{self, Item};
use super::sessions::horizon;
use super::store::{connection_key, session_key};
use super::write::{ConditionalWrite, ItemChange};

/// Condition that the session admits connections.
const IS_ACTIVE: &str =
    "attribute_exists(#sessionId) AND #status = :active AND #createdAt > :horizon";

impl DynamoStore {
    pub(super) async fn admit_counted(
        &self,
        connection: &Connection,
        capacity: u32,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let count = "SET #listenerCount = #listenerCount + :one, #updatedAt = :now";
        let session = self
            .session_update(&connection.session_id, count)
            .when(format!("{IS_ACTIVE} AND #listenerCount < :capacity"))
            .with(":one", &1)
            .with(":now", &now)
            .with(":capacity", &capacity);
        let writes = vec![self.put(connection), with_is_active_values(session, now)];
        self.admit("admit_listener", connection, writes, now).await
    }

    pub(super) async fn admit_exchanged(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        if *previous == connection.connection_id {
            // A connection cannot replace itself. With capacity 0 the session counts as full.
            return self.admit_counted(connection, 0, now).await;
        }
        let check = ItemChange::Check(session_key(&connection.session_id));
        let session = ConditionalWrite::new(&self.tables.sessions, check).when(IS_ACTIVE);
        // All anonymous listeners have the same user: none. One can replace another if it knows the connection ID.
        let user = match &connection.user_id {
            Some(_) => "#userId = :user",
            None => "attribute_not_exists(#userId)",
        };
        let mut delete = ConditionalWrite::new(
            &self.tables.connections,
            ItemChange::Delete(connection_key(previous)),
        )
        .when(format!(
            "#sessionId = :session AND #role = :listener AND {user}"
        ))
        .with(":session", &connection.session_id)
        .with(":listener", &Role::Listener);
        if let Some(user) = &connection.user_id {
            delete = delete.with(":user", user);
        }
        let writes = vec![
            self.put(connection),
            with_is_active_values(session, now),
            delete,
        ];
        self.admit("exchange_listener", connection, writes, now)
            .await
    }

    pub(super) async fn admit_speaking(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        // Only verified users own sessions.
        let Some(user) = &connection.user_id else {
            return Ok(Admission::Refused(SessionRefusal::NotOwner));
        };
        let take_over = "SET #speakerConnectionId = :connection, #broadcastState.#isActive = :true, \
                         #broadcastState.#lastStateChange = :now, #updatedAt = :now";
        let session = self
            .session_update(&connection.session_id, take_over)
            .when(format!("{IS_ACTIVE} AND #speakerId = :user"))
            .with(":connection", &connection.connection_id)
            .with(":true", &true)
            .with(":now", &now)
            .with(":user", user);
        let writes = vec![self.put(connection), with_is_active_values(session, now)];
        self.admit("admit_speaker", connection, writes, now).await
    }

    fn put(&self, connection: &Connection) -> ConditionalWrite {
        ConditionalWrite::new(
            &self.tables.connections,
            ItemChange::Put(item::write(connection)),
        )
        .when("attribute_not_exists(#connectionId)")
    }

    /// Runs the transaction. The first write is the record, the second the session's item, and a third removes the
    /// connection that is replaced.
    async fn admit(
        &self,
        operation: &'static str,
        connection: &Connection,
        writes: Vec<ConditionalWrite>,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let mut call = self.call(operation);
        let checks = match self.transact(&mut call, writes).await? {
            Ok(()) => return Ok(Admission::Admitted),
            Err(checks) => checks,
        };
        match checks.as_slice() {
            [ConditionResult::Failed(Some(record)), ..] => {
                existing_admission(&call, connection, record.clone())
            }
            [_, ConditionResult::Failed(session), ..] => {
                let refusal = refusal(&call, connection, session.clone(), now);
                Ok(Admission::Refused(refusal?))
            }
            [_, _, ConditionResult::Failed(_)] => Ok(Admission::Refused(SessionRefusal::Full)),
            _ => Err(StoreError::Unavailable {
                operation,
                reason: "the transaction was canceled without a reason".to_owned(),
            }),
        }
    }
}

/// Returns the admission of a connection that has a record already.
fn existing_admission(
    call: &StoreCall,
    connection: &Connection,
    record: Item,
) -> StoreResult<Admission> {
    let record: Connection = item::read(call.operation, record)?;
    let same = record.session_id == connection.session_id && record.role == connection.role;
    Ok(match same {
        // An earlier attempt of this call wrote it, and its response was lost.
        true if call.maybe_written && record == *connection => Admission::Admitted,
        true => Admission::AlreadyJoined(record),
        false => Admission::InOtherSession(record),
    })
}

/// Returns the reason for which the session refused the connection, from the item at that time.
fn refusal(
    call: &StoreCall,
    connection: &Connection,
    session: Option<Item>,
    now: Timestamp,
) -> StoreResult<SessionRefusal> {
    let Some(session) = session else {
        return Ok(SessionRefusal::NoSession);
    };
    let session: Session = item::read(call.operation, session)?;
    let speaks = connection.role == Role::Speaker;
    Ok(match session.status_at(now) {
        _ if speaks && connection.user_id.as_ref() != Some(&session.speaker_id) => {
            SessionRefusal::NotOwner
        }
        SessionStatus::Active => SessionRefusal::Full,
        status => SessionRefusal::WrongStatus(status),
    })
}

/// Adds the values of [`IS_ACTIVE`].
fn with_is_active_values(write: ConditionalWrite, now: Timestamp) -> ConditionalWrite {
    write
        .with(":active", &SessionStatus::Active)
        .with(":horizon", &horizon(now))
}
