//! Local stand-ins on loopback for the services that the functions use (tables, connections, a token issuer), and the
//! events that the functions get.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use live_session::dynamo::schema::{TABLES, TableSchema};
use serde_json::{Value, json};
use stackgen_websocket_testing::events::{HttpRequest, Socket};
use stackgen_websocket_testing::{Function, InvocationResult, Issuer, SigningKey};
use stackgen_websocket::{Clock, SystemClock};

use crate::endpoint::{AUDIO_BYTES, Endpoint};
use crate::{Result, aws};

/// Services that the functions use.
pub struct Stack {
    binaries: PathBuf,
    dynamodb: String,
    management: Endpoint,
    issuer: Issuer,
    /// Function that connects clients before a measurement.
    connection: Function,
    /// Counter that makes every connection, user and address unique.
    number: u32,
}

/// A session and its speaker's connection.
pub struct Session {
    id: String,
    speaker: Socket,
}

impl Stack {
    pub async fn start(binaries: &Path) -> Result<Self> {
        let dynamodb = database().await?;
        let management = Endpoint::start(Duration::ZERO).await?;
        // As Cognito does: RSA with 2048 bits.
        let issuer = Issuer::with_key(SigningKey::rsa("key-1")).await;
        let environment = environment(&dynamodb, &management.url, issuer.url());
        let connection = start(&binaries.join("session-connection-handler"), &environment).await?;
        let binaries = binaries.to_owned();
        Ok(Stack {
            binaries,
            dynamodb,
            management,
            issuer,
            connection,
            number: 0,
        })
    }

    /// Starts a process of a function on this stack, from a binary's name or a script's path.
    pub async fn function(&self, binary: &Path) -> Result<Function> {
        let environment = environment(&self.dynamodb, &self.management.url, self.issuer.url());
        start(&self.binaries.join(binary), &environment).await
    }

    /// Returns the number of messages that were posted to connections.
    pub fn posts(&self) -> usize {
        self.management.posts()
    }

    /// Creates a session with a speaker and this many listeners.
    pub async fn session(&mut self, listeners: usize) -> Result<Session> {
        let owner = format!("speaker-{}", self.next());
        let mut http = self.function("session-http-handler".as_ref()).await?;
        let answer = answer(&mut http, &created_by(&owner), 201).await?;
        let session: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
        let id = session["sessionId"]
            .as_str()
            .ok_or("no session")?
            .to_owned();
        let speaker = self
            .socket()
            .authorized(&owner, &[("userId", &owner), ("tokenUse", "id")]);
        let session = Session { id, speaker };
        let event = session.speaker.connect(&[("sessionId", &session.id)], &[]);
        self.connect(&event).await?;
        for _ in 0..listeners {
            self.listener(&session).await?;
        }
        Ok(session)
    }

    /// Returns the event of a listener who connects.
    pub fn connect_event(&mut self, session: &Session) -> Value {
        listener_event(&self.socket(), session)
    }

    /// Returns the event of a listener who disconnects.
    pub async fn disconnect_event(&mut self, session: &Session) -> Result<Value> {
        let socket = self.listener(session).await?;
        Ok(socket.disconnect(1001, "Going away"))
    }

    /// Returns an authorizer's event, with or without a token.
    pub fn authorize_event(&mut self, with_token: bool) -> Value {
        let token = self.issuer.token("ada").signed(&self.issuer.key());
        let query = [
            ("sessionId", "merciful-truth-455-k7dq2m9x4hw3t"),
            ("token", token.as_str()),
        ];
        let given = if with_token { &query[..] } else { &query[..1] };
        self.socket().authorize(given, &[])
    }

    /// Returns the event of a user who creates a session.
    pub fn create_event(&mut self) -> Value {
        created_by(&format!("user-{}", self.next()))
    }

    async fn listener(&mut self, session: &Session) -> Result<Socket> {
        let socket = self.socket();
        self.connect(&listener_event(&socket, session)).await?;
        Ok(socket)
    }

    async fn connect(&mut self, event: &Value) -> Result<()> {
        answer(&mut self.connection, event, 200).await.map(drop)
    }

    /// Returns a connection of an anonymous caller, opened now, from an address of its own.
    fn socket(&mut self) -> Socket {
        let [_, b, c, d] = self.next().to_be_bytes();
        let id = STANDARD.encode([b, c, d, 0]);
        let mut socket = Socket::new(&id)
            .authorized("anonymous", &[])
            .connected_at(SystemClock.now());
        socket.source_ip = format!("10.{b}.{c}.{d}");
        socket
    }

