//! Conditional writes of one item, alone or in a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use serde::Serialize;

use super::item::{self, Item};
use super::schema;

/// Makes a failed condition return the item, so that the reason is known without another read.
pub(super) const OLD_ITEM: ReturnValuesOnConditionCheckFailure =
    ReturnValuesOnConditionCheckFailure::AllOld;

/// A change of one item, with a condition.
///
/// Expressions refer to attributes as `#name`, because some names are reserved words of DynamoDB (`role`, `status`,
/// `ttl`, `volume`). `#name` always stands for the attribute `name`.
#[derive(Clone, Debug)]
pub(super) struct ConditionalWrite {
    pub(super) table: String,
    pub(super) change: ItemChange,
    pub(super) condition: String,
    values: HashMap<String, AttributeValue>,
    /// Attributes that the schema does not name, by their `#name` in the expressions.
    names: HashMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) enum ItemChange {
    Put(Item),
    Update {
        key: Item,
        expression: String,
    },
    Delete(Item),
    /// Changes nothing, and only checks the condition.
    Check(Item),
}

impl ConditionalWrite {
    pub(super) fn new(table: &str, change: ItemChange) -> Self {
        ConditionalWrite {
            table: table.to_owned(),
            change,
            condition: String::new(),
            values: HashMap::new(),
            names: HashMap::new(),
        }
    }

    /// Sets the condition.
    pub(super) fn when(mut self, condition: impl Into<String>) -> Self {
        self.condition = condition.into();
        self
    }

    /// Adds a condition.
    pub(super) fn and(mut self, condition: &str) -> Self {
        self.condition = format!("{} AND {condition}", self.condition);
        self
    }

    /// Sets the value of a `:name`.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        self.values.insert(name.to_owned(), item::attribute(value));
        self
    }

    /// Sets the attribute for a `#name` that is not in the schema.
    pub(super) fn named(mut self, name: &str, attribute: String) -> Self {
        self.names.insert(name.to_owned(), attribute);
        self
    }

    /// Returns the attribute names in the expressions.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let expression = match &self.change {
            ItemChange::Update { expression, .. } => expression.as_str(),
            _ => "",
        };
        let mut names = HashMap::new();
        for name in placeholders(&self.condition).chain(placeholders(expression)) {
            let attribute = self.names.get(name).cloned();
            let attribute = attribute.unwrap_or_else(|| schema_attribute(name));
            names.insert(name.to_owned(), attribute);
        }
        some(names)
    }

    /// Returns the values in the expressions.
    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        some(self.values.clone())
    }

    /// Converts the write into an item of a transaction.
    pub(super) fn into_part(self) -> TransactWriteItem {
        let (names, values) = (self.names(), self.values());
        let part = TransactWriteItem::builder();
        // `build` fails only if a required member is missing; all are set here.
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
            ItemChange::Put(item) => part!(put, Put::builder().set_item(Some(item))),
            ItemChange::Update { key, expression } => part!(
                update,
                Update::builder()
                    .set_key(Some(key))
                    .update_expression(expression)
            ),
            ItemChange::Delete(key) => part!(delete, Delete::builder().set_key(Some(key))),
            ItemChange::Check(key) => {
                part!(
                    condition_check,
                    ConditionCheck::builder().set_key(Some(key))
                )
            }
        }
        .build()
    }
}

/// Returns the attribute of every `#name` in an expression.
pub(super) fn names(expression: &str) -> HashMap<String, String> {
    let names = placeholders(expression);
    names
        .map(|name| (name.to_owned(), schema_attribute(name)))
        .collect()
}

/// Returns every `#name` in an expression.
fn placeholders(expression: &str) -> impl Iterator<Item = &str> {
    let starts = expression.match_indices('#');
    starts.map(|(start, _)| {
        let rest = &expression[start + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        &expression[start..end.map_or(expression.len(), |end| start + 1 + end)]
    })
}

/// Returns the attribute that a `#name` stands for.
fn schema_attribute(name: &str) -> String {
    let attribute = &name[1..];
    debug_assert!(
        is_attribute(attribute),
        "the schema has no attribute {attribute}"
    );
    attribute.to_owned()
}

fn is_attribute(name: &str) -> bool {
    let mut attributes = schema::TABLES.iter().flat_map(|table| table.attributes);
    attributes.any(|attribute| *attribute == name)
        || schema::BROADCAST_STATE.contains(&name)
        || schema::SHARD.contains(&name)
        || schema::RESERVED_ID.contains(&name)
}

/// Returns `None` for an empty map, which DynamoDB refuses.
fn some<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}
