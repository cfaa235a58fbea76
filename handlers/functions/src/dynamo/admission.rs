//! Admission to a session: writes a record and updates the session's item, in one transaction.

use live_session_core::ports::{Admission, Refusal, StoreError, Stored};
use live_session_core::{Connection, ConnectionId, Role, Session, Status, Timestamp};

use super::DynamoStore;
use super::call::{Call, Check};
use super::item::{self, Item};
use super::sessions::horizon;
use super::store::{connection_key, session_key};
use super::write::{Change, Write};

/// Condition that the session admits connections.
const LETS_IN: &str =
    "attribute_exists(#sessionId) AND #status = :active AND #createdAt > :horizon";

impl DynamoStore {
    pub(super) async fn admit_counted(
        &self,
        connection: &Connection,
        capacity: u32,
        now: Timestamp,
    ) -> Stored<Admission> {
        let count = "SET #listenerCount = #listenerCount + :one, #updatedAt = :now";
        let session = self
            .session_update(&connection.session_id, count)
            .when(format!("{LETS_IN} AND #listenerCount < :capacity"))
            .with(":one", &1)
            .with(":now", &now)
            .with(":capacity", &capacity);
        let writes = vec![self.put(connection), letting_in(session, now)];
        self.admit("admit_listener", connection, writes, now).await
    }

    pub(super) async fn admit_exchanged(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> Stored<Admission> {
        if *previous == connection.connection_id {
            // A connection cannot replace itself. With capacity 0 the session counts as full.
            return self.admit_counted(connection, 0, now).await;
        }
        let check = Change::Check(session_key(&connection.session_id));
        let session = Write::new(&self.tables.sessions, check).when(LETS_IN);
        // All anonymous listeners have the same user: none. One can replace another if it knows the connection ID.
        let user = match &connection.user_id {
            Some(_) => "#userId = :user",
            None => "attribute_not_exists(#userId)",
        };
        let mut delete = Write::new(
            &self.tables.connections,
            Change::Delete(connection_key(previous)),
        )
        .when(format!(
            "#sessionId = :session AND #role = :listener AND {user}"
        ))
        .with(":session", &connection.session_id)
        .with(":listener", &Role::Listener);
        if let Some(user) = &connection.user_id {
            delete = delete.with(":user", user);
        }
        let writes = vec![self.put(connection), letting_in(session, now), delete];
        self.admit("exchange_listener", connection, writes, now)
            .await
    }

    pub(super) async fn admit_speaking(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> Stored<Admission> {
        // Only verified users own sessions.
        let Some(user) = &connection.user_id else {
            return Ok(Admission::Refused(Refusal::NotOwner));
        };
        let take_over = "SET #speakerConnectionId = :connection, #broadcastState.#isActive = :true, \
                         #broadcastState.#lastStateChange = :now, #updatedAt = :now";
        let session = self
            .session_update(&connection.session_id, take_over)
            .when(format!("{LETS_IN} AND #speakerId = :user"))
            .with(":connection", &connection.connection_id)
            .with(":true", &true)
            .with(":now", &now)
            .with(":user", user);
        let writes = vec![self.put(connection), letting_in(session, now)];
        self.admit("admit_speaker", connection, writes, now).await
    }

    fn put(&self, connection: &Connection) -> Write {
        Write::new(
            &self.tables.connections,
            Change::Put(item::write(connection)),
        )
        .when("attribute_not_exists(#connectionId)")
    }

    /// Runs the transaction. The first write is the record, the second the session's item, and a third removes the
    /// connection that is replaced.
    async fn admit(
        &self,
        operation: &'static str,
        connection: &Connection,
        writes: Vec<Write>,
        now: Timestamp,
    ) -> Stored<Admission> {
        let mut call = self.call(operation);
        let checks = match self.transact(&mut call, writes).await? {
            Ok(()) => return Ok(Admission::Admitted),
            Err(checks) => checks,
        };
        match checks.as_slice() {
            [Check::Failed(Some(record)), ..] => there(&call, connection, record.clone()),
            [_, Check::Failed(session), ..] => {
                let refusal = refusal(&call, connection, session.clone(), now);
                Ok(Admission::Refused(refusal?))
            }
            [_, _, Check::Failed(_)] => Ok(Admission::Refused(Refusal::Full)),
            _ => Err(StoreError::Unavailable {
                operation,
                reason: "the transaction was canceled without a reason".to_owned(),
            }),
        }
    }
}

/// Returns the admission of a connection that has a record already.
fn there(call: &Call, connection: &Connection, record: Item) -> Stored<Admission> {
    let record: Connection = item::read(call.operation, record)?;
    let same = record.session_id == connection.session_id && record.role == connection.role;
    Ok(match same {
        // An earlier attempt of this call wrote it, and its response was lost.
        true if call.unsure && record == *connection => Admission::Admitted,
        true => Admission::AlreadyThere(record),
        false => Admission::Elsewhere(record),
    })
}

/// Returns the reason for which the session refused the connection, from the item at that time.
fn refusal(
    call: &Call,
    connection: &Connection,
    session: Option<Item>,
    now: Timestamp,
) -> Stored<Refusal> {
    let Some(session) = session else {
        return Ok(Refusal::NoSession);
    };
    let session: Session = item::read(call.operation, session)?;
    let speaks = connection.role == Role::Speaker;
    Ok(match session.status_at(now) {
        _ if speaks && connection.user_id.as_ref() != Some(&session.speaker_id) => {
            Refusal::NotOwner
        }
        Status::Active => Refusal::Full,
        status => Refusal::Status(status),
    })
}

/// Adds the values of [`LETS_IN`].
fn letting_in(write: Write, now: Timestamp) -> Write {
    write
        .with(":active", &Status::Active)
        .with(":horizon", &horizon(now))
}
