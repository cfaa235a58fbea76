//! Environment of the functions under test: a table and clients, on loopback.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use chat::dynamo::{BY_CONNECTION, CONNECTION, ROOM, RoomsTable};
use chat::handler::{FunctionResponse, HandlerError, handle};
use chat::rooms::Chat;
use serde_json::Value;
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::{Environment, FanOutOptions, ManagementApi, SystemClock};
use stackgen_websocket_testing::ManagementEndpoint;
use stackgen_websocket_testing::events::Socket;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const TABLE: &str = "Rooms-test";

/// A table and an API with its clients.
pub(crate) struct World {
    pub(crate) database: String,
    pub(crate) dynamodb: Client,
    pub(crate) management: ManagementEndpoint,
    pub(crate) chat: Chat<RoomsTable, ManagementApi, SystemClock>,
    server: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    pub(crate) async fn new() -> World {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database = format!("http://{}", listener.local_addr().unwrap());
        let tables = dynoxide::Database::memory().unwrap();
        let server = tokio::spawn(dynoxide::server::serve_on(listener, tables));
        let management = ManagementEndpoint::start().await;
        let mut environment = Environment::new(|name: &str| match name {
            "AWS_REGION" => Some("us-east-1".to_owned()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some(database.clone()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("nobody".to_owned()),
            _ => None,
        });
        let aws = AwsSettings::read(&mut environment);
        let sdk = environment.finish(aws).unwrap().sdk_config();
        let dynamodb = Client::new(&sdk);
        create_table(&dynamodb).await;
        let chat = Chat {
            memberships: RoomsTable::new(dynamodb.clone(), TABLE.to_owned()),
            broadcaster: ManagementApi::new(&sdk, &management.url()),
            clock: SystemClock,
            fan_out: FanOutOptions::default(),
        };
        World {
            database,
            dynamodb,
            management,
            chat,
            server,
        }
    }

    /// Returns the function's response to an event.
    pub(crate) async fn handle(&self, event: Value) -> Result<FunctionResponse, HandlerError> {
        let event: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event).unwrap();
        handle(&self.chat, &event).await
    }

    /// Sends a message, and returns the answer.
    pub(crate) async fn send(&self, from: &Socket, route_key: &str, message: Value) -> Value {
        let event = from.message(route_key, &message.to_string());
        let reply = self.handle(event).await.unwrap();
        assert_eq!(reply.status_code, 200);
        serde_json::from_str(&reply.body.unwrap()).unwrap()
    }

    /// Returns the messages that were posted to a client, without answers, in order.
    pub(crate) fn received(&self, by: &Socket) -> Vec<Value> {
        let messages = self.management.messages(&by.connection_id);
        let parse = |message: &bytes::Bytes| serde_json::from_slice(message).unwrap();
        messages.iter().map(parse).collect()
    }
}

/// Returns a connection that the authorizer admitted.
pub(crate) fn socket(user: &str) -> Socket {
    Socket::new(&format!("{user}=")).authorized(user, &[("userId", user), ("tokenUse", "id")])
}

/// Creates the table of stackgen.yaml. A test of stackgen compares the two.
async fn create_table(dynamodb: &Client) {
    let attribute = |name| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name, kind| {
        let key = KeySchemaElement::builder().attribute_name(name);
        key.key_type(kind).build().unwrap()
    };
    let projection = Projection::builder().projection_type(ProjectionType::KeysOnly);
    let index = GlobalSecondaryIndex::builder()
        .index_name(BY_CONNECTION)
        .key_schema(key(CONNECTION, KeyType::Hash))
        .projection(projection.build());
    let table = dynamodb
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(ROOM))
        .attribute_definitions(attribute(CONNECTION))
        .key_schema(key(ROOM, KeyType::Hash))
        .key_schema(key(CONNECTION, KeyType::Range))
        .global_secondary_indexes(index.build().unwrap());
    table.send().await.unwrap();
}
