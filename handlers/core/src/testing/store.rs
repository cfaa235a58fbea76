//! Tables in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Rate;
use crate::ports::{
    Admission, Audit, BroadcastChange, Bucket, Capacity, ConnectionAudit, ConnectionStore,
    ListenerPage, PageKey, RateLimiter, RemovedConnection, SessionRefusal, SessionStore,
    StoreError, StoreResult, TakeResult, TicketStore,
};
use crate::{
    BroadcastState, BucketTimes, Connection, ConnectionId, CreationKey, Language, ListenerCounts,
    Recipient, Role, Session, SessionId, SessionStatus, Ticket, TicketHash, Timestamp, UserId,
    address_key,
};

/// Sessions, connections and rate limits in memory. One lock makes every change atomic.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    sessions: BTreeMap<SessionId, Session>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Time at which each bucket was empty, in microseconds: its tokens are what it has gained since.
    buckets: BTreeMap<String, u64>,
    reserved: BTreeMap<(UserId, CreationKey), SessionId>,
    tickets: BTreeMap<TicketHash, Ticket>,
    failing: Option<StoreError>,
    rates_failing: Option<StoreError>,
    hidden: BTreeMap<ConnectionId, u32>,
    page: Option<usize>,
    write_time: Duration,
    wrong_counts: u32,
}

impl MemoryStore {
    /// Makes all operations fail with this error, until called with `None`.
    pub fn fail(&self, error: Option<StoreError>) {
        self.tables().failing = error;
    }

    /// Makes the rate limiter fail with this error, until called with `None`.
    pub fn fail_rates(&self, error: Option<StoreError>) {
        self.tables().rates_failing = error;
    }

    /// Hides this listener from the next `times` pages, as an index does that lags behind.
    pub fn hide_from_pages(&self, id: &ConnectionId, times: u32) {
        self.tables().hidden.insert(id.clone(), times);
    }

    /// Sets the number of listeners per page.
    pub fn page_size(&self, size: usize) {
        self.tables().page = Some(size);
    }

    /// Sets the time that each heartbeat's, each removal's and each correction's write takes, and each page of listeners.
    pub fn set_write_time(&self, time: Duration) {
        self.tables().write_time = time;
    }

    /// Sets how many counts an audit has to correct. They are computed from the records, so that none is really wrong.
    pub fn set_wrong_counts(&self, number: u32) {
        self.tables().wrong_counts = number;
    }

    /// Waits as long as a write takes.
    async fn wait(&self) {
        let time = self.tables().write_time;
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// Returns the records of all connections.
    pub fn connections(&self) -> Vec<Connection> {
        self.tables().connections.values().cloned().collect()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().expect("nobody panics while holding it")
    }

    fn available(&self) -> StoreResult<MutexGuard<'_, Tables>> {
        let tables = self.tables();
        match &tables.failing {
            Some(error) => Err(error.clone()),
            None => Ok(tables),
        }
    }
}

impl Tables {
    /// Returns the session if it has one of these statuses.
    fn session_in(
        &mut self,
        id: &SessionId,
        states: &[SessionStatus],
        now: Timestamp,
    ) -> Result<&mut Session, SessionRefusal> {
        let session = self.sessions.get_mut(id).ok_or(SessionRefusal::NoSession)?;
        let status = session.status_at(now);
        match states.contains(&status) {
            true => Ok(session),
            false => Err(SessionRefusal::WrongStatus(status)),
        }
    }

    /// Returns the refusal if the user does not own the session. Callers check it first.
    fn ownership_refusal(&self, id: &SessionId, user: Option<&UserId>) -> Option<SessionRefusal> {
        match self.sessions.get(id) {
            None => Some(SessionRefusal::NoSession),
            Some(session) if user != Some(&session.speaker_id) => Some(SessionRefusal::NotOwner),
            Some(_) => None,
        }
    }

    fn counts(&self, id: &SessionId) -> ListenerCounts {
        let mut counts = ListenerCounts::default();
        for listener in self.listeners_of(id) {
            counts.total += 1;
            if let Some(language) = listener.target_language.clone() {
                *counts.by_language.entry(language).or_default() += 1;
            }
        }
        counts
    }

    fn listeners_of(&self, id: &SessionId) -> impl Iterator<Item = &Connection> {
        let all = self.connections.values();
        all.filter(move |one| one.session_id == *id && one.role == Role::Listener)
    }

