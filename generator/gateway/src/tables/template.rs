//! Converts table resources of templates to table definitions.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};
use stackgen_gateway_stack::{TableStore, TableStoreError};

use super::{
    AttributeType, IndexProjection, KeyType, SecondaryIndex, TableDefinition, TableKeyAttribute,
    Tables, TablesError,
};

impl TableStore for Tables {
    fn put<'a>(
        &'a self,
        name: &'a str,
        properties: &'a Map<String, Json>,
    ) -> BoxFuture<'a, Result<(), TableStoreError>> {
        Box::pin(async move {
            self.create_or_update(table_definition(name, properties)?)
                .await?;
            Ok(())
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), TableStoreError>> {
        Box::pin(async move { Ok(self.remove(name).await?) })
    }
}

impl From<TablesError> for TableStoreError {
    fn from(error: TablesError) -> Self {
        TableStoreError {
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

/// Reads the table that the properties describe.
fn table_definition(
    name: &str,
    properties: &Map<String, Json>,
) -> Result<TableDefinition, TableStoreError> {
    let properties = Json::Object(properties.clone());
    let mut indexes = Vec::new();
    for (property, global) in [
        ("GlobalSecondaryIndexes", true),
        ("LocalSecondaryIndexes", false),
    ] {
        for index in list(&properties[property]) {
            indexes.push(SecondaryIndex {
                name: text(&index["IndexName"]),
                global,
                key: key(&index["KeySchema"], &properties)?,
                projection: projection(&index["Projection"]),
            });
        }
    }
    let time_to_live = &properties["TimeToLiveSpecification"];
    let enabled = !matches!(
        time_to_live["Enabled"].to_string().as_str(),
        "false" | "\"false\""
    );
    let attribute = time_to_live["AttributeName"].as_str().filter(|_| enabled);
    Ok(TableDefinition {
        name: name.to_owned(),
        key: key(&properties["KeySchema"], &properties)?,
        indexes,
        ttl_attribute: attribute.map(str::to_owned),
        stream_view: properties["StreamSpecification"]["StreamViewType"]
            .as_str()
            .map(str::to_owned),
    })
}

fn key(schema: &Json, table: &Json) -> Result<Vec<TableKeyAttribute>, TableStoreError> {
    let attributes = list(schema).iter().map(|element| {
        let name = text(&element["AttributeName"]);
        let defined = list(&table["AttributeDefinitions"]).iter();
        let mut defined = defined.filter(|one| one["AttributeName"] == name.as_str());
        let attribute_type = match defined.next().and_then(|one| one["AttributeType"].as_str()) {
            Some("S") => AttributeType::S,
            Some("N") => AttributeType::N,
            Some("B") => AttributeType::B,
            _ => {
                let message =
                    format!("AttributeDefinitions has no type for the key {name}: add S, N or B");
                return Err(TableStoreError {
                    message,
                    hint: None,
                });
            }
        };
        Ok(TableKeyAttribute {
            name,
            key_type: match element["KeyType"].as_str() {
                Some("RANGE") => KeyType::RANGE,
                _ => KeyType::HASH,
            },
            attribute_type,
        })
    });
    attributes.collect()
}

fn projection(projection: &Json) -> IndexProjection {
    match projection["ProjectionType"].as_str() {
        Some("KEYS_ONLY") => IndexProjection::KeysOnly,
        Some("INCLUDE") => {
            let names = list(&projection["NonKeyAttributes"]).iter().map(text);
            IndexProjection::Include(names.collect())
        }
        _ => IndexProjection::All,
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
