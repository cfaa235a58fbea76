//! Removal of connections: deletes a record and updates the session's item, in one transaction.

use std::collections::BTreeSet;

use live_session_core::ports::{Removed, Stored};
use live_session_core::{Connection, ConnectionId, Role, Session, SessionId, Timestamp};

use super::DynamoStore;
use super::call::{Call, Check};
use super::item;
use super::store::{Written, connection_key};
use super::write::{Change, Write};

/// Maximum number of records per transaction: DynamoDB's limit of 100 writes, less one for the session.
const AT_ONCE: usize = 99;

impl DynamoStore {
    pub(super) async fn remove_one(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Stored<Option<Removed>> {
        let mut call = self.call("remove");
        let table = &self.tables.connections;
        let Some(item) = self.get(&mut call, table, connection_key(id)).await? else {
            return Ok(None);
        };
        let connection: Connection = item::read(call.operation, item)?;
        let speaks = connection.role == Role::Speaker;
        let leave = match connection.role {
            Role::Listener => self.uncount(&connection.session_id, 1, now),
            Role::Speaker => self.fall_silent(&connection, now),
        };
        let delete = self.delete(id, &connection.session_id, connection.role);
        let removed = |was_speaking| Removed {
            connection,
            was_speaking,
        };
        match self
            .transact(&mut call, vec![delete.clone(), leave])
            .await?
        {
            Ok(()) => Ok(Some(removed(speaks))),
            // There is no record. If an earlier attempt of this call may have deleted it, this call reports the
            // removal.
            Err(checks) if matches!(checks.first(), Some(Check::Failed(_))) => {
                Ok(call.unsure.then(|| removed(speaks)))
            }
            // The session is gone, has another speaker connection, or has a count of zero: delete the record alone.
            Err(_) => {
                let deleted = self.write(&mut call, delete).await?;
                let deleted = matches!(deleted, Written::Done(_)) || call.unsure;
                Ok(deleted.then(|| removed(false)))
            }
        }
    }

    pub(super) async fn remove_many(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
        now: Timestamp,
    ) -> Stored<u32> {
        // A transaction must not write an item twice.
        let ids: Vec<_> = BTreeSet::from_iter(ids).into_iter().collect();
        let mut call = self.call("remove_listeners");
        let mut removed = 0;
        for ids in ids.chunks(AT_ONCE) {
            removed += self
                .remove_chunk(&mut call, session, ids.to_vec(), now)
                .await?;
        }
        Ok(removed)
    }

    async fn remove_chunk(
        &self,
        call: &mut Call,
        session: &SessionId,
        mut ids: Vec<&ConnectionId>,
        now: Timestamp,
    ) -> Stored<u32> {
        // Maximum by which the session's count can be lowered: zero once the session is gone.
        let mut countable = u32::MAX;
        while !ids.is_empty() {
            let count = ids.len() as u32;
            let mut writes: Vec<_> = ids
                .iter()
                .map(|id| self.delete(id, session, Role::Listener))
                .collect();
            if countable > 0 {
                writes.push(self.uncount(session, count.min(countable), now));
            }
            let Err(checks) = self.transact(call, writes).await? else {
                return Ok(count);
            };
            if let Some(Check::Failed(item)) = checks.get(ids.len()) {
                let session: Option<Session> = item
                    .clone()
                    .map(|item| item::read(call.operation, item))
                    .transpose()?;
                countable = session.map_or(0, |session| session.listener_count);
            }
            // The count excludes listeners without a record already.
            let mut checks = checks.iter();
            ids.retain(|_| !matches!(checks.next(), Some(Check::Failed(_))));
        }
        Ok(0)
    }

    /// Deletes a record if it has this session and role.
    fn delete(&self, id: &ConnectionId, session: &SessionId, role: Role) -> Write {
        Write::new(&self.tables.connections, Change::Delete(connection_key(id)))
            .when("#sessionId = :session AND #role = :role")
            .with(":session", session)
            .with(":role", &role)
    }

    /// Lowers the count, not below zero, and only of a session that exists: an update of a missing item would create
    /// one.
    fn uncount(&self, session: &SessionId, listeners: u32, now: Timestamp) -> Write {
        let lower = "SET #listenerCount = #listenerCount - :listeners, #updatedAt = :now";
        self.session_update(session, lower)
            .when("attribute_exists(#sessionId) AND #listenerCount >= :listeners")
            .with(":listeners", &listeners)
            .with(":now", &now)
    }

    /// Clears the session's speaker connection if it is this one.
    fn fall_silent(&self, connection: &Connection, now: Timestamp) -> Write {
        let clear = "SET #broadcastState.#isActive = :false, #broadcastState.#lastStateChange = :now, \
                     #updatedAt = :now REMOVE #speakerConnectionId";
        self.session_update(&connection.session_id, clear)
            .when("#speakerConnectionId = :connection")
            .with(":connection", &connection.connection_id)
            .with(":false", &false)
            .with(":now", &now)
    }
}
