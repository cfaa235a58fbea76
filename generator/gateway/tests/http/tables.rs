//! Tables, used with the AWS SDK.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use stackgen_gateway::tables::{
    AttributeType, IndexProjection, KeyType, SecondaryIndex, TableChange, TableDefinition,
    TableKeyAttribute, Tables, TablesError,
};

use crate::support;

/// Sweep interval for tests in which no item may be removed.
const NEVER: Duration = Duration::from_secs(3600);

/// Expiry of items that must stay: the year 2100.
const LATER: u64 = 4_102_444_800;

fn key(name: &str, key_type: KeyType) -> TableKeyAttribute {
    TableKeyAttribute {
        name: name.to_owned(),
        key_type,
        attribute_type: AttributeType::S,
    }
}

fn sessions() -> TableDefinition {
    TableDefinition {
        name: "sessions".to_owned(),
        key: vec![key("pk", KeyType::HASH), key("sk", KeyType::RANGE)],
        indexes: vec![],
        ttl_attribute: Some("expires".to_owned()),
        stream_view: None,
    }
}

fn by_owner() -> SecondaryIndex {
    SecondaryIndex {
        name: "byOwner".to_owned(),
        global: true,
        key: vec![key("owner", KeyType::HASH)],
        projection: IndexProjection::KeysOnly,
    }
}

fn client(endpoint: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("KEY", "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

async fn put(client: &Client, pk: &str, expires: u64) {
    let put = client.put_item().table_name("sessions");
    let put = put.item("pk", text(pk)).item("sk", text("session"));
    let put = put.item("owner", text("alice"));
    let put = put.item("expires", AttributeValue::N(expires.to_string()));
    put.send().await.unwrap();
}

async fn find(client: &Client, pk: &str) -> Option<HashMap<String, AttributeValue>> {
    let get = client.get_item().table_name("sessions");
    let get = get.key("pk", text(pk)).key("sk", text("session"));
    get.send().await.unwrap().item
}

#[tokio::test]
async fn creating_a_table_again_keeps_its_items() {
    let tables = Tables::start(None, NEVER).await.unwrap();
    assert_eq!(
        tables.create_or_update(sessions()).await.unwrap(),
        TableChange::Created
    );
    let client = client(&tables.endpoint());
    put(&client, "s1", LATER).await;
    assert_eq!(
        tables.create_or_update(sessions()).await.unwrap(),
        TableChange::Unchanged
    );
    assert!(find(&client, "s1").await.is_some());
    let ttl = client.describe_time_to_live().table_name("sessions");
    let ttl = ttl.send().await.unwrap().time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name(), Some("expires"));
}

#[tokio::test]
async fn an_index_that_is_added_later_contains_existing_items() {
    let tables = Tables::start(None, NEVER).await.unwrap();
    tables.create_or_update(sessions()).await.unwrap();
    let client = client(&tables.endpoint());
    put(&client, "s1", LATER).await;
    let mut indexed = sessions();
    indexed.indexes.push(by_owner());
    let updated = tables.create_or_update(indexed.clone()).await.unwrap();
    assert_eq!(updated, TableChange::Updated);
    assert_eq!(
        tables.create_or_update(indexed).await.unwrap(),
        TableChange::Unchanged
    );
    let query = client.query().table_name("sessions").index_name("byOwner");
    let query = query.key_condition_expression("#o = :o");
    let query = query.expression_attribute_names("#o", "owner");
    let query = query.expression_attribute_values(":o", text("alice"));
    assert_eq!(query.send().await.unwrap().count(), 1);
    assert_eq!(
        tables.create_or_update(sessions()).await.unwrap(),
        TableChange::Updated
    );
    let found = client.describe_table().table_name("sessions").send().await;
    let found = found.unwrap().table.unwrap();
    assert!(found.global_secondary_indexes().is_empty());
}

#[tokio::test]
async fn global_and_local_indexes_with_projections_are_created_with_the_table() {
    let tables = Tables::start(None, NEVER).await.unwrap();
    let mut table = sessions();
    table.indexes = vec![
        by_owner(),
        SecondaryIndex {
            name: "byTime".to_owned(),
            global: false,
            key: vec![
                key("pk", KeyType::HASH),
                TableKeyAttribute {
                    attribute_type: AttributeType::N,
                    ..key("at", KeyType::RANGE)
                },
            ],
            projection: IndexProjection::Include(vec!["owner".to_owned()]),
        },
    ];
    assert_eq!(
        tables.create_or_update(table.clone()).await.unwrap(),
        TableChange::Created
    );
    assert_eq!(
        tables.create_or_update(table).await.unwrap(),
        TableChange::Unchanged
    );
}

#[tokio::test]
async fn a_changed_key_is_an_error_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state/tables.db");
    let tables = Tables::start(Some(&data), NEVER).await.unwrap();
    tables.create_or_update(sessions()).await.unwrap();
    let mut other = sessions();
    other.key.pop();
    let refused = tables.create_or_update(other).await.unwrap_err();
    assert!(matches!(refused, TablesError::Replaced { what: "key", .. }));
    let expected = format!("remove {} to start over", data.display());
    assert!(refused.to_string().ends_with(&expected), "{refused}");
    let mut keyless = sessions();
    (keyless.name, keyless.key) = ("keyless".to_owned(), vec![]);
    let refused = tables.create_or_update(keyless).await.unwrap_err();
    assert!(
        refused.to_string().starts_with("table keyless: "),
        "{refused}"
    );
}

