//! Items of tables, for the console: lists, searches and single changes.

use std::collections::HashMap;

use dynoxide::actions::delete_item::DeleteItemRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::list_tables::ListTablesRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::actions::transact_write_items::{
    TransactDelete, TransactPut, TransactWriteItem, TransactWriteItemsRequest,
};
use dynoxide::types::AttributeValue;
use dynoxide::{Database, DynoxideError};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{TableDefinition, Tables};

/// Maximum number of items in a page.
const MAX_ITEMS: usize = 100;

/// Maximum number of items that a search reads for a page.
const MAX_SCANNED: usize = 20_000;

/// Maximum number of attributes that a condition compares: expressions of DynamoDB have a limited length.
const MAX_COMPARED: usize = 100;

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
    Rejected(DynoxideError),
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
            delete(database, &table, key, &item)
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
    if let (Some(old_key), Some(before)) = (&old_key, &before) {
        require(database, table, old_key, Some(before))?;
    }
    // An item without its key is rejected below, with DynamoDB's reason.
    if old_key.as_ref() != Some(&key) && key.len() == names.len() {
        require(database, table, &key, None)?;
    }
    write(database, table, &names, item, before.as_ref())
}

/// Stores an item on the condition that nothing changed since it was checked.
fn write(
    database: &Database,
    table: &str,
    names: &[String],
    item: Item,
    before: Option<&Item>,
) -> Result<(), TableItemError> {
    let key = key_of(names, &item);
    let old_key = before.map(|before| key_of(names, before));
    let condition = match before {
        Some(before) if old_key.as_ref() == Some(&key) => Condition::is_still(before),
        _ => Condition::is_new(names),
    };
    if let (Some(before), Some(old_key)) = (before, old_key)
        && old_key != key
        && key.len() == names.len()
    {
        return replace(database, table, (item, condition), (old_key, before));
    }
    let request = PutItemRequest {
        table_name: table.to_owned(),
        item,
        condition_expression: Some(condition.expression),
        expression_attribute_names: Some(condition.names),
        expression_attribute_values: condition.values,
        ..PutItemRequest::default()
    };
    database.put_item(request)?;
    Ok(())
}

/// Stores an item with another key, and deletes the one before, or does neither.
fn replace(
    database: &Database,
    table: &str,
    (item, condition): (Item, Condition),
    (old_key, before): (Item, &Item),
) -> Result<(), TableItemError> {
    let put = TransactPut {
        table_name: table.to_owned(),
        item,
        condition_expression: Some(condition.expression),
        expression_attribute_names: Some(condition.names),
        expression_attribute_values: condition.values,
        ..TransactPut::default()
    };
    let condition = Condition::is_still(before);
    let delete = TransactDelete {
        table_name: table.to_owned(),
        key: old_key,
        condition_expression: Some(condition.expression),
        expression_attribute_names: Some(condition.names),
        expression_attribute_values: condition.values,
        ..TransactDelete::default()
    };
    let request = TransactWriteItemsRequest {
        transact_items: vec![
            TransactWriteItem {
                put: Some(put),
                ..TransactWriteItem::default()
            },
            TransactWriteItem {
                delete: Some(delete),
                ..TransactWriteItem::default()
            },
        ],
        ..TransactWriteItemsRequest::default()
    };
    database.transact_write_items(request)?;
    Ok(())
}

/// Deletes an item on the condition that it did not change since it was checked.
fn delete(
    database: &Database,
    table: &str,
    key: Item,
    before: &Item,
) -> Result<(), TableItemError> {
    let condition = Condition::is_still(before);
    let request = DeleteItemRequest {
        table_name: table.to_owned(),
        key,
        condition_expression: Some(condition.expression),
        expression_attribute_names: Some(condition.names),
        expression_attribute_values: condition.values,
        ..DeleteItemRequest::default()
    };
    database.delete_item(request)?;
    Ok(())
}

/// Condition of a write.
struct Condition {
    expression: String,
    names: HashMap<String, String>,
    values: Option<Item>,
}

impl Condition {
    /// Returns the condition that no item has the key.
    fn is_new(key_names: &[String]) -> Self {
        let names = key_names.iter().take(1);
        Condition {
            expression: "attribute_not_exists(#0)".to_owned(),
            names: names.map(|name| ("#0".to_owned(), name.clone())).collect(),
            values: None,
        }
    }

    /// Returns the condition that the item has these attributes. It does not notice one that is added after the check.
    fn is_still(before: &Item) -> Self {
        let attributes = || before.iter().take(MAX_COMPARED).enumerate();
        let equal = attributes().map(|(at, _)| format!("#{at} = :{at}"));
        let names = attributes().map(|(at, (name, _))| (format!("#{at}"), name.clone()));
        let values = attributes().map(|(at, (_, value))| (format!(":{at}"), value.clone()));
        Condition {
            expression: equal.collect::<Vec<_>>().join(" AND "),
            names: names.collect(),
            values: Some(values.collect()),
        }
    }
}

