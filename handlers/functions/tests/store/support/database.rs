//! A DynamoDB on loopback, with empty tables for each test.
//!
//! By default it is embedded in the test, in memory. `LIVE_SESSION_DYNAMODB_ENDPOINT` selects another: the script
//! `tests/dynamodb-local` runs these tests against AWS's DynamoDB Local.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use live_session::dynamo::schema::{self, IndexSchema, TableSchema};
use live_session::dynamo::{DynamoStore, RetryPolicy, StoreSettings, TableNames};
use tokio::net::TcpListener;

use super::faults::{Faults, Faulty};
use super::latency::Latency;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The tables.
pub(crate) struct Database {
    /// Client that bypasses the adapter and its faults.
    pub(crate) client: Client,
    pub(crate) tables: TableNames,
    pub endpoint: String,
}

impl Database {
    pub(crate) async fn start() -> Self {
        Self::at(&endpoint().await).await
    }

    /// Creates more tables in a DynamoDB.
    pub(crate) async fn at(endpoint: &str) -> Self {
        let client = client(endpoint, http());
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name =
            |table: TableSchema| format!("{}-test-{}-{number}", table.name, std::process::id());
        let tables = TableNames {
            sessions: name(schema::SESSIONS),
            connections: name(schema::CONNECTIONS),
            rate_limits: Some(name(schema::RATE_LIMITS)),
            tickets: Some(name(schema::TICKETS)),
        };
        for table in schema::TABLES {
            create(&client, table, &name(table)).await;
        }
        Database {
            client,
            tables,
            endpoint: endpoint.to_owned(),
        }
    }

    /// Returns the adapter on these tables.
    pub(crate) fn store(&self, settings: StoreSettings) -> DynamoStore {
        DynamoStore::new(&self.client, self.tables.clone(), settings)
    }

    /// Returns the adapter on these tables, over a network with faults.
    pub(crate) fn faulty_store(&self, settings: StoreSettings, faults: &Faults) -> DynamoStore {
        let http = SharedHttpClient::new(Faulty::new(http(), faults.clone()));
        DynamoStore::new(&client(&self.endpoint, http), self.tables.clone(), settings)
    }

    /// Returns the same tables, over a network with latency.
    pub(crate) fn over(&self, latency: &Latency) -> Self {
        Database {
            client: client(&self.endpoint, SharedHttpClient::new(latency.clone())),
            tables: self.tables.clone(),
            endpoint: self.endpoint.clone(),
        }
    }

    /// Returns the adapter on these tables, over a network with latency.
    pub(crate) fn slow_store(&self, settings: StoreSettings, latency: &Latency) -> DynamoStore {
        let http = SharedHttpClient::new(latency.clone());
        DynamoStore::new(&client(&self.endpoint, http), self.tables.clone(), settings)
    }

    pub(crate) fn rate_limits(&self) -> &str {
        self.tables.rate_limits.as_deref().expect("it is there")
    }

    /// Returns all items of a table.
    pub(crate) async fn scan(&self, table: &str) -> Vec<Item> {
        let pages = self
            .client
            .scan()
            .table_name(table)
            .consistent_read(true)
            .into_paginator();
        pages
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .expect("the table is there")
    }

    /// Writes an item, bypassing the adapter.
    pub(crate) async fn put(&self, table: &str, item: Item) {
        let request = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item));
        request.send().await.expect("the table is there");
    }

    /// Deletes all items of a session, bypassing the adapter, as TTL does.
    pub(crate) async fn expire_session(&self, session: &str) {
        for item in self.scan(&self.tables.sessions).await {
            let id = item["sessionId"].as_s().expect("it is a text");
            if id.starts_with(session) {
                self.expire_item(&self.tables.sessions, "sessionId", id)
                    .await;
            }
        }
    }

    /// Deletes an item, bypassing the adapter, as TTL does.
    pub(crate) async fn expire_item(&self, table: &str, key: &str, value: &str) {
        let request = self.client.delete_item().table_name(table);
        let request = request.key(key, AttributeValue::S(value.to_owned()));
        request.send().await.expect("the table is there");
    }
}

/// Returns settings with so much time that a busy machine does not fail a test.
pub(crate) fn patient_settings() -> StoreSettings {
    let retry = RetryPolicy {
        budget: Duration::from_secs(300),
        request_timeout: Duration::from_secs(60),
        ..RetryPolicy::default()
    };
    StoreSettings {
        retry,
        rate_retry: retry,
        page: None,
    }
}

/// Returns an adapter without tables, for requests that never arrive.
pub(crate) fn unreachable_store(settings: StoreSettings, faults: &Faults) -> DynamoStore {
    let http = SharedHttpClient::new(Faulty::new(http(), faults.clone()));
    let name = || "none".to_owned();
    let tables = TableNames {
        sessions: name(),
        connections: name(),
        rate_limits: Some(name()),
        tickets: Some(name()),
    };
    DynamoStore::new(&client("http://127.0.0.1:9", http), tables, settings)
}

/// Returns DynamoDB's endpoint.
pub(crate) async fn endpoint() -> String {
    match std::env::var("LIVE_SESSION_DYNAMODB_ENDPOINT") {
        Ok(endpoint) => endpoint,
        Err(_) => embedded().await,
    }
}

/// Starts an embedded DynamoDB, which runs until the test's runtime ends.
async fn embedded() -> String {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let database = dynoxide::Database::memory().expect("memory is there");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    format!("http://{address}")
}

/// Returns an HTTP client without certificates: nothing is encrypted here.
fn http() -> SharedHttpClient {
    let context = TlsContext::builder()
        .with_trust_store(TrustStore::empty())
        .build();
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .tls_context(context.expect("there is nothing in it that could be wrong"))
        .build_https()
}

fn client(endpoint: &str, http: SharedHttpClient) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .http_client(http);
    Client::from_conf(config.build())
}

/// Creates a table without TTL, which would compare with the machine's clock instead of the test's.
async fn create(client: &Client, table: TableSchema, name: &str) {
    let mut keys = vec![table.key];
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    if let Some(index) = table.index {
        keys.extend([index.partition_key, index.sort_key]);
        request = request.global_secondary_indexes(definition(index));
    }
    for key in keys {
        let attribute = AttributeDefinition::builder().attribute_name(key);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
        request = request.attribute_definitions(attribute.expect("it is complete"));
    }
    request = request.key_schema(element(table.key, KeyType::Hash));
    request.send().await.expect("the name is free");
}

fn definition(index: IndexSchema) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .key_schema(element(index.partition_key, KeyType::Hash))
        .key_schema(element(index.sort_key, KeyType::Range))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(
                    index.included.iter().map(|it| (*it).to_owned()).collect(),
                ))
                .build(),
        )
        .build()
        .expect("it is complete")
}

fn element(name: &str, kind: KeyType) -> KeySchemaElement {
    let element = KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind);
    element.build().expect("it is complete")
}
