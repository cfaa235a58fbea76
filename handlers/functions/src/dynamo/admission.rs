//! Admission to a session: writes a record and counts it, in one transaction.

use live_session_core::ports::{Admission, Capacity, SessionRefusal, StoreError, StoreResult};
use live_session_core::{Connection, ConnectionId, Session, SessionStatus, Timestamp};

use super::DynamoStore;
use super::call::{ConditionResult, RequestFailure, StoreCall};
use super::item::{self, Item};
use super::places::{Place, SHARDS, Shard, ShardChange, ShardIndex, address_group, free_places};
use super::sessions::{NOT_OVER, with_not_over_values};
use super::store::{connection_key, session_key};
use super::write::{ConditionalWrite, ItemChange};

impl DynamoStore {
    pub(super) async fn admit_counted(
        &self,
        connection: &Connection,
        capacity: Capacity,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let mut call = self.call("admit_listener");
        let session = match self.open_session(&mut call, connection, now).await? {
            Ok(session) if session.status == SessionStatus::Active => session,
            Ok(session) => {
                let refusal = SessionRefusal::WrongStatus(session.status);
                return self.refuse(&mut call, connection, refusal).await;
            }
            Err(refusal) => return self.refuse(&mut call, connection, refusal).await,
        };
        let mut search = ShardSearch::new(connection, capacity);
        loop {
            let result = self
                .transact_anew(&mut call, || {
                    // After a conflict another shard may be free.
                    let index = search.shard();
                    let place = Place {
                        connection: connection.clone(),
                        shard: index,
                    };
                    let take = self.take_place(&session, index, connection, capacity);
                    vec![self.put(place.to_item()), take]
                })
                .await?;
            let Err(checks) = result else {
                return Ok(Admission::Admitted);
            };
            if let Some(ConditionResult::Failed(Some(record))) = checks.first() {
                return existing_admission(&call, connection, record.clone());
            }
            // The shard has no room: find one that has. All are read, because others fill up at the same time.
            let shards = self.shards(call.operation, &session.session_id).await?;
            if let Err(refusal) = search.retry(&mut call, shards).await? {
                return Ok(Admission::Refused(refusal));
            }
        }
    }

    pub(super) async fn admit_exchanged(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let mut call = self.call("exchange_listener");
        let full = SessionRefusal::Full;
        if let Err(refusal) = self.open_session(&mut call, connection, now).await? {
            return self.refuse(&mut call, connection, refusal).await;
        }
        let mut seen: Option<Shard> = None;
        loop {
            // A connection cannot replace itself. All anonymous listeners have the same user: none. One can replace another
            // if it knows the connection ID.
            let replaced = self.place(&mut call, previous).await?.filter(|replaced| {
                replaced.connection.session_id == connection.session_id
                    && replaced.connection.user_id == connection.user_id
                    && *previous != connection.connection_id
            });
            let Some(replaced) = replaced else {
                return self.refuse(&mut call, connection, full).await;
            };
            let mut change = ShardChange::default();
            change.add(&replaced.connection, -1);
            change.add(connection, 1);
            let (id, index) = (&connection.session_id, replaced.shard);
            let state = match seen.take() {
                Some(state) => state,
                None => self.shard(call.operation, id, index).await?,
            };
            let place = Place {
                connection: connection.clone(),
                shard: index,
            };
            let Some(shard) = self.change_shard(id, index, &state, &change) else {
                return self.refuse(&mut call, connection, full).await;
            };
            let shard = shard.and("attribute_not_exists(#closed)");
            let writes = vec![self.put(place.to_item()), shard, self.delete(&replaced)];
            let Err(checks) = self.transact(&mut call, writes).await? else {
                return Ok(Admission::Admitted);
            };
            if let Some(ConditionResult::Failed(Some(record))) = checks.first() {
                return existing_admission(&call, connection, record.clone());
            }
            if let Some(ConditionResult::Failed(item)) = checks.get(1) {
                let state = Shard::read(call.operation, &item.clone().unwrap_or_default())?;
                if state.closed {
                    let ending = SessionRefusal::WrongStatus(SessionStatus::Ending);
                    return Ok(Admission::Refused(ending));
                }
                seen = Some(state);
            }
            // The previous connection changed at the same time.
            call.pause_before_retry(RequestFailure::Rejected).await?;
        }
    }