impl From<DynoxideError> for TableItemError {
    fn from(error: DynoxideError) -> Self {
        let is_condition = match &error {
            DynoxideError::ConditionalCheckFailedException(..) => true,
            DynoxideError::TransactionCanceledException(_, reasons) => reasons
                .iter()
                .any(|reason| reason.code == "ConditionalCheckFailed"),
            _ => false,
        };
        match is_condition {
            true => TableItemError::Changed,
            false => TableItemError::Rejected(error),
        }
    }
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
    let fields = item.as_object().into_iter().flatten();
    fields
        .into_iter()
        .any(|(name, value)| name.to_lowercase().contains(search) || value_contains(value, search))
}

/// Returns true if a value with its type, such as `{"S": "a"}`, contains a text. The type does not count.
fn value_contains(typed: &Value, search: &str) -> bool {
    let mut contents = typed.as_object().into_iter().flatten();
    contents.any(|(kind, content)| match (kind.as_str(), content) {
        ("M", content) => contains(content, search),
        ("L", Value::Array(values)) => values.iter().any(|value| value_contains(value, search)),
        ("NULL", _) => "null".contains(search),
        (_, Value::Array(texts)) => texts.iter().any(|text| text_contains(text, search)),
        (_, content) => text_contains(content, search),
    })
}

fn text_contains(content: &Value, search: &str) -> bool {
    match content {
        Value::String(text) => text.to_lowercase().contains(search),
        Value::Bool(value) => value.to_string().contains(search),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use dynoxide::actions::create_table::CreateTableRequest;
    use serde_json::json;

    use super::*;

    /// Returns a database whose table has one item.
    fn database(item: &Value) -> Database {
        let database = Database::memory().unwrap();
        let table = json!({
            "TableName": "items",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let table: CreateTableRequest = serde_json::from_value(table).unwrap();
        database.create_table(table).unwrap();
        put(&database, "items", item.clone(), None).unwrap();
        database
    }

    fn item(id: &str, text: &str) -> Value {
        json!({ "id": { "S": id }, "text": { "S": text } })
    }

    #[test]
    fn a_change_between_the_check_and_the_write_is_noticed() {
        let current = item("a", "current");
        let database = database(&current);
        put(&database, "items", item("b", "another"), None).unwrap();
        let names = ["id".to_owned()];
        let parsed = |value| parse(value).unwrap();
        let stale = parsed(item("a", "stale"));
        let write =
            |value, before: Option<&Item>| write(&database, "items", &names, parsed(value), before);
        let key = key_of(&names, &stale);
        for outcome in [
            write(item("a", "new"), None),
            write(item("a", "edited"), Some(&stale)),
            write(item("c", "moved"), Some(&stale)),
            write(item("b", "moved"), Some(&parsed(current.clone()))),
            write(item("gone", "x"), Some(&parsed(item("gone", "y")))),
            delete(&database, "items", key, &stale),
        ] {
            assert!(
                matches!(outcome, Err(TableItemError::Changed)),
                "{outcome:?}"
            );
        }
        let all = || find_items(&database, "items", "", None).unwrap().items;
        assert_eq!(all().len(), 2, "{:?}", all());
        assert!(all().contains(&current));
        write(item("c", "moved"), Some(&parsed(current))).unwrap();
        assert_eq!(all().len(), 2);
        assert!(all().contains(&item("c", "moved")));
    }

    #[test]
    fn an_item_with_more_attributes_than_a_condition_has_is_edited() {
        let mut many = item("a", "x");
        for number in 0..150 {
            many[format!("n{number}")] = json!({ "N": number.to_string() });
        }
        let database = database(&many);
        put(&database, "items", item("a", "y"), Some(many)).unwrap();
        let found = find_items(&database, "items", "", None).unwrap().items;
        assert_eq!(found, [item("a", "y")]);
    }

    #[test]
    fn a_search_ignores_the_types_of_values() {
        let item = json!({
            "id": { "S": "A" }, "tags": { "SS": ["red", "blue"] }, "n": { "N": "17" }, "ok": { "BOOL": true },
            "none": { "NULL": true }, "deep": { "M": { "list": { "L": [{ "S": "leaf" }, { "M": {} }] } } },
        });
        for found in [
            "", "id", "tags", "blue", "17", "true", "null", "list", "leaf", "a",
        ] {
            assert!(contains(&item, found), "{found}");
        }
        for missing in ["ss", "bool", "bs", "18", "false"] {
            assert!(!contains(&item, missing), "{missing}");
        }
    }
}
