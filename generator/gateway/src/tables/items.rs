//! Items of tables, for the console: lists, searches and single changes.

use std::collections::HashMap;

use dynoxide::actions::delete_item::DeleteItemRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::list_tables::ListTablesRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::types::AttributeValue;
use dynoxide::{Database, DynoxideError};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{TableDefinition, Tables};

/// Maximum number of items in a page.
const MAX_ITEMS: usize = 100;

/// Maximum number of items that a search reads for a page.
const MAX_SCANNED: usize = 20_000;

type Item = HashMap<String, AttributeValue>;

/// A part of a table's items, in DynamoDB's JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ItemPage {
    /// Names of the key's attributes: the partition key first.
    pub(crate) key: Vec<String>,
    /// Items that match the search.
    pub(crate) items: Vec<Value>,
    /// Number of items that were read.
    pub(crate) scanned: usize,
    /// Key after which the next page starts; `None` at the end of the table.
    pub(crate) next: Option<Value>,
}

/// Reason why items cannot be read or changed.
#[derive(Debug, Error)]
pub(crate) enum TableItemError {
    /// The JSON is not an item.
    #[error("this is not an item in DynamoDB's JSON, such as {{\"id\": {{\"S\": \"a\"}}}}: {0}")]
    NotAnItem(serde_json::Error),
    /// The item is not the one that the user saw.
    #[error("the item was changed meanwhile; read it again")]
    Changed,
    /// DynamoDB rejects the request.
    #[error(transparent)]
    Rejected(#[from] DynoxideError),
}

impl Tables {
    /// Returns the names of all tables.
    pub(crate) async fn names(&self) -> Result<Vec<String>, TableItemError> {
        self.with_database(|database| {
            let (mut names, mut after) = (Vec::new(), None);
            loop {
                let request = ListTablesRequest {
                    exclusive_start_table_name: after.take(),
                    limit: None,
                };
                let listed = database.list_tables(request)?;
                names.extend(listed.table_names);
                after = listed.last_evaluated_table_name;
                if after.is_none() {
                    return Ok(names);
                }
            }
        })
        .await
    }

    /// Returns the items after a key whose names or values contain a text. An empty text finds all.
    pub(crate) async fn items(
        &self,
        table: String,
        search: String,
        after: Option<Value>,
    ) -> Result<ItemPage, TableItemError> {
        self.with_database(move |database| find_items(database, &table, &search, after))
            .await
    }

    /// Stores an item. `before` is the item that the user edited, which must not have changed; `None` for a new one.
    pub(crate) async fn put_item(
        &self,
        table: String,
        item: Value,
        before: Option<Value>,
    ) -> Result<(), TableItemError> {
        self.with_database(move |database| put(database, &table, item, before))
            .await
    }

    /// Deletes the item that the user saw.
    pub(crate) async fn delete_item(
        &self,
        table: String,
        item: Value,
    ) -> Result<(), TableItemError> {
        self.with_database(move |database| {
            let item = parse(item)?;
            let key = key_of(&key_names(database, &table)?, &item);
            require(database, &table, &key, Some(&item))?;
            delete(database, &table, key)
        })
        .await
    }

    async fn with_database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, TableItemError> + Send + 'static,
    ) -> Result<T, TableItemError> {
        let database = self.database.clone();
        let done = tokio::task::spawn_blocking(move || work(&database)).await;
        done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

fn find_items(
    database: &Database,
    table: &str,
    search: &str,
    after: Option<Value>,
) -> Result<ItemPage, TableItemError> {
    let search = search.trim().to_lowercase();
    let names = key_names(database, table)?;
    let mut page = ItemPage {
        key: names.clone(),
        ..ItemPage::default()
    };
    let mut start = after.map(parse).transpose()?;
    loop {
        let request = ScanRequest {
            table_name: table.to_owned(),
            exclusive_start_key: start.take(),
            ..ScanRequest::default()
        };
        let scanned = database.scan(request)?;
        for item in scanned.items.unwrap_or_default() {
            page.scanned += 1;
            let json = to_json(&item);
            if contains(&json, &search) {
                page.items.push(json);
            }
            if page.items.len() == MAX_ITEMS || page.scanned == MAX_SCANNED {
                page.next = Some(to_json(&key_of(&names, &item)));
                return Ok(page);
            }
        }
        start = scanned.last_evaluated_key;
        if start.is_none() {
            return Ok(page);
        }
    }
}

fn put(
    database: &Database,
    table: &str,
    item: Value,
    before: Option<Value>,
) -> Result<(), TableItemError> {
    let names = key_names(database, table)?;
    let item = parse(item)?;
    let before = before.map(parse).transpose()?;
    let key = key_of(&names, &item);
    let old_key = before.as_ref().map(|before| key_of(&names, before));
    let is_moved = old_key.as_ref().is_some_and(|old| *old != key);
    if let (Some(old_key), Some(before)) = (&old_key, &before) {
        require(database, table, old_key, Some(before))?;
    }
    if is_moved || before.is_none() {
        // An item without its key is rejected below, with DynamoDB's reason.
        if key.len() == names.len() {
            require(database, table, &key, None)?;
        }
    }
    let request = PutItemRequest {
        table_name: table.to_owned(),
        item,
        ..PutItemRequest::default()
    };
    database.put_item(request)?;
    match old_key {
        Some(old_key) if is_moved => delete(database, table, old_key),
        _ => Ok(()),
    }
}

fn delete(database: &Database, table: &str, key: Item) -> Result<(), TableItemError> {
    let request = DeleteItemRequest {
        table_name: table.to_owned(),
        key,
        ..DeleteItemRequest::default()
    };
    database.delete_item(request)?;
    Ok(())
}

/// Returns an error unless the item with a key is this one, or none.
fn require(
    database: &Database,
    table: &str,
    key: &Item,
    expected: Option<&Item>,
) -> Result<(), TableItemError> {
    let request = GetItemRequest {
        table_name: table.to_owned(),
        key: key.clone(),
        ..GetItemRequest::default()
    };
    match database.get_item(request)?.item.as_ref() == expected {
        true => Ok(()),
        false => Err(TableItemError::Changed),
    }
}

fn key_names(database: &Database, table: &str) -> Result<Vec<String>, TableItemError> {
    let request = DescribeTableRequest {
        table_name: table.to_owned(),
    };
    let found = database.describe_table(request)?;
    let definition = TableDefinition::from_description(&found.table);
    Ok(definition.key.into_iter().map(|it| it.name).collect())
}

fn key_of(names: &[String], item: &Item) -> Item {
    let attributes = names
        .iter()
        .filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
    attributes.collect()
}

fn parse(item: Value) -> Result<Item, TableItemError> {
    serde_json::from_value(item).map_err(TableItemError::NotAnItem)
}

/// Returns an item with its attributes in a fixed order.
fn to_json(item: &Item) -> Value {
    let mut names: Vec<_> = item.keys().collect();
    names.sort();
    let attributes = names.into_iter().map(|name| {
        let value = serde_json::to_value(&item[name]).unwrap_or_default();
        (name.clone(), value)
    });
    Value::Object(attributes.collect::<Map<_, _>>())
}

/// Returns true if a name or a value of an item contains a text in lower case.
fn contains(item: &Value, search: &str) -> bool {
    match item {
        Value::String(text) => text.to_lowercase().contains(search),
        Value::Array(values) => values.iter().any(|value| contains(value, search)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.to_lowercase().contains(search) || contains(value, search)),
        Value::Bool(value) => value.to_string().contains(search),
        Value::Null | Value::Number(_) => false,
    }
}