    fn next(&mut self) -> u32 {
        self.number += 1;
        self.number
    }
}

impl Session {
    /// Returns the event of an audio chunk from the speaker.
    pub fn audio_event(&self, chunk: usize) -> Value {
        let audio = STANDARD.encode([42; AUDIO_BYTES]);
        let message = json!({"action": "sendAudio", "sessionId": self.id, "audioData": audio,
                             "timestamp": SystemClock.now(), "format": "pcm", "chunkIndex": chunk});
        let speaker = self.speaker.clone().at(SystemClock.now());
        speaker.message("sendAudio", &message.to_string())
    }
}

/// Returns a function's response. Fails if it has another status.
pub async fn answer(function: &mut Function, event: &Value, status: u16) -> Result<Value> {
    match function.invoke(event).await? {
        InvocationResult::Response(answer) if answer["statusCode"] == status => Ok(answer),
        other => Err(format!("{other:?}\n{}", function.logs().join("\n")).into()),
    }
}

fn listener_event(socket: &Socket, session: &Session) -> Value {
    socket.connect(&[("sessionId", &session.id), ("targetLanguage", "de")], &[])
}

fn created_by(user: &str) -> Value {
    let request = HttpRequest {
        route_key: "POST /sessions",
        path: "/sessions",
        body: Some(r#"{"sourceLanguage":"en"}"#),
        claims: Some(&[("sub", user)]),
        ..HttpRequest::default()
    };
    request.event()
}

async fn start(binary: &Path, environment: &[(&str, &str)]) -> Result<Function> {
    let started = Function::start(binary, environment).await;
    started.map_err(|error| format!("{}: {error}", binary.display()).into())
}

/// Returns the environment variables of all functions, and the AWS endpoints.
fn environment<'a>(
    dynamodb: &'a str,
    management: &'a str,
    issuer: &'a str,
) -> [(&'static str, &'a str); 13] {
    [
        ("SESSIONS_TABLE", "Sessions"),
        ("CONNECTIONS_TABLE", "Connections"),
        ("RATE_LIMITS_TABLE", "RateLimits"),
        ("TICKETS_TABLE", "Tickets"),
        // The speed of the fan-out is measured, within the quota of an account in most Regions.
        ("AUDIO_CHUNKS_PER_SECOND", "100"),
        ("AUDIO_POSTS_PER_SECOND", "10000"),
        ("MANAGEMENT_ENDPOINT", management),
        ("MAX_LISTENERS_PER_SESSION", "100000"),
        ("JWT_ISSUER", issuer),
        ("JWT_AUDIENCE", Issuer::AUDIENCE),
        ("AUTHORIZER_CALLERS", "mixed"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("LOG_LEVEL", "info"),
    ]
}

/// Starts a DynamoDB in memory, with the functions' tables.
async fn database() -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(dynoxide::server::serve_on(
        listener,
        dynoxide::Database::memory()?,
    ));
    let client = Client::new(&aws::settings(&url).sdk_config());
    for table in TABLES {
        create(&client, table).await?;
    }
    Ok(url)
}

async fn create(client: &Client, table: TableSchema) -> Result<()> {
    let mut keys = vec![table.key];
    let mut request = client
        .create_table()
        .table_name(table.name)
        .billing_mode(BillingMode::PayPerRequest);
    if let Some(index) = table.index {
        keys.extend([index.partition_key, index.sort_key]);
        let all_attributes = Projection::builder()
            .projection_type(ProjectionType::All)
            .build();
        let definition = GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .key_schema(element(index.partition_key, KeyType::Hash)?)
            .key_schema(element(index.sort_key, KeyType::Range)?)
            .projection(all_attributes);
        request = request.global_secondary_indexes(definition.build()?);
    }
    for key in keys {
        let attribute = AttributeDefinition::builder().attribute_name(key);
        request = request
            .attribute_definitions(attribute.attribute_type(ScalarAttributeType::S).build()?);
    }
    request
        .key_schema(element(table.key, KeyType::Hash)?)
        .send()
        .await?;
    Ok(())
}

fn element(name: &str, kind: KeyType) -> Result<KeySchemaElement> {
    Ok(KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()?)
}
