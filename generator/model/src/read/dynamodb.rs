//! Tables and log groups.

use std::collections::HashMap;

use super::Reader;
use crate::table::{Index, KeyAttribute, LogGroup, Table};
use crate::{Resolved, Setting, Text};

impl Reader<'_> {
    pub(super) fn tables(&self) -> Vec<Table> {
        let tables = self.resources.values().filter(|resource| {
            matches!(
                resource.kind.as_str(),
                "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable"
            )
        });
        let read = tables.map(|resource| {
            let properties = &resource.properties;
            let sse = properties.get("SSESpecification");
            let attributes = attributes(properties);
            Table {
                resource: resource.clone(),
                name: properties.text("TableName"),
                key: key(properties, &attributes),
                indexes: indexes(properties, &attributes),
                ttl_attribute: ttl(properties),
                recovery: properties
                    .get("PointInTimeRecoverySpecification")
                    .map_or(Setting::Absent, |value| {
                        value.bool("PointInTimeRecoveryEnabled")
                    }),
                kms_encryption: sse.map_or(Setting::Absent, |value| value.bool("SSEEnabled")),
                billing_mode: properties.text("BillingMode"),
            }
        });
        read.collect()
    }

    pub(super) fn log_groups(&self) -> Vec<LogGroup> {
        let groups = self
            .of_type("AWS::Logs::LogGroup")
            .map(|resource| LogGroup {
                resource: resource.clone(),
                name: resource.properties.text("LogGroupName"),
                retention_days: resource.properties.int("RetentionInDays"),
            });
        groups.collect()
    }
}

fn ttl(properties: &Resolved) -> Option<Text> {
    let specification = properties.get("TimeToLiveSpecification")?;
    match specification.bool("Enabled") {
        Setting::Set(false) => None,
        _ => specification.text("AttributeName"),
    }
}

/// Types of a table's attributes by name.
type Attributes = HashMap<String, Option<Text>>;

fn attributes(table: &Resolved) -> Attributes {
    let definitions = table
        .get("AttributeDefinitions")
        .and_then(Resolved::as_list)
        .unwrap_or_default();
    let mut attributes = Attributes::new();
    for definition in definitions {
        if let Some(name) = definition.text("AttributeName") {
            let attribute = attributes.entry(name.to_string());
            attribute.or_insert_with(|| definition.text("AttributeType"));
        }
    }
    attributes
}

fn key(owner: &Resolved, attributes: &Attributes) -> Vec<KeyAttribute> {
    let schema = owner
        .get("KeySchema")
        .and_then(Resolved::as_list)
        .unwrap_or_default();
    let elements = schema.iter().filter_map(|element| {
        let name = element.text("AttributeName")?;
        Some(KeyAttribute {
            key_type: element.text("KeyType"),
            attribute_type: attributes.get(&name.to_string()).cloned().flatten(),
            name,
        })
    });
    elements.collect()
}

fn indexes(table: &Resolved, attributes: &Attributes) -> Vec<Index> {
    let of = |property: &str, global: bool| {
        let list = table
            .get(property)
            .and_then(Resolved::as_list)
            .unwrap_or_default();
        let indexes = list.iter().map(move |index| Index {
            name: index.text("IndexName"),
            global,
            key: key(index, attributes),
            projection: index.get("Projection").cloned(),
        });
        indexes.collect::<Vec<_>>()
    };
    let mut indexes = of("GlobalSecondaryIndexes", true);
    indexes.extend(of("LocalSecondaryIndexes", false));
    indexes
}
