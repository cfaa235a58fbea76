//! DynamoDB tables.

use std::collections::BTreeMap;

use stackgen_cfn::{Map, Node, list, map};

use super::context::RenderContext;
use super::keys;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::names::pascal_case;
use crate::spec::{Encryption, IndexSpec, KeySpec, ProjectionSpec, Removal, StreamView, TableSpec};

pub(super) fn render(
    context: &RenderContext<'_>,
    name: &str,
    table: &TableSpec,
    template: &mut TemplateBuilder,
) {
    let resource = || {
        ResourceBuilder::new("AWS::DynamoDB::Table")
            .retained(table.removal == Removal::Retain)
            .set("TableName", context.name(name))
            .set("BillingMode", "PAY_PER_REQUEST")
            .set("AttributeDefinitions", attributes(table))
            .set(
                "KeySchema",
                key_schema(&table.partition_key, table.sort_key.as_ref()),
            )
            .set_some("GlobalSecondaryIndexes", indexes(table))
            .set_some(
                "TimeToLiveSpecification",
                table.time_to_live.as_deref().map(time_to_live),
            )
            .set("SSESpecification", encryption(context, table))
            .set(
                "PointInTimeRecoverySpecification",
                map([(
                    "PointInTimeRecoveryEnabled",
                    Node::from(table.point_in_time_recovery),
                )]),
            )
            .set_some(
                "DeletionProtectionEnabled",
                table.deletion_protection.then_some(true),
            )
            .set_some("StreamSpecification", table.stream.map(stream))
            .set_some("Tags", context.tag_list())
    };
    template.add(
        &format!("{}Table", pascal_case(name)),
        &["tables", name],
        resource,
    );
}

/// Returns the key attributes of the table and its indexes, without duplicates, sorted by name.
fn attributes(table: &TableSpec) -> Node {
    let types: BTreeMap<_, _> = table
        .keys()
        .map(|key| (key.name.as_str(), key.key_type.name()))
        .collect();
    list(types.into_iter().map(|(name, key_type)| {
        map([
            ("AttributeName", name.into()),
            ("AttributeType", key_type.into()),
        ])
    }))
}

fn key_schema(partition: &KeySpec, sort: Option<&KeySpec>) -> Node {
    let element = |key: &KeySpec, role: &str| {
        map([
            ("AttributeName", key.name.as_str().into()),
            ("KeyType", role.into()),
        ])
    };
    list(
        [
            Some(element(partition, "HASH")),
            sort.map(|key| element(key, "RANGE")),
        ]
        .into_iter()
        .flatten(),
    )
}

fn indexes(table: &TableSpec) -> Option<Node> {
    (!table.indexes.is_empty()).then(|| {
        list(table.indexes.iter().map(|(name, index)| {
            map([
                ("IndexName", Node::from(name.as_str())),
                (
                    "KeySchema",
                    key_schema(&index.partition_key, index.sort_key.as_ref()),
                ),
                ("Projection", projection(index)),
            ])
        }))
    })
}

fn projection(index: &IndexSpec) -> Node {
    let mut projection = Map::new();
    if index.include.is_empty() {
        projection.insert(
            "ProjectionType",
            match index.projection {
                ProjectionSpec::All => "ALL",
                ProjectionSpec::KeysOnly => "KEYS_ONLY",
            },
        );
    } else {
        projection.insert("ProjectionType", "INCLUDE");
        let attributes = index.include.iter().map(|name| Node::from(name.as_str()));
        projection.insert("NonKeyAttributes", list(attributes));
    }
    projection.into()
}

fn time_to_live(attribute: &str) -> Node {
    map([
        ("AttributeName", Node::from(attribute)),
        ("Enabled", true.into()),
    ])
}

fn encryption(context: &RenderContext<'_>, table: &TableSpec) -> Node {
    let key = keys::table_key(context, table);
    let mut specification = Map::new();
    specification.insert(
        "SSEEnabled",
        key.is_some() || table.encryption != Some(Encryption::AwsOwned),
    );
    if let Some(key) = key {
        specification.insert("SSEType", "KMS");
        specification.insert("KMSMasterKeyId", key);
    }
    specification.into()
}

fn stream(view: StreamView) -> Node {
    let view = match view {
        StreamView::KeysOnly => "KEYS_ONLY",
        StreamView::NewImage => "NEW_IMAGE",
        StreamView::OldImage => "OLD_IMAGE",
        StreamView::NewAndOldImages => "NEW_AND_OLD_IMAGES",
    };
    map([("StreamViewType", Node::from(view))])
}