    fn capacity_refusal(&self, new: &Connection, capacity: Capacity) -> Option<SessionRefusal> {
        let address = address_key(&new.ip_address);
        let listeners = || self.listeners_of(&new.session_id);
        let from_there = listeners().filter(|one| address_key(&one.ip_address) == address);
        match (listeners().count() as u32, from_there.count() as u32) {
            (all, _) if all >= capacity.listeners => Some(SessionRefusal::Full),
            (_, from_there) if from_there >= capacity.per_address => {
                Some(SessionRefusal::AddressFull)
            }
            _ => None,
        }
    }

    fn existing_admission(&self, new: &Connection) -> Option<Admission> {
        let there = self.connections.get(&new.connection_id)?.clone();
        let same = there.session_id == new.session_id && there.role == new.role;
        Some(match same {
            true => Admission::AlreadyJoined(there),
            false => Admission::InOtherSession(there),
        })
    }

    /// Returns the speaker's connection before this one, if it has a record.
    fn earlier_connection(&self, connection: &Connection) -> Option<ConnectionId> {
        let session = self.sessions.get(&connection.session_id)?;
        let earlier = session.earlier_speaker_connection_id.as_ref()?;
        let record = self.connections.get(earlier)?;
        (record.role == Role::Speaker && record.session_id == session.session_id)
            .then(|| earlier.clone())
    }

    fn put(&mut self, connection: &Connection) -> Admission {
        let id = connection.connection_id.clone();
        self.connections.insert(id, connection.clone());
        Admission::Admitted
    }
}

const ACTIVE: &[SessionStatus] = &[SessionStatus::Active];
const NOT_OVER: &[SessionStatus] = &[SessionStatus::Active, SessionStatus::Paused];

impl SessionStore for MemoryStore {
    async fn create(&self, session: &Session) -> StoreResult<bool> {
        let mut tables = self.available()?;
        let id = session.session_id.clone();
        let free = !tables.sessions.contains_key(&id);
        tables.sessions.entry(id).or_insert_with(|| session.clone());
        Ok(free)
    }

    async fn reserve_id(
        &self,
        owner: &UserId,
        key: &CreationKey,
        candidate: &SessionId,
        _: Timestamp,
    ) -> StoreResult<SessionId> {
        let mut tables = self.available()?;
        let reserved = tables.reserved.entry((owner.clone(), key.clone()));
        Ok(reserved.or_insert_with(|| candidate.clone()).clone())
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        Ok(self.available()?.sessions.get(id).cloned())
    }

    async fn listener_counts(&self, id: &SessionId) -> StoreResult<ListenerCounts> {
        Ok(self.available()?.counts(id))
    }

    async fn set_status(
        &self,
        id: &SessionId,
        owner: &UserId,
        to: SessionStatus,
        now: Timestamp,
    ) -> StoreResult<Result<Session, SessionRefusal>> {
        let mut tables = self.available()?;
        if let Some(refusal) = tables.ownership_refusal(id, Some(owner)) {
            return Ok(Err(refusal));
        }
        Ok(tables.session_in(id, NOT_OVER, now).map(|session| {
            (session.status, session.updated_at) = (to, now);
            session.clone()
        }))
    }

    async fn set_broadcast_state(
        &self,
        id: &SessionId,
        change: BroadcastChange,
        now: Timestamp,
    ) -> StoreResult<Result<BroadcastState, SessionRefusal>> {
        let mut tables = self.available()?;
        Ok(tables.session_in(id, NOT_OVER, now).map(|session| {
            let state = &mut session.broadcast_state;
            state.is_paused = change.is_paused.unwrap_or(state.is_paused);
            state.is_muted = change.is_muted.unwrap_or(state.is_muted);
            state.volume = change.volume.unwrap_or(state.volume);
            state.last_state_change = now;
            session.updated_at = now;
            session.broadcast_state
        }))
    }

    async fn begin_end(
        &self,
        id: &SessionId,
        owner: &UserId,
        now: Timestamp,
    ) -> StoreResult<Result<Session, SessionRefusal>> {
        let mut tables = self.available()?;
        if let Some(refusal) = tables.ownership_refusal(id, Some(owner)) {
            return Ok(Err(refusal));
        }
        let Some(session) = tables.sessions.get_mut(id) else {
            return Ok(Err(SessionRefusal::NoSession));
        };
        if !session.status.is_over() {
            (session.status, session.updated_at) = (SessionStatus::Ending, now);
        }
        Ok(Ok(session.clone()))
    }

    async fn finish_end(&self, id: &SessionId, now: Timestamp) -> StoreResult<bool> {
        let mut tables = self.available()?;
        let Some(session) = tables.sessions.get(id) else {
            return Ok(true);
        };
        let mut status = session.status;
        if status == SessionStatus::Ending && tables.counts(id).total == 0 {
            status = SessionStatus::Ended;
        }
        if let Some(session) = tables.sessions.get_mut(id)
            && session.status != status
        {
            (session.status, session.updated_at) = (status, now);
        }
        Ok(status == SessionStatus::Ended)
    }
}

