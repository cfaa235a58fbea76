//! Comparison of the shards' numbers with the records.
//!
//! The numbers and the records are written in the same transactions, so they differ only after an edit by hand or a restore. A
//! scan is no snapshot: listeners join and leave meanwhile. So each shard counts its changes, and is corrected only if its
//! version is the same before the scan of the records and when it is written. Then no record of this shard was written or
//! deleted in between, and the scan saw all of them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use live_session_core::limits::SESSION_RETENTION;
use live_session_core::ports::{Audit, ConnectionAudit, StoreResult};
use live_session_core::{Connection, Role, SessionId, Timestamp};
use tokio::time::Instant;
use tracing::warn;

use super::DynamoStore;
use super::call::StoreCall;
use super::item::{self, Item};
use super::places::{Place, Shard, ShardChange, ShardIndex, parse_shard_key};
use super::store::{WriteResult, session_key};
use super::write::names;

/// Maximum number of attributes that one correction writes. An expression has at most 4 KB.
const MAX_CHANGES: usize = 150;

/// Shards to compare. Sessions stay in the table for a week after they are over, and nobody joins them any more: if such a
/// shard counts nobody, it is right. A session is over when it ends, which closes its shards, or when its time is over.
const OPEN_SHARDS: &str = "contains(#sessionId, :mark) AND \
    ((attribute_not_exists(#closed) AND #expiresAt > :over) OR #listenerCount > :zero)";

/// Key of a shard.
type ShardKey = (SessionId, ShardIndex);

impl ConnectionAudit for DynamoStore {
    async fn audit(&self, limit: usize, now: Timestamp, until: Instant) -> StoreResult<Audit> {
        let shards = self.all_shards(limit, now, until).await?;
        let records = self.all_records(limit).await?;
        let can_correct = records.is_complete && records.unreadable == 0;
        let correction = match can_correct {
            true => self.correct_all(&shards, &records, until).await,
            false => Correction::default(),
        };
        let listeners = records.places.into_iter().map(|place| place.connection);
        Ok(Audit {
            connections: listeners.chain(records.speakers).collect(),
            is_complete: can_correct && shards.is_complete && correction.is_complete,
            corrected: correction.corrected,
        })
    }
}

/// Result of correcting the shards.
#[derive(Default)]
struct Correction {
    corrected: u32,
    /// False if there was no time for a shard, or if a write failed.
    is_complete: bool,
}

/// Shards of the table.
#[derive(Default)]
struct Shards {
    by_key: BTreeMap<ShardKey, Shard>,
    is_complete: bool,
}

/// All records of the table.
#[derive(Default)]
struct Records {
    places: Vec<Place>,
    speakers: Vec<Connection>,
    /// Number of malformed records. They do not keep the others from being reconciled.
    unreadable: u32,
    is_complete: bool,
}

impl Records {
    fn len(&self) -> usize {
        self.places.len() + self.speakers.len()
    }

    fn add(&mut self, operation: &'static str, record: Item) -> StoreResult<()> {
        let connection: Connection = item::read(operation, record.clone())?;
        match connection.role {
            Role::Listener => self.places.push(Place::read(operation, &record)?),
            Role::Speaker => self.speakers.push(connection),
        }
        Ok(())
    }
}

/// Returns what the shards should count.
fn count_places(places: &[Place]) -> BTreeMap<ShardKey, Shard> {
    let mut changes: BTreeMap<ShardKey, ShardChange> = BTreeMap::new();
    for place in places {
        let key = (place.connection.session_id.clone(), place.shard);
        changes.entry(key).or_default().add(&place.connection, 1);
    }
    let shards = changes.into_iter().map(|(key, change)| {
        let number = |number: i64| u32::try_from(number).unwrap_or_default();
        let groups = change.groups.into_iter();
        let shard = Shard {
            listeners: number(change.listeners),
            groups: groups
                .map(|(group, count)| (group, number(count)))
                .collect(),
            ..Shard::default()
        };
        (key, shard)
    });
    shards.collect()
}

fn is_different(shard: &Shard, actual: &Shard) -> bool {
    shard.listeners != actual.listeners || shard.groups != actual.groups
}

impl DynamoStore {
    /// Corrects the shards that differ from the records, one after the other, until there is no time left.
    async fn correct_all(&self, shards: &Shards, records: &Records, until: Instant) -> Correction {
        let counted = count_places(&records.places);
        let mut keys: BTreeSet<_> = shards.by_key.keys().collect();
        if shards.is_complete {
            keys.extend(counted.keys());
        }
        let mut correction = Correction {
            corrected: 0,
            is_complete: true,
        };
        for key in keys {
            let before = shards.by_key.get(key).cloned().unwrap_or_default();
            let actual = counted.get(key).cloned().unwrap_or_default();
            if !is_different(&before, &actual) {
                continue;
            }
            if Instant::now() >= until {
                warn!("No time to correct all numbers of listeners");
                correction.is_complete = false;
                break;
            }
            match self.correct(key, &before, &actual).await {
                Ok(is_corrected) => correction.corrected += u32::from(is_corrected),
                Err(error) => {
                    correction.is_complete = false;
                    let (session, shard) = key;
                    warn!(sessionId = %session, shard, %error, "Cannot correct the number of listeners");
                }
            }
        }
        correction
    }

