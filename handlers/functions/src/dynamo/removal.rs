//! Removal of connections: deletes a record and updates the session's item, in one transaction.

use std::collections::BTreeSet;

use live_session_core::ports::{RemovedConnection, StoreResult};
use live_session_core::{Connection, ConnectionId, Role, Session, SessionId, Timestamp};

use super::DynamoStore;
use super::call::{ConditionResult, StoreCall};
use super::item;
use super::store::{WriteResult, connection_key};
use super::write::{ConditionalWrite, ItemChange};

/// Maximum number of records per transaction: DynamoDB's limit of 100 writes, less one for the session.
const MAX_RECORDS: usize = 99;

impl DynamoStore {
    pub(super) async fn remove_one(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> StoreResult<Option<RemovedConnection>> {
        let mut call = self.call("remove");
        let table = &self.tables.connections;
        let Some(item) = self.get(&mut call, table, connection_key(id)).await? else {
            return Ok(None);
        };
        let connection: Connection = item::read(call.operation, item)?;
        let was_speaker = connection.role == Role::Speaker;
        let update = match connection.role {
            Role::Listener => self.decrement_count(&connection.session_id, 1, now),
            Role::Speaker => self.clear_speaker(&connection, now),
        };
        let delete = self.delete(id, &connection.session_id, connection.role);
        let removed = |was_speaking| RemovedConnection {
            connection,
            was_speaking,
        };
        match self
            .transact(&mut call, vec![delete.clone(), update])
            .await?
        {
            Ok(()) => Ok(Some(removed(was_speaker))),
            // There is no record. If an earlier attempt of this call may have deleted it, this call reports the
            // removal.
            Err(checks) if matches!(checks.first(), Some(ConditionResult::Failed(_))) => {
                Ok(call.maybe_written.then(|| removed(was_speaker)))
            }
            // The session is gone, has another speaker connection, or has a count of zero: delete the record alone.
            Err(_) => {
                let deleted = self.write(&mut call, delete).await?;
                let deleted = matches!(deleted, WriteResult::Done(_)) || call.maybe_written;
                Ok(deleted.then(|| removed(false)))
            }
        }
    }

    pub(super) async fn remove_many(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
        now: Timestamp,
    ) -> StoreResult<u32> {
        // A transaction must not write an item twice.
        let ids: Vec<_> = BTreeSet::from_iter(ids).into_iter().collect();
        let mut call = self.call("remove_listeners");
        let mut removed = 0;
        for ids in ids.chunks(MAX_RECORDS) {
            removed += self
                .remove_chunk(&mut call, session, ids.to_vec(), now)
                .await?;
        }
        Ok(removed)
    }

    async fn remove_chunk(
        &self,
        call: &mut StoreCall,
        session: &SessionId,
        mut ids: Vec<&ConnectionId>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        // Maximum by which the session's count can be lowered: zero once the session is gone.
        let mut countable = u32::MAX;
        while !ids.is_empty() {
            let count = ids.len() as u32;
            let mut writes: Vec<_> = ids
                .iter()
                .map(|id| self.delete(id, session, Role::Listener))
                .collect();
            if countable > 0 {
                writes.push(self.decrement_count(session, count.min(countable), now));
            }
            let Err(checks) = self.transact(call, writes).await? else {
                return Ok(count);
            };
            if let Some(ConditionResult::Failed(item)) = checks.get(ids.len()) {
                let session: Option<Session> = item
                    .clone()
                    .map(|item| item::read(call.operation, item))
                    .transpose()?;
                countable = session.map_or(0, |session| session.listener_count);
            }
            // The count excludes listeners without a record already.
            let mut checks = checks.iter();
            ids.retain(|_| !matches!(checks.next(), Some(ConditionResult::Failed(_))));
        }
        Ok(0)
    }

    /// Deletes a record if it has this session and role.
    fn delete(&self, id: &ConnectionId, session: &SessionId, role: Role) -> ConditionalWrite {
        ConditionalWrite::new(
            &self.tables.connections,
            ItemChange::Delete(connection_key(id)),
        )
        .when("#sessionId = :session AND #role = :role")
        .with(":session", session)
        .with(":role", &role)
    }

    /// Lowers the count, not below zero, and only of a session that exists: an update of a missing item would create
    /// one.
    fn decrement_count(
        &self,
        session: &SessionId,
        listeners: u32,
        now: Timestamp,
    ) -> ConditionalWrite {
        let lower = "SET #listenerCount = #listenerCount - :listeners, #updatedAt = :now";
        self.session_update(session, lower)
            .when("attribute_exists(#sessionId) AND #listenerCount >= :listeners")
            .with(":listeners", &listeners)
            .with(":now", &now)
    }

    /// Clears the session's speaker connection if it is this one.
    fn clear_speaker(&self, connection: &Connection, now: Timestamp) -> ConditionalWrite {
        let clear = "SET #broadcastState.#isActive = :false, #broadcastState.#lastStateChange = :now, \
                     #updatedAt = :now REMOVE #speakerConnectionId";
        self.session_update(&connection.session_id, clear)
            .when("#speakerConnectionId = :connection")
            .with(":connection", &connection.connection_id)
            .with(":false", &false)
            .with(":now", &now)
    }
}
