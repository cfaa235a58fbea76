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
    /// Its name, if the template gives one.
    pub name: Option<Text>,
    /// Its primary key: partition key, then sort key if it has one.
    pub key: Vec<KeyAttribute>,
    /// Its global and local secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute that holds the time to live, if items expire.
    pub ttl_attribute: Option<Text>,
    /// Whether point-in-time recovery is on.
    pub recovery: Setting<bool>,
    /// Whether it is encrypted with a key of KMS; DynamoDB's own key otherwise.
    pub kms_encryption: Setting<bool>,
    /// `PAY_PER_REQUEST` or `PROVISIONED`.
    pub billing_mode: Option<Text>,
}

/// One attribute of a key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: Text,
    /// `HASH` or `RANGE`.
    pub key_type: Option<Text>,
    /// `S`, `N` or `B`, when the table defines the attribute.
    pub attribute_type: Option<Text>,
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Index {
    /// Its name.
    pub name: Option<Text>,
    /// True for a global one.
    pub global: bool,
    /// Its key.
    pub key: Vec<KeyAttribute>,
    /// What it holds of every item.
    pub projection: Option<Resolved>,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogGroup {
    /// The resource.
    pub resource: Arc<Resource>,
    /// Its name, if the template gives one.
    pub name: Option<Text>,
    /// Days after which events go; never when absent.
    pub retention_days: Setting<i64>,
}
