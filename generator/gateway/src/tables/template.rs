//! Tables of templates.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};
use stackgen_gateway_stack::{TableStore, TableStoreError};

use super::{AttributeType, Index, KeyAttribute, KeyType, Projection, Table, Tables, TablesError};

impl TableStore for Tables {
    fn put<'a>(
        &'a self,
        name: &'a str,
        properties: &'a Map<String, Json>,
    ) -> BoxFuture<'a, Result<(), TableStoreError>> {
        Box::pin(async move {
            self.create(table(name, properties)?).await?;
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
fn table(name: &str, properties: &Map<String, Json>) -> Result<Table, TableStoreError> {
    let properties = Json::Object(properties.clone());
    let mut indexes = Vec::new();
    for (property, global) in [
        ("GlobalSecondaryIndexes", true),
        ("LocalSecondaryIndexes", false),
    ] {
        for index in list(&properties[property]) {
            indexes.push(Index {
                name: text(&index["IndexName"]),
                global,
                key: key(&index["KeySchema"], &properties)?,
                projection: projection(&index["Projection"]),
            });
        }
    }
    let expiry = &properties["TimeToLiveSpecification"];
    let enabled = !matches!(
        expiry["Enabled"].to_string().as_str(),
        "false" | "\"false\""
    );
    let attribute = expiry["AttributeName"].as_str().filter(|_| enabled);
    Ok(Table {
        name: name.to_owned(),
        key: key(&properties["KeySchema"], &properties)?,
        indexes,
        ttl_attribute: attribute.map(str::to_owned),
    })
}

fn key(schema: &Json, table: &Json) -> Result<Vec<KeyAttribute>, TableStoreError> {
    let attributes = list(schema).iter().map(|element| {
        let name = text(&element["AttributeName"]);
        let defined = list(&table["AttributeDefinitions"]).iter();
        let mut defined = defined.filter(|one| one["AttributeName"] == name.as_str());
        let attribute_type = match defined.next().and_then(|one| one["AttributeType"].as_str()) {
            Some("S") => AttributeType::S,
            Some("N") => AttributeType::N,
            Some("B") => AttributeType::B,
            _ => {
                let message = format!(
                    "AttributeDefinitions does not say of which type the key {name} is: S, N or B"
                );
                return Err(TableStoreError {
                    message,
                    hint: None,
                });
            }
        };
        Ok(KeyAttribute {
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

fn projection(projection: &Json) -> Projection {
    match projection["ProjectionType"].as_str() {
        Some("KEYS_ONLY") => Projection::KeysOnly,
        Some("INCLUDE") => {
            let names = list(&projection["NonKeyAttributes"]).iter().map(text);
            Projection::Include(names.collect())
        }
        _ => Projection::All,
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
