//! Tables, streams and user pools.

use stackgen_cfn::{Map, Node, list, map};

use super::properties::ResourceProperties;
use crate::value::HclValue;

pub(super) fn table(properties: &mut ResourceProperties<'_, '_>) {
    if let Some(schema) = key_schema(properties, "") {
        properties.set("KeySchema", "hash_key", schema);
    }
    properties.copy_blocks(
        "attribute",
        "AttributeDefinitions",
        &[("name", "AttributeName"), ("type", "AttributeType")],
    );
    if let Some(throughput) = throughput(properties, "") {
        properties.set("ProvisionedThroughput", "read_capacity", throughput);
    }
    properties.copy_block(
        "ttl",
        "TimeToLiveSpecification",
        &[("attribute_name", "AttributeName"), ("enabled", "Enabled")],
    );
    if properties.value("ttl.0.enabled").is_none()
        && let Some(ttl) = properties.node("ttl.0.attribute_name")
    {
        // The provider's default is that the block enables nothing.
        let disabled = map([("AttributeName", ttl), ("Enabled", Node::from(false))]);
        properties.set("TimeToLiveSpecification", "ttl.0", disabled);
    }
    for (block, property) in [
        ("global_secondary_index", "GlobalSecondaryIndexes"),
        ("local_secondary_index", "LocalSecondaryIndexes"),
    ] {
        let indexes = (0..properties.blocks(block))
            .filter_map(|index| secondary_index(properties, &format!("{block}.{index}")));
        let indexes: Vec<Node> = indexes.collect();
        if !indexes.is_empty() {
            properties.set(property, &format!("{block}.0"), indexes);
        }
    }
    let has_stream = properties
        .value("stream_enabled")
        .and_then(HclValue::as_bool)
        == Some(true);
    if let Some(view) = properties.node("stream_view_type").filter(|_| has_stream) {
        properties.set(
            "StreamSpecification",
            "stream_view_type",
            map([("StreamViewType", view)]),
        );
    }
}

fn secondary_index(properties: &ResourceProperties<'_, '_>, path: &str) -> Option<Node> {
    let prefix = format!("{path}.");
    let mut index = Map::new();
    index.insert("IndexName", properties.node(&format!("{prefix}name"))?);
    // The key of a local index is that of the table.
    let schema = match properties.value(&format!("{prefix}hash_key")) {
        Some(_) => key_schema(properties, &prefix),
        None => {
            let keys = [
                key(properties, "hash_key", "HASH"),
                key(properties, &format!("{prefix}range_key"), "RANGE"),
            ];
            Some(list(keys.into_iter().flatten()))
        }
    };
    index.insert("KeySchema", schema?);
    let projection = properties.nested(
        path,
        &[
            ("projection_type", "ProjectionType"),
            ("non_key_attributes", "NonKeyAttributes"),
        ],
    );
    index.insert("Projection", projection?);
    if let Some(throughput) = throughput(properties, &prefix) {
        index.insert("ProvisionedThroughput", throughput);
    }
    Some(Node::from(index).at(properties.span(path)))
}

fn key(properties: &ResourceProperties<'_, '_>, path: &str, kind: &str) -> Option<Node> {
    let name = properties.node(path)?;
    Some(map([("AttributeName", name), ("KeyType", Node::from(kind))]).at(properties.span(path)))
}

fn key_schema(properties: &ResourceProperties<'_, '_>, prefix: &str) -> Option<Node> {
    let hash = key(properties, &format!("{prefix}hash_key"), "HASH")?;
    let range = key(properties, &format!("{prefix}range_key"), "RANGE");
    Some(list(std::iter::once(hash).chain(range)))
}

fn throughput(properties: &ResourceProperties<'_, '_>, prefix: &str) -> Option<Node> {
    let read = properties.node(&format!("{prefix}read_capacity"))?;
    let write = properties.node(&format!("{prefix}write_capacity"))?;
    let is_zero = |node: &Node| node.as_int() == Some(0);
    let on_demand =
        properties.value("billing_mode").and_then(HclValue::as_text) == Some("PAY_PER_REQUEST");
    (!on_demand && !is_zero(&read))
        .then(|| map([("ReadCapacityUnits", read), ("WriteCapacityUnits", write)]))
}

pub(super) fn stream(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_block(
        "stream_mode_details",
        "StreamModeDetails",
        &[("stream_mode", "StreamMode")],
    );
}

pub(super) fn user_pool(properties: &mut ResourceProperties<'_, '_>) {
    let names = [
        ("minimum_length", "MinimumLength"),
        ("require_lowercase", "RequireLowercase"),
        ("require_numbers", "RequireNumbers"),
        ("require_symbols", "RequireSymbols"),
        ("require_uppercase", "RequireUppercase"),
    ];
    if let Some(policy) = properties.nested("password_policy.0", &names) {
        properties.set(
            "Policies",
            "password_policy.0",
            map([("PasswordPolicy", policy)]),
        );
    }
    properties.copy_blocks(
        "schema",
        "Schema",
        &[
            ("attribute_data_type", "AttributeDataType"),
            ("mutable", "Mutable"),
            ("name", "Name"),
            ("required", "Required"),
        ],
    );
}
