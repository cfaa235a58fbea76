//! Descriptions of tables, as templates contain them.

use dynoxide::actions::TableDescription;
use dynoxide::actions::create_table::{CreateTableRequest, StreamSpecification};
use dynoxide::types as dynamo;
pub use dynoxide::types::{KeyType, ScalarAttributeType as AttributeType};

/// Table with the properties that the gateway uses.
#[derive(Clone, Debug, PartialEq)]
pub struct TableDefinition {
    /// Name of the table.
    pub name: String,
    /// Primary key: the partition key, and the sort key if there is one.
    pub key: Vec<TableKeyAttribute>,
    /// Global and local secondary indexes.
    pub indexes: Vec<SecondaryIndex>,
    /// Attribute with the time to live, if items expire.
    pub ttl_attribute: Option<String>,
    /// `StreamViewType` of the stream, if the table has one.
    pub stream_view: Option<String>,
}

/// Attribute of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct TableKeyAttribute {
    /// Name of the attribute.
    pub name: String,
    /// `HASH` or `RANGE`.
    pub key_type: KeyType,
    /// `S`, `N` or `B`.
    pub attribute_type: AttributeType,
}

/// Secondary index.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondaryIndex {
    /// Name of the index.
    pub name: String,
    /// True for a global index.
    pub global: bool,
    /// Key of the index.
    pub key: Vec<TableKeyAttribute>,
    /// Attributes in the index.
    pub projection: IndexProjection,
}

/// Attributes of an item that an index contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IndexProjection {
    /// All attributes.
    #[default]
    All,
    /// Only the keys.
    KeysOnly,
    /// The keys and these attributes.
    Include(Vec<String>),
}

impl TableDefinition {
    /// Converts DynamoDB's description of a table, which does not contain the time to live.
    pub(super) fn from_description(found: &TableDescription) -> Self {
        let key = |schema: &[dynamo::KeySchemaElement]| -> Vec<TableKeyAttribute> {
            let attributes = schema.iter().map(|element| TableKeyAttribute {
                name: element.attribute_name.clone(),
                key_type: element.key_type.clone(),
                attribute_type: type_of(&found.attribute_definitions, &element.attribute_name),
            });
            attributes.collect()
        };
        let global = found.global_secondary_indexes.iter().flatten();
        let global = global.map(|index| SecondaryIndex {
            name: index.index_name.clone(),
            global: true,
            key: key(&index.key_schema),
            projection: (&index.projection).into(),
        });
        let local = found.local_secondary_indexes.iter().flatten();
        let local = local.map(|index| SecondaryIndex {
            name: index.index_name.clone(),
            global: false,
            key: key(&index.key_schema),
            projection: (&index.projection).into(),
        });
        TableDefinition {
            name: found.table_name.clone(),
            key: key(&found.key_schema),
            indexes: global.chain(local).collect(),
            ttl_attribute: None,
            stream_view: found
                .stream_specification
                .as_ref()
                .and_then(|stream| stream.stream_view_type.clone()),
        }
    }

    /// Returns the difference that no update can make, if there is one.
    pub(super) fn needs_replacement(&self, found: &TableDefinition) -> Option<&'static str> {
        let same = self.local().all(|index| found.indexes.contains(index));
        if self.key != found.key {
            Some("key")
        } else if !same || self.local().count() != found.local().count() {
            Some("local indexes")
        } else {
            None
        }
    }

    pub(super) fn global(&self) -> impl Iterator<Item = &SecondaryIndex> {
        self.indexes.iter().filter(|index| index.global)
    }

    fn local(&self) -> impl Iterator<Item = &SecondaryIndex> {
        self.indexes.iter().filter(|index| !index.global)
    }

    /// Returns the attributes of all keys without duplicates.
    pub(super) fn attribute_definitions(&self) -> Vec<dynamo::AttributeDefinition> {
        let mut definitions: Vec<dynamo::AttributeDefinition> = Vec::new();
        let of_indexes = self.indexes.iter().flat_map(|index| &index.key);
        for attribute in self.key.iter().chain(of_indexes) {
            let definition = dynamo::AttributeDefinition {
                attribute_name: attribute.name.clone(),
                attribute_type: attribute.attribute_type.clone(),
            };
            if !definitions.contains(&definition) {
                definitions.push(definition);
            }
        }
        definitions
    }
}

impl SecondaryIndex {
    pub(super) fn key_schema(&self) -> Vec<dynamo::KeySchemaElement> {
        key_schema(&self.key)
    }
}

impl From<&TableDefinition> for CreateTableRequest {
    fn from(table: &TableDefinition) -> Self {
        let global = table.global().map(|index| dynamo::GlobalSecondaryIndex {
            index_name: index.name.clone(),
            key_schema: index.key_schema(),
            projection: index.projection.clone().into(),
            provisioned_throughput: None,
        });
        let local = table.local().map(|index| dynamo::LocalSecondaryIndex {
            index_name: index.name.clone(),
            key_schema: index.key_schema(),
            projection: index.projection.clone().into(),
        });
        // DynamoDB rejects empty lists.
        let some = |count| (count > 0).then_some(());
        CreateTableRequest {
            table_name: table.name.clone(),
            key_schema: key_schema(&table.key),
            attribute_definitions: table.attribute_definitions(),
            global_secondary_indexes: some(table.global().count()).map(|()| global.collect()),
            local_secondary_indexes: some(table.local().count()).map(|()| local.collect()),
            billing_mode: Some("PAY_PER_REQUEST".to_owned()),
            stream_specification: table.stream_view.clone().map(|view| StreamSpecification {
                stream_enabled: true,
                stream_view_type: Some(view),
            }),
            ..CreateTableRequest::default()
        }
    }
}

impl From<IndexProjection> for dynamo::Projection {
    fn from(projection: IndexProjection) -> Self {
        let (projection_type, non_key_attributes) = match projection {
            IndexProjection::All => (dynamo::ProjectionType::ALL, None),
            IndexProjection::KeysOnly => (dynamo::ProjectionType::KEYS_ONLY, None),
            IndexProjection::Include(names) => (dynamo::ProjectionType::INCLUDE, Some(names)),
        };
        dynamo::Projection {
            projection_type: Some(projection_type),
            non_key_attributes,
        }
    }
}

impl From<&dynamo::Projection> for IndexProjection {
    fn from(projection: &dynamo::Projection) -> Self {
        match projection.projection_type {
            Some(dynamo::ProjectionType::KEYS_ONLY) => IndexProjection::KeysOnly,
            Some(dynamo::ProjectionType::INCLUDE) => {
                IndexProjection::Include(projection.non_key_attributes.clone().unwrap_or_default())
            }
            _ => IndexProjection::All,
        }
    }
}

fn key_schema(key: &[TableKeyAttribute]) -> Vec<dynamo::KeySchemaElement> {
    let elements = key.iter().map(|attribute| dynamo::KeySchemaElement {
        attribute_name: attribute.name.clone(),
        key_type: attribute.key_type.clone(),
    });
    elements.collect()
}

fn type_of(definitions: &[dynamo::AttributeDefinition], name: &str) -> AttributeType {
    let definition = definitions.iter().find(|one| one.attribute_name == name);
    definition.map_or(AttributeType::S, |one| one.attribute_type.clone())
}
