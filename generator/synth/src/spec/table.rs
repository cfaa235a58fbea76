//! DynamoDB tables.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Expression;

/// DynamoDB table, billed on demand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Table")]
pub struct TableSpec {
    /// Partition key.
    pub partition_key: KeySpec,
    /// Sort key.
    pub sort_key: Option<KeySpec>,
    /// Global secondary indexes by name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "index-name"}))]
    pub indexes: BTreeMap<String, IndexSpec>,
    /// Attribute with the time after which DynamoDB deletes an item, in seconds since 1970.
    pub time_to_live: Option<String>,
    /// Key of AWS that encrypts the table, instead of the file's `encryptionKey`. Default: `encryptionKey`, otherwise
    /// `awsManaged`.
    pub encryption: Option<Encryption>,
    /// ARN of your own KMS key, which replaces `encryption` and the file's `encryptionKey`. Functions with access to the table can also use the key.
    pub kms_key_arn: Option<Expression>,
    /// Continuous backups: restore to any second of the last 35 days.
    #[serde(default)]
    pub point_in_time_recovery: bool,
    /// Protects the table from deletion.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Policy for a table that is removed from the stack. Default `retain`.
    #[serde(default)]
    pub removal: Removal,
    /// Content of the records in the table's stream. Without it, the table has no stream.
    pub stream: Option<StreamView>,
}

impl TableSpec {
    /// Returns the key attributes of the table and its indexes. An attribute of several keys appears several times.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &KeySpec> {
        let indexes = self.indexes.values();
        let indexes =
            indexes.flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
        let own = [Some(&self.partition_key), self.sort_key.as_ref()];
        own.into_iter().chain(indexes).flatten()
    }
}

/// Key attribute.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Key")]
pub struct KeySpec {
    /// Name of the attribute.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Type of the attribute: `S` string, `N` number, `B` binary.
    #[serde(rename = "type")]
    pub key_type: KeyType,
}

/// Type of a key attribute.
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
    /// Returns DynamoDB's letter for the type.
    pub fn name(self) -> &'static str {
        match self {
            KeyType::S => "S",
            KeyType::N => "N",
            KeyType::B => "B",
        }
    }
}

/// Global secondary index.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Index")]
pub struct IndexSpec {
    /// Partition key.
    pub partition_key: KeySpec,
    /// Sort key.
    pub sort_key: Option<KeySpec>,
    /// Attributes that the index copies. Default `all`.
    #[serde(default)]
    pub projection: ProjectionSpec,
    /// Attributes that the index copies besides its keys, instead of `projection`. Writes that change no copied attribute
    /// do not write the index.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub include: BTreeSet<String>,
}

/// Attributes that an index copies.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Projection")]
pub enum ProjectionSpec {
    /// All attributes.
    #[default]
    All,
    /// Only the keys.
    KeysOnly,
}

/// Key of AWS that encrypts a table.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Encryption {
    /// `alias/aws/dynamodb` of this account. CloudTrail records its use.
    AwsManaged,
    /// A key that DynamoDB owns, free of charge.
    AwsOwned,
}

/// Policy for a table that is removed from the stack.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Removal {
    /// Keep the table, outside the stack.
    #[default]
    Retain,
    /// Delete the table and its data.
    Delete,
}

/// Content of stream records.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum StreamView {
    /// Only the keys.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// The item before and after the change.
    NewAndOldImages,
}

macro_rules! actions {
    ($($variant:ident)*) => {
        /// DynamoDB action, by its IAM name.
        #[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TableAction { $(#[doc = concat!("`dynamodb:", stringify!($variant), "`.")] $variant,)* }

        impl TableAction {
            /// Returns IAM's name of the action, without the service prefix.
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
    /// Actions that routes can call.
    pub const OF_ROUTES: [TableAction; 8] = [
        TableAction::BatchGetItem,
        TableAction::BatchWriteItem,
        TableAction::DeleteItem,
        TableAction::GetItem,
        TableAction::PutItem,
        TableAction::Query,
        TableAction::Scan,
        TableAction::UpdateItem,
    ];

    /// Returns the action with a name.
    pub fn parse(name: &str) -> Option<Self> {
        let text = serde_json::Value::from(name);
        serde_json::from_value(text).ok()
    }

    /// Returns true for the actions that read an index: `Query` and `Scan`.
    pub fn reads_indexes(self) -> bool {
        matches!(self, TableAction::Query | TableAction::Scan)
    }
}
