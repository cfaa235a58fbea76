//! Places of a session's listeners, counted in shards.
//!
//! One counter per session would be an item that every join and leave writes, and transactions on one item exclude each
//! other: at 20 ms each, 50 per second. So the places are split over [`SHARDS`] items. A listener's record names its shard,
//! and is written and deleted in one transaction with it. See `docs/decisions/0020-places-in-shards.md` of stackgen.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::join_all;
use live_session_core::ports::{Capacity, StoreError, StoreResult};
use live_session_core::{Connection, Language, ListenerCounts, Session, SessionId, address_key};

use super::DynamoStore;
use super::call::RequestFailure;
use super::item::{self, Item};
use super::schema::SESSIONS;
use super::store::{WriteResult, key};
use super::write::{ConditionalWrite, ItemChange};

/// Number of items over which a session's places are split.
pub(super) const SHARDS: u32 = 16;

/// Index of a shard.
pub(super) type ShardIndex = u32;

/// State of a shard. A shard without an item is empty and open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) listeners: u32,
    /// True once the session ends. A closed shard is never opened again.
    pub(super) closed: bool,
    /// Number of changes so far. While it stays the same, no listener joined, left or changed the language.
    pub(super) version: u32,
    /// Number of listeners by attribute: languages and addresses.
    pub(super) groups: BTreeMap<String, u32>,
}

impl Shard {
    pub(super) fn read(operation: &'static str, item: &Item) -> StoreResult<Self> {
        let mut shard = Shard::default();
        for (name, value) in item {
            match (name.as_str(), value) {
                ("closed", AttributeValue::Bool(closed)) => shard.closed = *closed,
                ("listenerCount", AttributeValue::N(count)) => {
                    shard.listeners = number(operation, name, count)?;
                }
                ("version", AttributeValue::N(count)) => {
                    shard.version = number(operation, name, count)?;
                }
                (_, AttributeValue::N(count)) if name.contains(':') => {
                    let count = number(operation, name, count)?;
                    shard.groups.insert(name.clone(), count);
                }
                _ => {}
            }
        }
        Ok(shard)
    }

    pub(super) fn in_group(&self, group: &str) -> u32 {
        self.groups.get(group).copied().unwrap_or_default()
    }

    fn add_to(&self, counts: &mut ListenerCounts) {
        counts.total += self.listeners;
        for (group, count) in &self.groups {
            let language = group.strip_prefix(LANGUAGE);
            let language = language.and_then(|tag| Language::try_from(tag).ok());
            if let Some(language) = language {
                *counts.by_language.entry(language).or_default() += count;
            }
        }
    }
}

fn number(operation: &'static str, name: &str, digits: &str) -> StoreResult<u32> {
    digits.parse().map_err(|_| StoreError::Corrupt {
        operation,
        reason: format!("{name}: not a count"),
    })
}

const LANGUAGE: &str = "language:";

/// Returns the attribute that counts the listeners of a language.
pub(super) fn language_group(language: &Language) -> String {
    format!("{LANGUAGE}{language}")
}

/// Returns the attribute that counts the listeners with this listener's address.
pub(super) fn address_group(listener: &Connection) -> String {
    format!("address:{}", address_key(&listener.ip_address))
}

/// Returns the attributes that count a listener: of its language and of its address.
fn groups(listener: &Connection) -> Vec<String> {
    let language = listener.target_language.as_ref().map(language_group);
    let address = address_group(listener);
    language.into_iter().chain([address]).collect()
}

/// Returns the share of a number for one shard. The shares of all shards add up to the number.
pub(super) fn share(number: u32, shard: ShardIndex) -> u32 {
    number / SHARDS + u32::from(shard < number % SHARDS)
}

/// Returns the number of places in a shard with this state for listeners of this address.
pub(super) fn free_places(
    shard: &Shard,
    index: ShardIndex,
    address: &str,
    capacity: Capacity,
) -> u32 {
    if shard.closed {
        return 0;
    }
    let free = share(capacity.listeners, index).saturating_sub(shard.listeners);
    let of_address = share(capacity.per_address, index).saturating_sub(shard.in_group(address));
    free.min(of_address)
}

pub(super) fn shard_key(session: &SessionId, shard: ShardIndex) -> Item {
    key(SESSIONS.key, &format!("{session}#{shard:02}"))
}

/// Returns the index of a shard's item.
fn shard_index(operation: &'static str, item: &Item) -> StoreResult<usize> {
    parse_shard_key(item)
        .map(|(_, index)| index as usize)
        .ok_or_else(|| StoreError::Corrupt {
            operation,
            reason: "sessionId: not the key of a shard".to_owned(),
        })
}

/// Returns the session and the index of a shard's item.
pub(super) fn parse_shard_key(item: &Item) -> Option<(SessionId, ShardIndex)> {
    let Some(AttributeValue::S(key)) = item.get(SESSIONS.key) else {
        return None;
    };
    let (session, index) = key.split_once('#')?;
    let index = index.parse().ok().filter(|index| *index < SHARDS)?;
    Some((SessionId::try_from(session).ok()?, index))
}