#[tokio::test]
async fn items_in_a_file_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("tables.db");
    let tables = Tables::start(Some(&data), NEVER).await.unwrap();
    tables.create_or_update(sessions()).await.unwrap();
    put(&client(&tables.endpoint()), "s1", LATER).await;
    drop(tables);
    let tables = Tables::start(Some(&data), NEVER).await.unwrap();
    assert_eq!(
        tables.create_or_update(sessions()).await.unwrap(),
        TableChange::Unchanged
    );
    assert!(find(&client(&tables.endpoint()), "s1").await.is_some());
}

/// Starts tables on a named port. Another test may take a port that was free, so this tries several.
async fn on_a_free_port() -> (Tables, u16) {
    for _ in 0..20 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        if let Ok(tables) = Tables::start_on(None, Some(port), NEVER).await {
            return (tables, port);
        }
    }
    panic!("no port stayed free");
}

#[tokio::test]
async fn tables_are_served_on_a_named_port_or_the_start_fails() {
    let (tables, port) = on_a_free_port().await;
    assert_eq!(tables.endpoint(), format!("http://127.0.0.1:{port}"));
    tables.create_or_update(sessions()).await.unwrap();
    assert!(find(&client(&tables.endpoint()), "s1").await.is_none());
    let refused = Tables::start_on(None, Some(port), NEVER)
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains(&port.to_string()), "{refused}");
    assert!(refused.hint().is_some());
}

#[tokio::test]
async fn an_error_names_the_data_file() {
    let refused = Tables::start(Some(Path::new("/dev/null/tables.db")), NEVER).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("/dev/null/tables.db"), "{refused}");
}

#[tokio::test]
async fn expired_items_are_removed_and_others_stay() {
    let tables = Tables::start(None, Duration::from_millis(20))
        .await
        .unwrap();
    tables.create_or_update(sessions()).await.unwrap();
    let client = client(&tables.endpoint());
    put(&client, "later", LATER).await;
    let now = stackgen_gateway_common::EpochMillis::now().as_millis() / 1000;
    put(&client, "over", now - 3600).await;
    while find(&client, "over").await.is_some() {
        tokio::task::yield_now().await;
    }
    assert!(find(&client, "later").await.is_some());
}

#[tokio::test]
async fn requests_for_dynamodb_are_forwarded() {
    let tables = Tables::start(None, NEVER).await.unwrap();
    tables.create_or_update(sessions()).await.unwrap();
    let address = support::serve(tables.router()).await;
    let client = client(&format!("http://{address}"));
    put(&client, "s1", LATER).await;
    assert!(find(&client, "s1").await.is_some());
    let unknown = client.get_item().table_name("nosuch").key("pk", text("a"));
    let unknown = unknown.send().await.unwrap_err().into_service_error();
    assert!(unknown.is_resource_not_found_exception(), "{unknown:?}");
}

#[tokio::test]
async fn a_file_that_is_not_a_database_of_the_gateway_is_an_error_and_stays_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("text"), "SQLite, but not really").expect("written");
    let other = rusqlite::Connection::open(path("other")).expect("a database");
    other
        .execute_batch("CREATE TABLE mine (id INTEGER PRIMARY KEY)")
        .expect("a table");
    drop(other);
    std::fs::create_dir(path("folder")).expect("a folder");
    for (name, message) in [
        ("text", "text is not a database"),
        ("other", "other is a database of another program"),
        ("folder", "folder is not a database"),
    ] {
        let before = std::fs::read(path(name)).ok();
        let refused = Tables::start(Some(&path(name)), NEVER).await.err();
        let refused = refused.expect("an error");
        assert!(refused.to_string().contains(message), "{refused}");
        assert!(refused.hint().is_some(), "{refused}");
        assert_eq!(std::fs::read(path(name)).ok(), before, "{name}");
    }
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 3);
}

#[tokio::test]
async fn an_empty_file_is_a_new_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("items.db");
    std::fs::write(&path, "").expect("written");
    let tables = Tables::start(Some(&path), NEVER).await.expect("tables");
    let created = tables.create_or_update(sessions()).await.expect("a table");
    assert_eq!(created, TableChange::Created);
}

#[tokio::test]
async fn a_damaged_database_is_an_error_and_stays_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("items.db");
    let tables = Tables::start(Some(&path), NEVER).await.expect("tables");
    tables.create_or_update(sessions()).await.expect("a table");
    drop(tables);
    // Moves all data from the write-ahead log into the file.
    let database = rusqlite::Connection::open(&path).expect("a database");
    let written: i64 = database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .expect("a checkpoint");
    assert_eq!(written, 0);
    let copy = path.with_file_name("copy.db");
    std::fs::copy(&path, &copy).expect("a copy");
    let path = copy;
    let whole = std::fs::read(&path).expect("a file");
    assert!(whole.len() > 8192);
    for damage in [512..4096, 4096..whole.len()] {
        let mut damaged = whole.clone();
        damaged[damage.clone()].fill(0xa5);
        std::fs::write(&path, &damaged).expect("written");
        let refused = match Tables::start(Some(&path), NEVER).await {
            Ok(tables) => tables.create_or_update(sessions()).await.err(),
            Err(error) => Some(error),
        };
        let refused = refused.expect("an error");
        assert!(
            matches!(refused, TablesError::Damaged { .. }),
            "{damage:?}: {refused:?}"
        );
        assert!(refused.to_string().contains("copy.db"), "{refused}");
        assert_eq!(std::fs::read(&path).expect("a file"), damaged, "{damage:?}");
    }
}
