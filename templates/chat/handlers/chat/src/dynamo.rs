//! Memberships in DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Error};
use stackgen_websocket::ConnectionId;

use crate::protocol::RoomName;
use crate::rooms::{Membership, Memberships, StoreError};

/// Partition key. All members of a room are in one partition.
pub const ROOM: &str = "roomId";
/// Sort key, and partition key of [`BY_CONNECTION`].
pub const CONNECTION: &str = "connectionId";
/// User of the connection.
const USER: &str = "userId";
/// TTL attribute.
pub const TIME_TO_LIVE: &str = "ttl";
/// Index of a connection's rooms.
pub const BY_CONNECTION: &str = "connectionId-index";

/// Table of rooms.
#[derive(Clone, Debug)]
pub struct RoomsTable {
    client: Client,
    name: String,
}

impl RoomsTable {
    /// Returns the table with this name.
    pub fn new(client: Client, name: String) -> Self {
        RoomsTable { client, name }
    }

    /// Returns the values of an attribute of all items that match a key, from all pages.
    async fn query(
        &self,
        operation: &'static str,
        index: Option<&str>,
        (key, value): (&str, &str),
        attribute: &str,
    ) -> Result<Vec<String>, StoreError> {
        let pages = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name(index.map(str::to_owned))
            // Tables can be read consistently, and indexes cannot.
            .consistent_read(index.is_none())
            .key_condition_expression("#key = :value")
            .projection_expression("#attribute")
            .expression_attribute_names("#key", key)
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", text(value))
            .into_paginator();
        let items = pages.items().send().collect::<Result<Vec<_>, _>>().await;
        let items = items.map_err(|error| store_error(operation, error.into()))?;
        let value = |mut item: HashMap<String, AttributeValue>| match item.remove(attribute) {
            Some(AttributeValue::S(value)) => Ok(value),
            _ => Err(StoreError {
                operation,
                reason: format!("an item has no text `{attribute}`"),
            }),
        };
        items.into_iter().map(value).collect()
    }
}

impl Memberships for RoomsTable {
    async fn add(&self, membership: &Membership) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item(ROOM, text(membership.room.as_str()))
            .item(CONNECTION, text(membership.connection_id.as_str()))
            .item(USER, text(&membership.user_id))
            .item(
                TIME_TO_LIVE,
                AttributeValue::N(membership.expires_at.to_string()),
            )
            .condition_expression("attribute_not_exists(#room)")
            .expression_attribute_names("#room", ROOM);
        match put.send().await.map_err(Error::from) {
            // The membership existed already.
            Ok(_) | Err(Error::ConditionalCheckFailedException(_)) => Ok(()),
            Err(error) => Err(store_error("join", error)),
        }
    }

    async fn remove(&self, room: &RoomName, id: &ConnectionId) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(ROOM, text(room.as_str()))
            .key(CONNECTION, text(id.as_str()));
        let deleted = delete.send().await;
        deleted.map_err(|error| store_error("leave", error.into()))?;
        Ok(())
    }

    async fn members(&self, room: &RoomName) -> Result<Vec<ConnectionId>, StoreError> {
        let key = (ROOM, room.as_str());
        let ids = self.query("members", None, key, CONNECTION).await?;
        Ok(ids.into_iter().map(ConnectionId::new).collect())
    }

    async fn rooms(&self, id: &ConnectionId) -> Result<Vec<RoomName>, StoreError> {
        let (operation, key) = ("rooms", (CONNECTION, id.as_str()));
        let names = self
            .query(operation, Some(BY_CONNECTION), key, ROOM)
            .await?;
        let room = |name: String| {
            RoomName::try_from(name).map_err(|reason| StoreError {
                operation,
                reason: reason.to_owned(),
            })
        };
        names.into_iter().map(room).collect()
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Converts an error to its code. Its message may contain our data.
fn store_error(operation: &'static str, error: Error) -> StoreError {
    let reason = error.code().unwrap_or("no valid response").to_owned();
    StoreError { operation, reason }
}
