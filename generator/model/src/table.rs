//! DynamoDB tables and log groups.

use std::sync::Arc;

use serde::Serialize;

use crate::resource::Resource;
use crate::{Resolved, Setting, Text};

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name, if the template sets one.
    pub name: Option<Text>,
    /// The primary key: partition key, then sort key if there is one.
    pub key: Vec<KeyAttribute>,
    /// The global and local secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute with the expiry time, if items expire.
    pub ttl_attribute: Option<Text>,
    /// True if point-in-time recovery is on.
    pub recovery: Setting<bool>,
    /// True if it is encrypted with a KMS key instead of DynamoDB's own.
    pub kms_encryption: Setting<bool>,
    /// `PAY_PER_REQUEST` or `PROVISIONED`.
    pub billing_mode: Option<Text>,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyAttribute {
    /// The name.
    pub name: Text,
    /// `HASH` or `RANGE`.
    pub key_type: Option<Text>,
    /// `S`, `N` or `B`, if the table defines the attribute.
    pub attribute_type: Option<Text>,
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Index {
    /// The name.
    pub name: Option<Text>,
    /// True for a global secondary index.
    pub global: bool,
    /// The key.
    pub key: Vec<KeyAttribute>,
    /// The projected attributes.
    pub projection: Option<Resolved>,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogGroup {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name, if the template sets one.
    pub name: Option<Text>,
    /// Days until events expire. They never do if it is absent.
    pub retention_days: Setting<i64>,
}