impl ConnectionStore for MemoryStore {
    async fn connection(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        Ok(self.available()?.connections.get(id).cloned())
    }

    async fn admit_listener(
        &self,
        connection: &Connection,
        capacity: Capacity,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let mut tables = self.available()?;
        if let Some(existing_admission) = tables.existing_admission(connection) {
            return Ok(existing_admission);
        }
        match tables.session_in(&connection.session_id, ACTIVE, now) {
            Err(refusal) => Ok(Admission::Refused(refusal)),
            Ok(_) => Ok(match tables.capacity_refusal(connection, capacity) {
                Some(refusal) => Admission::Refused(refusal),
                None => tables.put(connection),
            }),
        }
    }

    async fn exchange_listener(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let mut tables = self.available()?;
        if let Some(existing_admission) = tables.existing_admission(connection) {
            return Ok(existing_admission);
        }
        if let Err(refusal) = tables.session_in(&connection.session_id, NOT_OVER, now) {
            return Ok(Admission::Refused(refusal));
        }
        let same = tables.connections.get(previous).is_some_and(|previous| {
            previous.session_id == connection.session_id
                && previous.role == Role::Listener
                && previous.user_id == connection.user_id
        });
        if !same {
            return Ok(Admission::Refused(SessionRefusal::Full));
        }
        tables.connections.remove(previous);
        Ok(tables.put(connection))
    }

    async fn admit_speaker(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        let mut tables = self.available()?;
        if let Some(existing_admission) = tables.existing_admission(connection) {
            return Ok(existing_admission);
        }
        let user = connection.user_id.as_ref();
        if let Some(refusal) = tables.ownership_refusal(&connection.session_id, user) {
            return Ok(Admission::Refused(refusal));
        }
        match tables.session_in(&connection.session_id, NOT_OVER, now) {
            Err(refusal) => Ok(Admission::Refused(refusal)),
            Ok(session) => {
                let current = session.speaker_connection_id.take();
                let earlier = current.unwrap_or_else(|| connection.connection_id.clone());
                session.earlier_speaker_connection_id = Some(earlier);
                session.speaker_connection_id = Some(connection.connection_id.clone());
                session.broadcast_state.is_active = true;
                session.broadcast_state.last_state_change = now;
                session.updated_at = now;
                Ok(tables.put(connection))
            }
        }
    }

    async fn change_language(
        &self,
        id: &ConnectionId,
        language: &Language,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let mut tables = self.available()?;
        let connection = tables.connections.get_mut(id);
        let listener = connection.filter(|connection| connection.role == Role::Listener);
        Ok(listener.map(|listener| {
            listener.target_language = Some(language.clone());
            listener.last_seen_at = now;
            listener.clone()
        }))
    }

    async fn touch(&self, id: &ConnectionId, now: Timestamp) -> StoreResult<Option<Connection>> {
        self.wait().await;
        let mut tables = self.available()?;
        Ok(tables.connections.get_mut(id).map(|connection| {
            connection.last_seen_at = now;
            connection.clone()
        }))
    }

    async fn request_refresh(&self, id: &ConnectionId, now: Timestamp) -> StoreResult<bool> {
        let mut tables = self.available()?;
        let connection = tables.connections.get_mut(id);
        let unrequested = connection.filter(|connection| connection.refresh_requested_at.is_none());
        Ok(unrequested
            .map(|connection| connection.refresh_requested_at = Some(now))
            .is_some())
    }

