//! Removal of connections: deletes a record and its place, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use live_session_core::ports::{RemovedConnection, StoreResult};
use live_session_core::{Connection, ConnectionId, Role, Session, SessionId, Timestamp};

use super::DynamoStore;
use super::call::{ConditionResult, RequestFailure, StoreCall};
use super::item::{self, Item};
use super::places::{Place, Shard, ShardChange, ShardIndex};
use super::store::{WriteResult, connection_key, session_key};
use super::write::{ConditionalWrite, ItemChange};

/// Maximum number of records per transaction. DynamoDB takes 100 writes, but an expression has at most 4 KB, and each
/// record may have an address of its own.
const MAX_RECORDS: usize = 40;

/// Number of records to read at once.
const READS: usize = 50;

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
        let connection: Connection = item::read(call.operation, item.clone())?;
        match connection.role {
            Role::Listener => {
                let place = Place::read(call.operation, &item)?;
                self.remove_listener(&mut call, place).await
            }
            Role::Speaker => self.remove_speaker(&mut call, connection, now).await,
        }
    }

    async fn remove_speaker(
        &self,
        call: &mut StoreCall,
        connection: Connection,
        now: Timestamp,
    ) -> StoreResult<Option<RemovedConnection>> {
        let (id, session) = (&connection.connection_id, &connection.session_id);
        let delete = self.delete_record(id, session, Role::Speaker);
        let writes = vec![delete.clone(), self.clear_speaker(&connection, now)];
        let removed = |was_speaking| RemovedConnection {
            connection: connection.clone(),
            was_speaking,
        };
        if self.hand_back(call, &connection, now).await? {
            return Ok(Some(removed(false)));
        }
        match self.transact(call, writes).await? {
            Ok(()) => Ok(Some(removed(true))),
            // There is no record. If an earlier attempt of this call may have deleted it, this call reports the
            // removal.
            Err(checks) if matches!(checks.first(), Some(ConditionResult::Failed(_))) => {
                Ok(call.maybe_written.then(|| removed(true)))
            }
            // The session is gone or has another speaker connection: delete the record alone.
            Err(_) => {
                let deleted = self.write(call, delete).await?;
                let deleted = matches!(deleted, WriteResult::Done(_)) || call.maybe_written;
                Ok(deleted.then(|| removed(false)))
            }
        }
    }

    /// Removes the session's speaker connection, and makes the speaker's earlier one the speaker connection again. Returns false
    /// if there is no earlier one, or if the connection is not the speaker connection.
    async fn hand_back(
        &self,
        call: &mut StoreCall,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (id, session_id) = (&connection.connection_id, &connection.session_id);
        let table = &self.tables.sessions;
        let session = match self.get(call, table, session_key(session_id)).await? {
            Some(item) => item::read::<Session>(call.operation, item)?,
            None => return Ok(false),
        };
        let earlier = session.earlier_speaker_connection_id;
        let Some(earlier) = earlier.filter(|earlier| earlier != id) else {
            return Ok(false);
        };
        if session.speaker_connection_id.as_ref() != Some(id) {
            return Ok(false);
        }
        let update = "SET #speakerConnectionId = #earlierSpeakerConnectionId, #updatedAt = :now \
                      REMOVE #earlierSpeakerConnectionId";
        let update = self
            .session_update(session_id, update)
            .when("#speakerConnectionId = :connection AND #earlierSpeakerConnectionId = :earlier")
            .with(":connection", id)
            .with(":earlier", &earlier)
            .with(":now", &now);
        let check = ItemChange::Check(connection_key(&earlier));
        let check = ConditionalWrite::new(&self.tables.connections, check)
            .when("#sessionId = :session AND #role = :role")
            .with(":session", session_id)
            .with(":role", &Role::Speaker);
        let delete = self.delete_record(id, session_id, Role::Speaker);
        let result = self.transact(call, vec![delete, update, check]).await?;
        Ok(result.is_ok())
    }

    async fn remove_listener(
        &self,
        call: &mut StoreCall,
        place: Place,
    ) -> StoreResult<Option<RemovedConnection>> {
        let session = place.connection.session_id.clone();
        let connection = place.connection.clone();
        let removed = self
            .remove_from_shard(call, &session, place.shard, vec![place])
            .await?;
        Ok((removed > 0).then_some(RemovedConnection {
            connection,
            was_speaking: false,
        }))
    }

    pub(super) async fn remove_many(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
    ) -> StoreResult<u32> {
        // A transaction must not write an item twice.
        let ids: Vec<_> = BTreeSet::from_iter(ids).into_iter().collect();
        let operation = "remove_listeners";
        let mut removed = 0;
        for ids in ids.chunks(READS) {
            let reads = ids.iter().map(|id| async move {
                let mut call = self.call(operation);
                self.place(&mut call, id).await
            });
            let mut by_shard: BTreeMap<ShardIndex, Vec<Place>> = BTreeMap::new();
            for place in join_all(reads).await {
                if let Some(place) = place?.filter(|place| place.connection.session_id == *session)
                {
                    by_shard.entry(place.shard).or_default().push(place);
                }
            }
            // One after the other, with a time budget each.
            for (shard, places) in by_shard {
                for places in places.chunks(MAX_RECORDS) {
                    let mut call = self.call(operation);
                    removed += self
                        .remove_from_shard(&mut call, session, shard, places.to_vec())
                        .await?;
                }
            }
        }
        Ok(removed)
    }

    /// Reads a listener's record.
    pub(super) async fn place(
        &self,
        call: &mut StoreCall,
        id: &ConnectionId,
    ) -> StoreResult<Option<Place>> {
        let key = connection_key(id);
        let item = self.get(call, &self.tables.connections, key).await?;
        listener_place(call.operation, item)
    }

    /// Removes listeners of one shard in one transaction. Skips those without a record. Returns the number of removed
    /// records.
    async fn remove_from_shard(
        &self,
        call: &mut StoreCall,
        session: &SessionId,
        shard: ShardIndex,
        mut places: Vec<Place>,
    ) -> StoreResult<u32> {
        let mut seen = self.shard(call.operation, session, shard).await?;
        let mut collisions = 0;
        while !places.is_empty() {
            let mut change = ShardChange::default();
            for place in &places {
                change.add(&place.connection, -1);
            }
            let mut writes: Vec<_> = places.iter().map(|place| self.delete(place)).collect();
            // Without the session's items there is nothing to count: delete the records alone.
            writes.extend(self.change_shard(session, shard, &seen, &change));
            let count = places.len() as u32;
            let Err(checks) = self.transact(call, writes).await? else {
                return Ok(count);
            };
            if let Some(ConditionResult::Failed(item)) = checks.get(places.len()) {
                seen = Shard::read(call.operation, &item.clone().unwrap_or_default())?;
            }
            // If an earlier attempt of this call may have deleted them, this call reports the removal.
            let is_gone = |check: &ConditionResult| matches!(check, ConditionResult::Failed(None));
            if call.maybe_written && checks[..places.len()].iter().all(is_gone) {
                return Ok(count);
            }
            places = still_there(call.operation, places, &checks)?;
            collisions += 1;
            if collisions > 1 {
                call.pause_before_retry(RequestFailure::Rejected).await?;
            }
        }
        Ok(0)
    }

    /// Deletes a listener's record if it is counted as it was read.
    pub(super) fn delete(&self, place: &Place) -> ConditionalWrite {
        let connection = &place.connection;
        let (id, session) = (&connection.connection_id, &connection.session_id);
        let delete = self
            .delete_record(id, session, Role::Listener)
            .and("#shard = :shard AND #ipAddress = :address")
            .with(":shard", &place.shard)
            .with(":address", &connection.ip_address);
        match &connection.target_language {
            Some(language) => delete
                .and("#targetLanguage = :language")
                .with(":language", language),
            None => delete.and("attribute_not_exists(#targetLanguage)"),
        }
    }

    /// Deletes a record if it has this session and role.
    fn delete_record(
        &self,
        id: &ConnectionId,
        session: &SessionId,
        role: Role,
    ) -> ConditionalWrite {
        ConditionalWrite::new(
            &self.tables.connections,
            ItemChange::Delete(connection_key(id)),
        )
        .when("#sessionId = :session AND #role = :role")
        .with(":session", session)
        .with(":role", &role)
    }

    /// Clears the session's speaker connection if it is this one.
    fn clear_speaker(&self, connection: &Connection, now: Timestamp) -> ConditionalWrite {
        let clear = "SET #broadcastState.#isActive = :false, #broadcastState.#lastStateChange = :now, \
                     #updatedAt = :now REMOVE #speakerConnectionId, #earlierSpeakerConnectionId";
        self.session_update(&connection.session_id, clear)
            .when("#speakerConnectionId = :connection")
            .with(":connection", &connection.connection_id)
            .with(":false", &false)
            .with(":now", &now)
    }
}

/// Returns the listeners whose records exist, as they are now. Their language may have changed.
fn still_there(
    operation: &'static str,
    places: Vec<Place>,
    checks: &[ConditionResult],
) -> StoreResult<Vec<Place>> {
    let mut there = Vec::new();
    for (place, check) in places.into_iter().zip(checks) {
        match check {
            ConditionResult::Held => there.push(place),
            ConditionResult::Failed(item) => {
                let now = listener_place(operation, item.clone())?;
                // A record of another session or in another shard is another connection's.
                there.extend(now.filter(|now| {
                    now.shard == place.shard
                        && now.connection.session_id == place.connection.session_id
                }));
            }
        }
    }
    Ok(there)
}

/// Returns the place of a record, if it is a listener's.
fn listener_place(operation: &'static str, item: Option<Item>) -> StoreResult<Option<Place>> {
    let Some(item) = item else {
        return Ok(None);
    };
    let connection: Connection = item::read(operation, item.clone())?;
    match connection.role {
        Role::Listener => Place::read(operation, &item).map(Some),
        Role::Speaker => Ok(None),
    }
}
