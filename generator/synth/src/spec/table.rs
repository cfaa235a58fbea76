//! DynamoDB tables.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Expression;

/// A DynamoDB table, billed on demand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Table {
    /// The partition key.
    pub partition_key: Key,
    /// The sort key.
    pub sort_key: Option<Key>,
    /// Global secondary indexes by name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "index-name"}))]
    pub indexes: BTreeMap<String, Index>,
    /// The attribute that holds the second after which DynamoDB deletes an item.
    pub time_to_live: Option<String>,
    /// The key that encrypts the table. Default `awsManaged`.
    #[serde(default)]
    pub encryption: Encryption,
    /// A key of your own, in place of `encryption`; functions with access get its use as well.
    pub kms_key_arn: Option<Expression>,
    /// Backups to any second of the last 35 days.
    #[serde(default)]
    pub point_in_time_recovery: bool,
    /// Refuses to delete the table.
    #[serde(default)]
    pub deletion_protection: bool,
    /// What becomes of the table when the stack no longer has it. Default `retain`.
    #[serde(default)]
    pub removal: Removal,
    /// A stream of changes, and what its records hold.
    pub stream: Option<StreamView>,
}

impl Table {
    /// The key attributes of the table and of its indexes; one that serves several keys comes more than once.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        let indexes = self.indexes.values();
        let indexes =
            indexes.flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
        let own = [Some(&self.partition_key), self.sort_key.as_ref()];
        own.into_iter().chain(indexes).flatten()
    }
}

/// A key attribute.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The attribute's name.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// `S` string, `N` number, `B` binary.
    #[serde(rename = "type")]
    pub key_type: KeyType,
}

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl KeyType {
    /// DynamoDB's letter.
    pub fn name(self) -> &'static str {
        match self {
            KeyType::S => "S",
            KeyType::N => "N",
            KeyType::B => "B",
        }
    }
}

/// A global secondary index.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Index {
    /// The partition key.
    pub partition_key: Key,
    /// The sort key.
    pub sort_key: Option<Key>,
    /// Which attributes it copies. Default `all`.
    #[serde(default)]
    pub projection: Projection,
}

/// Which attributes an index copies.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Projection {
    /// All of them.
    #[default]
    All,
    /// The keys alone.
    KeysOnly,
}

/// Who holds the key that encrypts a table.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Encryption {
    /// `alias/aws/dynamodb` of this account, whose use CloudTrail records.
    #[default]
    AwsManaged,
    /// A key of DynamoDB's own, at no cost.
    AwsOwned,
}

/// What becomes of a table that the stack no longer has.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Removal {
    /// It stays, outside of the stack.
    #[default]
    Retain,
    /// It is deleted with its data.
    Delete,
}

/// What the records of a table's stream hold.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum StreamView {
    /// The keys.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

macro_rules! actions {
    ($($variant:ident)*) => {
        /// An action of DynamoDB that a function may take, by DynamoDB's own name.
        #[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TableAction { $(#[doc = concat!("`dynamodb:", stringify!($variant), "`.")] $variant,)* }

        impl TableAction {
            /// As IAM names it, without the service.
            pub fn name(self) -> &'static str {
                match self { $(TableAction::$variant => stringify!($variant),)* }
            }
        }
    };
}

actions! {
    BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem DescribeTable GetItem PutItem Query Scan UpdateItem
}

impl TableAction {
    /// True for the two that read an index.
    pub fn reads_indexes(self) -> bool {
        matches!(self, TableAction::Query | TableAction::Scan)
    }
}