    /// Returns the session if it is active or paused.
    async fn open_session(
        &self,
        call: &mut StoreCall,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Result<Session, SessionRefusal>> {
        let key = session_key(&connection.session_id);
        let Some(item) = self.get(call, &self.tables.sessions, key).await? else {
            return Ok(Err(SessionRefusal::NoSession));
        };
        let session: Session = item::read(call.operation, item)?;
        Ok(match session.status_at(now) {
            status if status.admits_reconnects() => Ok(session),
            status => Err(SessionRefusal::WrongStatus(status)),
        })
    }

    /// Refuses a connection, unless it has a record already.
    async fn refuse(
        &self,
        call: &mut StoreCall,
        connection: &Connection,
        refusal: SessionRefusal,
    ) -> StoreResult<Admission> {
        let key = connection_key(&connection.connection_id);
        match self.get(call, &self.tables.connections, key).await? {
            Some(record) => existing_admission(call, connection, record),
            None => Ok(Admission::Refused(refusal)),
        }
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
        // Every value is that before the update.
        let take_over = "SET #earlierSpeakerConnectionId = if_not_exists(#speakerConnectionId, :connection), \
                         #speakerConnectionId = :connection, #broadcastState.#isActive = :true, \
                         #broadcastState.#lastStateChange = :now, #updatedAt = :now";
        let session = self
            .session_update(&connection.session_id, take_over)
            .when(format!("{NOT_OVER} AND #speakerId = :user"))
            .with(":connection", &connection.connection_id)
            .with(":true", &true)
            .with(":now", &now)
            .with(":user", user);
        let record = self.put(item::write(connection));
        let writes = vec![record, with_not_over_values(session, now)];
        let mut call = self.call("admit_speaker");
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
            _ => Err(StoreError::Unavailable {
                operation: call.operation,
                reason: "the transaction was canceled without a reason".to_owned(),
            }),
        }
    }

    fn put(&self, record: Item) -> ConditionalWrite {
        ConditionalWrite::new(&self.tables.connections, ItemChange::Put(record))
            .when("attribute_not_exists(#connectionId)")
    }
}

/// Search for a shard that has room for a listener.
struct ShardSearch<'a> {
    connection: &'a Connection,
    capacity: Capacity,
    /// Shards as they were last read.
    shards: Vec<Shard>,
    /// Number of shards that had no room.
    collisions: u32,
}

impl<'a> ShardSearch<'a> {
    /// An open session's shards are taken for empty until one turns out to be full.
    fn new(connection: &'a Connection, capacity: Capacity) -> Self {
        ShardSearch {
            connection,
            capacity,
            shards: vec![Shard::default(); SHARDS as usize],
            collisions: 0,
        }
    }

    /// Returns the shard to try: that of a random free place.
    fn shard(&self) -> ShardIndex {
        random_place(&self.shards, self.connection, self.capacity).unwrap_or_default()
    }

    /// Goes on with the shards as they are after one turned out to be full. Pauses if that happened before.
    async fn retry(
        &mut self,
        call: &mut StoreCall,
        shards: Vec<Shard>,
    ) -> StoreResult<Result<(), SessionRefusal>> {
        if random_place(&shards, self.connection, self.capacity).is_none() {
            return Ok(Err(no_room(&shards, self.capacity)));
        }
        self.shards = shards;
        self.collisions += 1;
        if self.collisions > 1 {
            // Others take the last places at the same time.
            call.pause_before_retry(RequestFailure::Rejected).await?;
        }
        Ok(Ok(()))
    }
}

/// Returns the shard of a random free place for this listener.
fn random_place(
    shards: &[Shard],
    connection: &Connection,
    capacity: Capacity,
) -> Option<ShardIndex> {
    let address = address_group(connection);
    let free: Vec<_> = (0..)
        .zip(shards)
        .map(|(index, shard)| (index, free_places(shard, index, &address, capacity)))
        .collect();
    let all: u64 = free.iter().map(|(_, places)| u64::from(*places)).sum();
    if all == 0 {
        return None;
    }
    let mut chosen = fastrand::u64(..all);
    for (index, places) in free {
        match chosen.checked_sub(u64::from(places)) {
            Some(rest) => chosen = rest,
            None => return Some(index),
        }
    }
    None
}

/// Returns the reason why no shard has a place for a listener. If shards have room, but not for the address, the address
/// counts as full.
fn no_room(shards: &[Shard], capacity: Capacity) -> SessionRefusal {
    if shards.iter().all(|shard| shard.closed) {
        return SessionRefusal::WrongStatus(SessionStatus::Ending);
    }
    let anybody = Capacity {
        per_address: u32::MAX,
        ..capacity
    };
    let mut all = (0..).zip(shards);
    match all.any(|(index, shard)| free_places(shard, index, "", anybody) > 0) {
        true => SessionRefusal::AddressFull,
        false => SessionRefusal::Full,
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

/// Returns the reason for which the session refused a speaker, from the item at that time.
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
    Ok(
        match connection.user_id.as_ref() == Some(&session.speaker_id) {
            true => SessionRefusal::WrongStatus(session.status_at(now)),
            false => SessionRefusal::NotOwner,
        },
    )
}

#[cfg(test)]
mod tests;
