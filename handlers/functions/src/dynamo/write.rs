//! Writes: a change of one item and the condition on which it happens. Alone or several in one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use serde::Serialize;

use super::item::{self, Item};
use super::schema;

/// A failed condition brings the item along, which tells why it failed without another read.
pub(super) const OLD_ITEM: ReturnValuesOnConditionCheckFailure =
    ReturnValuesOnConditionCheckFailure::AllOld;

/// A change of one item, on a condition.
///
/// In expressions every attribute is written `#name`, so that none is mistaken for one of DynamoDB's reserved words
/// (`role`, `status`, `ttl`, `volume` are some); what a `#name` stands for is its name.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) table: String,
    pub(super) change: Change,
    pub(super) condition: String,
    values: HashMap<String, AttributeValue>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(Item),
    Update {
        key: Item,
        expression: String,
    },
    Delete(Item),
    /// Nothing: only the condition counts.
    Check(Item),
}

impl Write {
    pub(super) fn new(table: &str, change: Change) -> Self {
        Write {
            table: table.to_owned(),
            change,
            condition: String::new(),
            values: HashMap::new(),
        }
    }

    /// Only on this condition.
    pub(super) fn when(mut self, condition: impl Into<String>) -> Self {
        self.condition = condition.into();
        self
    }

    /// What a `:name` stands for.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        self.values.insert(name.to_owned(), item::attribute(value));
        self
    }

    /// The names in its expressions.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let mut names = names(&self.condition);
        if let Change::Update { expression, .. } = &self.change {
            names.extend(self::names(expression));
        }
        some(names)
    }

    /// The values in its expressions.
    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        some(self.values.clone())
    }

    /// As a part of a transaction.
    pub(super) fn into_part(self) -> TransactWriteItem {
        let (names, values) = (self.names(), self.values());
        let part = TransactWriteItem::builder();
        // The builders fail when a required member is missing; here none is.
        macro_rules! part {
            ($kind:ident, $builder:expr) => {
                part.$kind(
                    $builder
                        .table_name(self.table)
                        .condition_expression(self.condition)
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(OLD_ITEM)
                        .build()
                        .expect("table, key or item, and expression are set"),
                )
            };
        }
        match self.change {
            Change::Put(item) => part!(put, Put::builder().set_item(Some(item))),
            Change::Update { key, expression } => part!(
                update,
                Update::builder()
                    .set_key(Some(key))
                    .update_expression(expression)
            ),
            Change::Delete(key) => part!(delete, Delete::builder().set_key(Some(key))),
            Change::Check(key) => {
                part!(
                    condition_check,
                    ConditionCheck::builder().set_key(Some(key))
                )
            }
        }
        .build()
    }
}

/// What every `#name` in an expression stands for.
pub(super) fn names(expression: &str) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for rest in expression.split('#').skip(1) {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = &rest[..end];
        debug_assert!(is_attribute(name), "the schema has no attribute {name}");
        names.insert(format!("#{name}"), name.to_owned());
    }
    names
}

fn is_attribute(name: &str) -> bool {
    let mut attributes = schema::TABLES.iter().flat_map(|table| table.attributes);
    attributes.any(|attribute| *attribute == name) || schema::BROADCAST_STATE.contains(&name)
}

/// DynamoDB refuses empty maps of names and values.
fn some<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}
