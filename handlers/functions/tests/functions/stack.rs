//! The functions, and the services that they use.

use serde_json::Value;
use stackgen_websocket::{Clock, ConnectionId, SystemClock};
use stackgen_websocket_testing::events::{HttpRequest, Socket};
use stackgen_websocket_testing::{Function, InvocationResult, Issuer, ManagementEndpoint};
use tokio::net::TcpSocket;

use crate::support::database::Database;

pub const AUTHORIZER: &str = env!("CARGO_BIN_EXE_session-authorizer");
pub const CONNECTION: &str = env!("CARGO_BIN_EXE_session-connection-handler");
pub const DISCONNECT: &str = env!("CARGO_BIN_EXE_session-disconnect-handler");
pub const AUDIO: &str = env!("CARGO_BIN_EXE_session-audio-handler");
pub const HTTP: &str = env!("CARGO_BIN_EXE_session-http-handler");
pub const RECONCILER: &str = env!("CARGO_BIN_EXE_session-reconciler");

pub struct Stack {
    pub database: Database,
    pub management: ManagementEndpoint,
    pub issuer: Issuer,
}

impl Stack {
    pub async fn start() -> Self {
        Stack {
            database: Database::start().await,
            management: ManagementEndpoint::start().await,
            issuer: Issuer::start().await,
        }
    }

    /// Returns the environment variables of all functions, and the AWS endpoints.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let tables = self.database.tables.clone();
        vec![
            ("SESSIONS_TABLE", tables.sessions),
            ("CONNECTIONS_TABLE", tables.connections),
            ("RATE_LIMITS_TABLE", tables.rate_limits.unwrap()),
            ("TICKETS_TABLE", tables.tickets.unwrap()),
            ("MANAGEMENT_ENDPOINT", self.management.url()),
            ("MAX_LISTENERS_PER_SESSION", "3".to_owned()),
            ("JOINS_PER_MINUTE", "10".to_owned()),
            ("JWT_ISSUER", self.issuer.url().to_owned()),
            ("JWT_AUDIENCE", Issuer::AUDIENCE.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.database.endpoint.clone()),
            ("AUTHORIZER_CALLERS", "mixed".to_owned()),
            ("LOG_LEVEL", "trace".to_owned()),
        ]
    }

    pub async fn function(&self, binary: &str) -> Function {
        self.function_with(binary, &[]).await
    }

    /// Starts a function with some variables changed.
    pub async fn function_with(&self, binary: &str, other: &[(&'static str, &str)]) -> Function {
        let mut environment = self.environment();
        environment.extend(
            other
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Function::start(binary, &environment).await.unwrap()
    }

    /// Creates a session for this user over HTTP, and returns its ID.
    pub async fn session(&self, owner: &str) -> String {
        let mut http = self.function(HTTP).await;
        let request = HttpRequest {
            route_key: "POST /sessions",
            path: "/sessions",
            body: Some(r#"{"sourceLanguage":"en"}"#),
            claims: Some(&[("sub", owner)]),
            ..HttpRequest::default()
        };
        let answer = answer(&mut http, &request.event()).await;
        assert_eq!(answer["statusCode"], 201, "{answer}");
        body(&answer)["sessionId"].as_str().unwrap().to_owned()
    }

    /// Returns the messages that were posted to a connection, as JSON.
    pub fn posted(&self, id: &str) -> Vec<Value> {
        let messages = self.management.messages(&ConnectionId::new(id));
        messages
            .iter()
            .map(|message| serde_json::from_slice(message).unwrap())
            .collect()
    }

    /// Returns the types of the messages that were posted to a connection.
    pub fn posted_types(&self, id: &str) -> Vec<String> {
        let kind = |message: Value| message["type"].as_str().unwrap().to_owned();
        self.posted(id).into_iter().map(kind).collect()
    }
}

/// Returns an endpoint that refuses connections, and the socket that reserves its port.
pub fn nowhere() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

/// Returns a connection of an anonymous caller, opened now.
pub fn socket(id: &str) -> Socket {
    Socket::new(id)
        .authorized("anonymous", &[])
        .connected_at(SystemClock.now())
}

/// Returns a connection of a verified user.
pub fn users_socket(id: &str, user: &str) -> Socket {
    socket(id).authorized(user, &[("userId", user), ("tokenUse", "id")])
}

pub async fn answer(function: &mut Function, event: &Value) -> Value {
    match function.invoke(event).await.unwrap() {
        InvocationResult::Response(answer) => answer,
        other => panic!("{other:?}\n{}", function.logs().join("\n")),
    }
}

/// Returns the body of an HTTP response.
pub fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

/// Parses the log lines of a function, except metrics.
pub fn lines(logs: &[String]) -> Vec<Value> {
    let parsed = logs
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    parsed.filter(|line| line.get("_aws").is_none()).collect()
}

/// Returns the line with this message.
pub fn line<'a>(lines: &'a [Value], message: &str) -> &'a Value {
    let found = lines.iter().find(|line| line["message"] == message);
    found.unwrap_or_else(|| panic!("{message:?} is not among {lines:#?}"))
}
