//! Tables and log groups.

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
            Table {
                resource: resource.clone(),
                name: properties.text("TableName"),
                key: key(properties, properties),
                indexes: indexes(properties),
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

fn key(owner: &Resolved, table: &Resolved) -> Vec<KeyAttribute> {
    let schema = owner
        .get("KeySchema")
        .and_then(Resolved::as_list)
        .unwrap_or_default();
    let attributes = schema.iter().filter_map(|element| {
        let name = element.text("AttributeName")?;
        Some(KeyAttribute {
            key_type: element.text("KeyType"),
            attribute_type: attribute_type(table, &name),
            name,
        })
    });
    attributes.collect()
}

fn attribute_type(table: &Resolved, name: &Text) -> Option<Text> {
    let definitions = table.get("AttributeDefinitions")?.as_list()?;
    let definition = definitions
        .iter()
        .find(|definition| definition.text("AttributeName").as_ref() == Some(name))?;
    definition.text("AttributeType")
}

fn indexes(table: &Resolved) -> Vec<Index> {
    let of = |property: &str, global: bool| {
        let list = table
            .get(property)
            .and_then(Resolved::as_list)
            .unwrap_or_default();
        let indexes = list.iter().map(move |index| Index {
            name: index.text("IndexName"),
            global,
            key: key(index, table),
            projection: index.get("Projection").cloned(),
        });
        indexes.collect::<Vec<_>>()
    };
    let mut indexes = of("GlobalSecondaryIndexes", true);
    indexes.extend(of("LocalSecondaryIndexes", false));
    indexes
}
