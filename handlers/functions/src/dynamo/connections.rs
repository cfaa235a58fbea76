//! Operations on one connection's record, and pages of listeners.

use live_session_core::ports::{
    Admission, Capacity, ConnectionStore, ListenerPage, PageKey, RemovedConnection, StoreResult,
};
use live_session_core::{
    Connection, ConnectionId, Language, Recipient, Role, SessionId, Timestamp,
};

use super::DynamoStore;
use super::call::{ConditionResult, RequestFailure, StoreCall};
use super::item::{self, Item};
use super::places::{Shard, ShardChange};
use super::schema::{CONNECTIONS, LISTENERS};
use super::store::{WriteResult, connection_key, key};
use super::write::{ConditionalWrite, ItemChange, names};

impl ConnectionStore for DynamoStore {
    async fn connection(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        let mut call = self.call("connection");
        let item = self
            .get(&mut call, &self.tables.connections, connection_key(id))
            .await?;
        item.map(|item| item::read(call.operation, item))
            .transpose()
    }

    async fn admit_listener(
        &self,
        connection: &Connection,
        capacity: Capacity,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        self.admit_counted(connection, capacity, now).await
    }

    async fn exchange_listener(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        self.admit_exchanged(previous, connection, now).await
    }

    async fn admit_speaker(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> StoreResult<Admission> {
        self.admit_speaking(connection, now).await
    }

    async fn change_language(
        &self,
        id: &ConnectionId,
        language: &Language,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        self.recount_language(id, language, now).await
    }

    async fn touch(&self, id: &ConnectionId, now: Timestamp) -> StoreResult<Option<Connection>> {
        let update = self
            .record_update(id, "SET #lastSeenAt = :now")
            .when("attribute_exists(#connectionId)")
            .with(":now", &now);
        self.change_record("touch", update).await
    }

    async fn request_refresh(&self, id: &ConnectionId, now: Timestamp) -> StoreResult<bool> {
        let mut call = self.call("request_refresh");
        let update = self
            .record_update(id, "SET #refreshRequestedAt = :now")
            .when("attribute_exists(#connectionId) AND attribute_not_exists(#refreshRequestedAt)")
            .with(":now", &now);
        match self.write(&mut call, update).await? {
            WriteResult::Done(_) => Ok(true),
            // If this call wrote it and the response was lost, the client has not been asked yet.
            WriteResult::ConditionFailed(Some(item)) if call.maybe_written => {
                let connection: Connection = item::read(call.operation, item)?;
                Ok(connection.refresh_requested_at == Some(now))
            }
            WriteResult::ConditionFailed(_) => Ok(false),
        }
    }

    async fn remove(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> StoreResult<Option<RemovedConnection>> {
        self.remove_one(id, now).await
    }

    async fn listeners(
        &self,
        session: &SessionId,
        language: Option<&Language>,
        from: Option<PageKey>,
    ) -> StoreResult<ListenerPage> {
        let mut call = self.call("listeners");
        let mut condition = "#sessionId = :session".to_owned();
        if language.is_some() {
            condition += " AND #targetLanguage = :language";
        }
        let query = self
            .client
            .query()
            .table_name(&self.tables.connections)
            .index_name(LISTENERS.name)
            .set_expression_attribute_names(Some(names(&condition)))
            .key_condition_expression(condition)
            .expression_attribute_values(":session", item::attribute(session))
            .set_exclusive_start_key(from.map(|from| start(session, &from)))
            .set_limit(self.settings.page);
        let query = match language {
            Some(language) => {
                query.expression_attribute_values(":language", item::attribute(language))
            }
            None => query,
        };
        loop {
            match call.send(query.clone().send()).await {
                Ok(answer) => {
                    return page(
                        &call,
                        answer.items.unwrap_or_default(),
                        answer.last_evaluated_key,
                    );
                }
                Err(failed) => call.pause_before_retry(failed).await?,
            }
        }
    }

    async fn remove_listeners(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
        _: Timestamp,
    ) -> StoreResult<u32> {
        self.remove_many(session, ids).await
    }
}

impl DynamoStore {
    /// Changes the language of a listener and the numbers of its shard, in one transaction.
    async fn recount_language(
        &self,
        id: &ConnectionId,
        language: &Language,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let mut call = self.call("change_language");
        let mut seen: Option<Shard> = None;
        loop {
            let Some(place) = self.place(&mut call, id).await? else {
                return Ok(None);
            };
            let changed = Connection {
                target_language: Some(language.clone()),
                last_seen_at: now,
                ..place.connection.clone()
            };
            let (session, index) = (&changed.session_id, place.shard);
            let state = match seen.take() {
                Some(state) => state,
                None => self.shard(call.operation, session, index).await?,
            };
            let mut change = ShardChange::default();
            change.add(&place.connection, -1);
            change.add(&changed, 1);
            let mut record = self
                .record_update(id, "SET #targetLanguage = :language, #lastSeenAt = :now")
                .when("#sessionId = :session AND #role = :listener AND #shard = :shard")
                .with(":session", session)
                .with(":listener", &Role::Listener)
                .with(":shard", &index)
                .with(":language", language)
                .with(":now", &now);
            if let Some(before) = &place.connection.target_language {
                record = record
                    .and("#targetLanguage = :before")
                    .with(":before", before);
            }
            let mut writes = vec![record];
            // Without the session's items there is nothing to count.
            if state != Shard::default() {
                writes.extend(self.change_shard(session, index, &state, &change));
            }
            let Err(checks) = self.transact(&mut call, writes).await? else {
                return Ok(Some(changed));
            };
            if let Some(ConditionResult::Failed(item)) = checks.get(1) {
                let item = item.clone().unwrap_or_default();
                seen = Some(Shard::read(call.operation, &item)?);
            }
            // The record or its shard changed at the same time.
            call.pause_before_retry(RequestFailure::Rejected).await?;
        }
    }

    fn record_update(&self, id: &ConnectionId, expression: &str) -> ConditionalWrite {
        let (key, expression) = (connection_key(id), expression.to_owned());
        ConditionalWrite::new(
            &self.tables.connections,
            ItemChange::Update { key, expression },
        )
    }

    async fn change_record(
        &self,
        operation: &'static str,
        update: ConditionalWrite,
    ) -> StoreResult<Option<Connection>> {
        match self.write(&mut self.call(operation), update).await? {
            WriteResult::Done(item) => item::read(operation, item.unwrap_or_default()).map(Some),
            WriteResult::ConditionFailed(_) => Ok(None),
        }
    }
}

fn page(call: &StoreCall, items: Vec<Item>, last: Option<Item>) -> StoreResult<ListenerPage> {
    let listeners = items
        .into_iter()
        .map(|item| item::read::<Recipient>(call.operation, item));
    Ok(ListenerPage {
        listeners: listeners.collect::<StoreResult<_>>()?,
        next: last.map(|last| next(call, last)).transpose()?,
    })
}

/// Returns the start key of an index query: the keys of the index and of the table.
fn start(session: &SessionId, from: &PageKey) -> Item {
    let mut start = key(CONNECTIONS.key, from.connection_id.as_str());
    start.extend(key(LISTENERS.partition_key, session.as_str()));
    start.extend(key(LISTENERS.sort_key, from.language.as_str()));
    start
}

fn next(call: &StoreCall, last: Item) -> StoreResult<PageKey> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Last {
        target_language: Language,
        connection_id: ConnectionId,
    }
    let last: Last = item::read(call.operation, last)?;
    Ok(PageKey {
        language: last.target_language,
        connection_id: last.connection_id,
    })
}