/// A change of the numbers in a shard: of its listeners, and by attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ShardChange {
    pub(super) listeners: i64,
    pub(super) groups: BTreeMap<String, i64>,
}

impl ShardChange {
    /// Adds a listener (1) or removes it (-1).
    pub(super) fn add(&mut self, listener: &Connection, sign: i64) {
        self.listeners += sign;
        for group in groups(listener) {
            *self.groups.entry(group).or_default() += sign;
        }
    }
}

/// Parts of the update of a shard.
#[derive(Debug, Default)]
struct ShardExpression {
    adds: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    names: BTreeMap<String, String>,
    values: BTreeMap<String, i64>,
}

impl ShardExpression {
    fn change_listeners(&mut self, by: i64) {
        self.adds.push("#listenerCount :listeners".to_owned());
        self.conditions
            .push("#listenerCount >= :leaving".to_owned());
        self.values.insert(":listeners".to_owned(), by);
        self.values.insert(":leaving".to_owned(), (-by).max(0));
    }

    /// Changes the number of a group, which had `there` listeners.
    fn change_group(&mut self, number: usize, group: &str, by: i64, there: i64) {
        let (name, value, leaving) = (
            format!("#g{number}"),
            format!(":g{number}"),
            format!(":o{number}"),
        );
        // Only an edit by hand could cause the latter: the shard does not count those who leave.
        if by == 0 || there < -by {
            return;
        }
        if there == -by {
            self.removes.push(name.clone());
            self.conditions.push(format!("{name} = {leaving}"));
        } else {
            self.adds.push(format!("{name} {value}"));
            self.values.insert(value, by);
        }
        if by < 0 {
            if there > -by {
                self.conditions.push(format!("{name} > {leaving}"));
            }
            self.values.insert(leaving, -by);
        }
        self.names.insert(name, group.to_owned());
    }

    fn text(&self) -> String {
        let adds = self.adds.iter().map(String::as_str);
        let adds: Vec<_> = ["#version :one"].into_iter().chain(adds).collect();
        let mut text = format!("ADD {}", adds.join(", "));
        if !self.removes.is_empty() {
            text += &format!(" REMOVE {}", self.removes.join(", "));
        }
        text
    }
}

impl DynamoStore {
    /// Returns the write that takes a place in a shard, if it has room.
    pub(super) fn take_place(
        &self,
        session: &Session,
        index: ShardIndex,
        connection: &Connection,
        capacity: Capacity,
    ) -> ConditionalWrite {
        let language = connection.target_language.is_some();
        let expression = match language {
            true => {
                "SET #expiresAt = :expires \
                 ADD #version :one, #listenerCount :one, #address :one, #language :one"
            }
            false => {
                "SET #expiresAt = :expires ADD #version :one, #listenerCount :one, #address :one"
            }
        };
        let below = |name: &str, value: &str, share: u32| match share {
            // An attribute that does not exist is no place either.
            0 => format!("{name} < {value}"),
            _ => format!("(attribute_not_exists({name}) OR {name} < {value})"),
        };
        let listeners = share(capacity.listeners, index);
        let per_address = share(capacity.per_address, index);
        let condition = format!(
            "attribute_not_exists(#closed) AND {} AND {}",
            below("#listenerCount", ":listeners", listeners),
            below("#address", ":perAddress", per_address)
        );
        let address = address_group(connection);
        let write = self
            .shard_update(&session.session_id, index, expression.to_owned())
            .when(condition)
            .with(":one", &1)
            .with(":expires", &session.expires_at)
            .with(":listeners", &listeners)
            .with(":perAddress", &per_address)
            .named("#address", address);
        match &connection.target_language {
            Some(language) => write.named("#language", language_group(language)),
            None => write,
        }
    }

    /// Returns the write for a change of a shard that was `seen` in this state, or `None` if the shard does not count
    /// what leaves. Attributes are removed when they become zero, so that items do not grow. The condition fails if the
    /// shard has changed so much that another write is necessary.
    pub(super) fn change_shard(
        &self,
        session: &SessionId,
        index: ShardIndex,
        seen: &Shard,
        change: &ShardChange,
    ) -> Option<ConditionalWrite> {
        let leaving = u32::try_from(-change.listeners).unwrap_or_default();
        if leaving > seen.listeners {
            return None;
        }
        let mut expression = ShardExpression::default();
        if change.listeners != 0 {
            expression.change_listeners(change.listeners);
        }
        for (number, (group, by)) in change.groups.iter().enumerate() {
            expression.change_group(number, group, *by, i64::from(seen.in_group(group)));
        }
        let mut write = self
            .shard_update(session, index, expression.text())
            .with(":one", &1);
        let mut condition = "attribute_exists(#listenerCount)".to_owned();
        for part in &expression.conditions {
            condition += &format!(" AND {part}");
        }
        for (name, attribute) in expression.names {
            write = write.named(&name, attribute);
        }
        for (name, value) in &expression.values {
            write = write.with(name, value);
        }
        Some(write.when(condition))
    }