    async fn remove(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> StoreResult<Option<RemovedConnection>> {
        self.wait().await;
        let mut tables = self.available()?;
        let Some(connection) = tables.connections.remove(id) else {
            return Ok(None);
        };
        let mut was_speaking = false;
        let earlier = tables.earlier_connection(&connection);
        if let Some(session) = tables.sessions.get_mut(&connection.session_id) {
            match connection.role {
                Role::Speaker if session.speaker_connection_id.as_ref() == Some(id) => {
                    was_speaking = earlier.is_none();
                    if was_speaking {
                        session.broadcast_state.is_active = false;
                        session.broadcast_state.last_state_change = now;
                    }
                    session.speaker_connection_id = earlier;
                    session.earlier_speaker_connection_id = None;
                    session.updated_at = now;
                }
                Role::Speaker | Role::Listener => {}
            }
        }
        Ok(Some(RemovedConnection {
            connection,
            was_speaking,
        }))
    }

    async fn listeners(
        &self,
        session: &SessionId,
        language: Option<&Language>,
        from: Option<PageKey>,
    ) -> StoreResult<ListenerPage> {
        self.wait().await;
        let mut tables = self.available()?;
        let hidden = tables.hidden.clone();
        tables.hidden.retain(|_, times| {
            *times -= 1;
            *times > 0
        });
        let mut all: Vec<(PageKey, Recipient)> = Vec::new();
        for connection in tables.connections.values() {
            let Some(heard_language) = connection.target_language.clone() else {
                continue;
            };
            let id = connection.connection_id.clone();
            let key = PageKey {
                language: heard_language,
                connection_id: id,
            };
            let after = from
                .as_ref()
                .is_none_or(|from| sort_key(&key) > sort_key(from));
            let matches_language = language.is_none_or(|language| *language == key.language);
            let listed = !hidden.contains_key(&key.connection_id);
            if connection.session_id == *session && listed && after && matches_language {
                all.push((key, Recipient::from(connection)));
            }
        }
        all.sort_by(|(one, _), (other, _)| sort_key(one).cmp(&sort_key(other)));
        let size = tables.page.unwrap_or(usize::MAX).min(all.len());
        let rest = all.split_off(size);
        let last = all.last().map(|(key, _)| key.clone());
        Ok(ListenerPage {
            listeners: all.into_iter().map(|(_, listener)| listener).collect(),
            next: last.filter(|_| !rest.is_empty()),
        })
    }

    async fn remove_listeners(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
        _: Timestamp,
    ) -> StoreResult<u32> {
        self.wait().await;
        let mut tables = self.available()?;
        let mut removed = 0;
        for id in ids {
            let listens = tables.connections.get(id).is_some_and(|connection| {
                connection.session_id == *session && connection.role == Role::Listener
            });
            if listens && tables.connections.remove(id).is_some() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl TicketStore for MemoryStore {
    async fn put_ticket(&self, hash: &TicketHash, ticket: &Ticket) -> StoreResult<()> {
        let mut tables = self.available()?;
        tables.tickets.insert(hash.clone(), ticket.clone());
        Ok(())
    }

    async fn redeem_ticket(
        &self,
        hash: &TicketHash,
        session: &SessionId,
        now: Timestamp,
    ) -> StoreResult<Option<Ticket>> {
        let mut tables = self.available()?;
        let ticket = tables.tickets.get(hash);
        let is_valid =
            ticket.is_some_and(|ticket| ticket.session_id == *session && now < ticket.valid_until);
        Ok(match is_valid {
            true => tables.tickets.remove(hash),
            false => None,
        })
    }
}

impl ConnectionAudit for MemoryStore {
    async fn audit(&self, limit: usize, _: Timestamp, until: Instant) -> StoreResult<Audit> {
        let (connections, are_all) = {
            let tables = self.available()?;
            let connections = tables.connections.values().take(limit);
            let are_all = tables.connections.len() <= limit;
            (connections.cloned().collect(), are_all)
        };
        let mut corrected = 0;
        while self.available()?.wrong_counts > 0 && Instant::now() < until {
            self.wait().await;
            self.tables().wrong_counts -= 1;
            corrected += 1;
        }
        Ok(Audit {
            connections,
            is_complete: are_all && self.tables().wrong_counts == 0,
            corrected,
        })
    }
}

fn sort_key(key: &PageKey) -> (&Language, &ConnectionId) {
    (&key.language, &key.connection_id)
}

impl RateLimiter for MemoryStore {
    async fn take(&self, bucket: &Bucket, rate: Rate, now: Timestamp) -> StoreResult<TakeResult> {
        self.check_bucket(bucket, rate, now, true)
    }

    async fn peek(&self, bucket: &Bucket, rate: Rate, now: Timestamp) -> StoreResult<TakeResult> {
        self.check_bucket(bucket, rate, now, false)
    }
}

impl MemoryStore {
    /// Returns whether a bucket has a token, and takes it if `is_taking`.
    fn check_bucket(
        &self,
        bucket: &Bucket,
        rate: Rate,
        now: Timestamp,
        is_taking: bool,
    ) -> StoreResult<TakeResult> {
        let mut tables = self.available()?;
        if let Some(error) = &tables.rates_failing {
            return Err(error.clone());
        }
        let Some(times) = BucketTimes::new(rate, now) else {
            return Ok(TakeResult::Empty {
                retry_after: rate.per,
            });
        };
        let empty_at = tables.buckets.get(bucket.as_str()).copied();
        let result = times.result(empty_at);
        if result == TakeResult::Taken && is_taking {
            let name = bucket.as_str().to_owned();
            tables.buckets.insert(name, times.after_take(empty_at));
        }
        Ok(result)
    }
}