    /// Reads the shards to compare: at most `limit`, and no further page after `until`, so that there is time for the records.
    async fn all_shards(
        &self,
        limit: usize,
        now: Timestamp,
        until: Instant,
    ) -> StoreResult<Shards> {
        let mut shards = Shards::default();
        let mut from = None;
        loop {
            if Instant::now() >= until {
                warn!("No time to read all numbers of listeners");
                return Ok(shards);
            }
            let mut call = self.call("audit");
            let table = &self.tables.sessions;
            let page = self.scan(&mut call, table, Some(now), from).await?;
            for item in page.items {
                let Some(key) = parse_shard_key(&item) else {
                    continue;
                };
                if shards.by_key.len() == limit {
                    return Ok(shards);
                }
                let shard = Shard::read(call.operation, &item)?;
                shards.by_key.insert(key, shard);
            }
            match page.next {
                Some(next) => from = Some(next),
                None => {
                    shards.is_complete = true;
                    return Ok(shards);
                }
            }
        }
    }

    async fn all_records(&self, limit: usize) -> StoreResult<Records> {
        let mut records = Records::default();
        let mut from = None;
        loop {
            let mut call = self.call("audit");
            let page = self.scan(&mut call, &self.tables.connections, None, from);
            let page = page.await?;
            for record in page.items {
                if records.len() == limit {
                    return Ok(records);
                }
                if let Err(error) = records.add(call.operation, record) {
                    records.unreadable += 1;
                    warn!(%error, "Skipped a record");
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => {
                    records.is_complete = true;
                    return Ok(records);
                }
            }
        }
    }

    /// Reads a page of a table, with strongly consistent reads: all items, or the shards to compare at this time.
    async fn scan(
        &self,
        call: &mut StoreCall,
        table: &str,
        shards_at: Option<Timestamp>,
        from: Option<Item>,
    ) -> StoreResult<ScanPage> {
        let request = self
            .client
            .scan()
            .table_name(table)
            .consistent_read(true)
            .set_exclusive_start_key(from);
        let request = match shards_at {
            Some(now) => {
                // What expires by then is of a session whose time is over.
                let over = now.after(SESSION_RETENTION).as_seconds();
                request
                    .filter_expression(OPEN_SHARDS)
                    .set_expression_attribute_names(Some(names(OPEN_SHARDS)))
                    .expression_attribute_values(":mark", AttributeValue::S("#".to_owned()))
                    .expression_attribute_values(":over", AttributeValue::N(over.to_string()))
                    .expression_attribute_values(":zero", AttributeValue::N("0".to_owned()))
            }
            None => request,
        };
        loop {
            match call.send(request.clone().send()).await {
                Ok(answer) => {
                    return Ok(ScanPage {
                        items: answer.items.unwrap_or_default(),
                        next: answer.last_evaluated_key,
                    });
                }
                Err(failed) => call.pause_before_retry(failed).await?,
            }
        }
    }

    /// Writes the actual numbers into a shard, unless it has changed since. Returns true if it wrote.
    async fn correct(&self, key: &ShardKey, before: &Shard, actual: &Shard) -> StoreResult<bool> {
        let (session, index) = key;
        let mut call = self.call("audit");
        // A shard outlives its listeners' records, but not its session.
        let item = self.get(&mut call, &self.tables.sessions, session_key(session));
        let Some(item) = item.await? else {
            return Ok(false);
        };
        let session: live_session_core::Session = item::read(call.operation, item)?;
        let obsolete = before.groups.keys();
        let obsolete: Vec<_> = obsolete
            .filter(|group| !actual.groups.contains_key(*group))
            .collect();
        if actual.groups.len() + obsolete.len() > MAX_CHANGES {
            warn!(sessionId = %session.session_id, "A shard has too many numbers to correct at once");
            return Ok(false);
        }
        let mut expression = "SET #listenerCount = :count, #expiresAt = :expires".to_owned();
        for number in 0..actual.groups.len() {
            expression += &format!(", #g{number} = :g{number}");
        }
        expression += " ADD #version :one";
        for number in 0..obsolete.len() {
            let verb = if number == 0 { " REMOVE" } else { "," };
            expression += &format!("{verb} #o{number}");
        }
        let condition = match before.version {
            0 => "attribute_not_exists(#version)",
            _ => "#version = :version",
        };
        let mut write = self
            .shard_update(&session.session_id, *index, expression)
            .when(condition)
            .with(":count", &actual.listeners)
            .with(":expires", &session.expires_at)
            .with(":one", &1);
        if before.version > 0 {
            write = write.with(":version", &before.version);
        }
        for (number, (group, count)) in actual.groups.iter().enumerate() {
            write = write
                .named(&format!("#g{number}"), group.clone())
                .with(&format!(":g{number}"), count);
        }
        for (number, group) in obsolete.into_iter().enumerate() {
            write = write.named(&format!("#o{number}"), group.clone());
        }
        let written = self.write(&mut call, write).await?;
        let is_corrected = matches!(written, WriteResult::Done(_));
        if is_corrected {
            let id = &session.session_id;
            let (was, is) = (before.listeners, actual.listeners);
            warn!(sessionId = %id, shard = index, was, is, "Corrected the number of listeners");
        }
        Ok(is_corrected)
    }
}

/// A page of a scan.
struct ScanPage {
    items: Vec<Item>,
    next: Option<Item>,
}