    pub(super) fn shard_update(
        &self,
        session: &SessionId,
        index: ShardIndex,
        expression: String,
    ) -> ConditionalWrite {
        let key = shard_key(session, index);
        ConditionalWrite::new(
            &self.tables.sessions,
            ItemChange::Update { key, expression },
        )
    }

    /// Reads a shard, with a strongly consistent read.
    pub(super) async fn shard(
        &self,
        operation: &'static str,
        session: &SessionId,
        index: ShardIndex,
    ) -> StoreResult<Shard> {
        let mut call = self.call(operation);
        let key = shard_key(session, index);
        match self.get(&mut call, &self.tables.sessions, key).await? {
            Some(item) => Shard::read(operation, &item),
            None => Ok(Shard::default()),
        }
    }

    /// Reads all shards, each with a strongly consistent read.
    pub(super) async fn shards(
        &self,
        operation: &'static str,
        session: &SessionId,
    ) -> StoreResult<Vec<Shard>> {
        let mut call = self.call(operation);
        let table = &self.tables.sessions;
        let mut shards = vec![Shard::default(); SHARDS as usize];
        let mut keys: Vec<_> = (0..SHARDS).map(|index| shard_key(session, index)).collect();
        while !keys.is_empty() {
            let request = KeysAndAttributes::builder().set_keys(Some(keys.clone()));
            let request = request.consistent_read(true).build();
            let request = request.expect("the keys are set");
            let request = self.client.batch_get_item().request_items(table, request);
            match call.send(request.send()).await {
                Ok(answer) => {
                    let items = answer.responses.and_then(|mut tables| tables.remove(table));
                    for item in items.unwrap_or_default() {
                        let index = shard_index(operation, &item)?;
                        shards[index] = Shard::read(operation, &item)?;
                    }
                    // DynamoDB returns some items and leaves the others to another request.
                    let left = answer.unprocessed_keys;
                    let left = left.and_then(|mut tables| tables.remove(table));
                    keys = left.map(|left| left.keys).unwrap_or_default();
                    if !keys.is_empty() {
                        call.pause_before_retry(RequestFailure::Rejected).await?;
                    }
                }
                Err(failed) => call.pause_before_retry(failed).await?,
            }
        }
        Ok(shards)
    }

    pub(super) async fn counts(
        &self,
        operation: &'static str,
        session: &SessionId,
    ) -> StoreResult<ListenerCounts> {
        let mut counts = ListenerCounts::default();
        for shard in self.shards(operation, session).await? {
            shard.add_to(&mut counts);
        }
        Ok(counts)
    }

    /// Closes all shards of a session that ends, for good. Returns their state, in which nobody can join any more.
    pub(super) async fn close_shards(
        &self,
        operation: &'static str,
        session: &Session,
    ) -> StoreResult<Vec<Shard>> {
        let closing = (0..SHARDS).map(|index| self.close_shard(operation, session, index));
        join_all(closing).await.into_iter().collect()
    }

    async fn close_shard(
        &self,
        operation: &'static str,
        session: &Session,
        index: ShardIndex,
    ) -> StoreResult<Shard> {
        let mut call = self.call(operation);
        let close = "SET #closed = :true, #expiresAt = :expires".to_owned();
        let write = self
            .shard_update(&session.session_id, index, close)
            .when("attribute_not_exists(#closed)")
            .with(":true", &true)
            .with(":expires", &session.expires_at);
        let (WriteResult::Done(item) | WriteResult::ConditionFailed(item)) =
            self.write(&mut call, write).await?;
        Shard::read(operation, &item.unwrap_or_default())
    }
}

/// A listener's record, with the shard that counts it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) connection: Connection,
    pub(super) shard: ShardIndex,
}

impl Place {
    /// Reads a listener's record.
    pub(super) fn read(operation: &'static str, record: &Item) -> StoreResult<Self> {
        let shard = match record.get("shard") {
            Some(AttributeValue::N(digits)) => digits.parse().ok(),
            _ => None,
        };
        let shard = shard.filter(|shard| *shard < SHARDS);
        Ok(Place {
            connection: item::read(operation, record.clone())?,
            shard: shard.ok_or_else(|| StoreError::Corrupt {
                operation,
                reason: "shard: not the index of a shard".to_owned(),
            })?,
        })
    }

    /// Returns the item of the record.
    pub(super) fn to_item(&self) -> Item {
        let mut item = item::write(&self.connection);
        let shard = AttributeValue::N(self.shard.to_string());
        item.insert("shard".to_owned(), shard);
        item
    }
}

#[cfg(test)]
mod tests;
