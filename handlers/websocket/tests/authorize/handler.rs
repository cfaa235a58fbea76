//! Tests of the authorizer's responses and log lines.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use stackgen_websocket::authorize::{Authorizer, Callers};
use stackgen_websocket::{OidcKeys, logs};
use stackgen_websocket_testing::events::{Pairs, Socket};
use stackgen_websocket_testing::{IssuerMode, SigningKey};
use tracing::Level;

use crate::world::{StoppedClock, World};

/// Log lines of this thread.
struct Log;

thread_local! {
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of this thread.
struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Logs at all levels.
    ///
    /// All threads share one subscriber. With one subscriber per thread, `tracing` caches for each log statement
    /// whether the first thread's subscriber wants it, and would drop the line for all threads.
    fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = logs::subscriber(Level::TRACE, &[], || Writer);
            tracing::subscriber::set_global_default(subscriber).unwrap();
            // For log statements that other threads reached before.
            tracing::callsite::rebuild_interest_cache();
        });
        LOGGED.with_borrow_mut(Vec::clear);
        Log
    }

    fn text(&self) -> String {
        LOGGED.with_borrow(|logged| String::from_utf8(logged.clone()).unwrap())
    }

    /// Returns the authorizer's lines at level info and above.
    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let ours = |line: &Value| line["target"].as_str().unwrap().starts_with("stackgen");
        lines
            .filter(|line| ours(line) && line["level"] != "DEBUG")
            .collect()
    }
}

struct Function {
    world: World,
    authorizer: Authorizer<OidcKeys, StoppedClock>,
}

impl Function {
    async fn new(callers: Callers) -> Self {
        let world = World::new().await;
        let verifier = World::verifier(&world.issuer, &world.clock, Default::default());
        let authorizer = Authorizer::new(verifier, callers);
        Function { world, authorizer }
    }

    async fn ask(&self, query: Pairs<'_>, headers: Pairs<'_>) -> Result<Value, Diagnostic> {
        let event = socket().authorize(query, headers);
        self.ask_with(event).await
    }

    async fn ask_with(&self, event: Value) -> Result<Value, Diagnostic> {
        let event = LambdaEvent::new(event, Context::default());
        let answer = self.authorizer.handle(event).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }
}

fn socket() -> Socket {
    Socket::new("L0SM9cOFvHcCIhw=")
}

fn unauthorized() -> Diagnostic {
    Diagnostic {
        error_type: "Unauthorized".to_owned(),
        error_message: "Unauthorized".to_owned(),
    }
}

#[tokio::test]
async fn a_speaker_may_send_the_token_in_query_header_or_subprotocol() {
    let function = Function::new(Callers::Mixed).await;
    let token = function.world.good();
    let (bearer, protocols) = (format!("Bearer {token}"), format!("bearer, {token}"));
    let in_query: Pairs<'_> = &[("token", &token)];
    let in_header: Pairs<'_> = &[("authorization", &bearer)];
    let in_protocols: Pairs<'_> = &[("Sec-WebSocket-Protocol", &protocols)];
    let alone: Pairs<'_> = &[("Sec-WebSocket-Protocol", &token)];
    for (query, headers) in [
        (in_query, [].as_slice()),
        (&[], in_header),
        (&[], in_protocols),
        (&[], alone),
        (in_query, in_header),
    ] {
        let answer = function.ask(query, headers).await.unwrap();
        let expected = json!({
            "principalId": "alice",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Action": ["execute-api:Invoke"],
                    "Effect": "Allow",
                    "Resource": [socket().method_arn()],
                }],
            },
            "context": {"userId": "alice", "tokenUse": "id"},
        });
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn a_listener_without_a_token_is_admitted_if_callers_are_mixed() {
    let mixed = Function::new(Callers::Mixed).await;
    let queries: [Pairs<'_>; 3] = [&[], &[("token", "")], &[("sessionId", "a-b-100")]];
    for query in queries {
        let answer = mixed.ask(query, &[]).await.unwrap();
        assert_eq!(answer["principalId"], "anonymous");
        assert_eq!(answer["context"], json!({}));
    }
    let authenticated = Function::new(Callers::Authenticated).await;
    for query in queries {
        assert_eq!(authenticated.ask(query, &[]).await, Err(unauthorized()));
    }
    assert_eq!(mixed.world.issuer.fetches().configuration, 0);
}

#[tokio::test]
async fn a6_whoever_brings_a_bad_token_hears_unauthorized_and_nothing_else() {
    let function = Function::new(Callers::Mixed).await;
    let good = function.world.good();
    let forged = function.world.token().signed(&SigningKey::ec("key-1"));
    for token in [forged.as_str(), "x", " ", "undefined", "null"] {
        assert_eq!(
            function.ask(&[("token", token)], &[]).await,
            Err(unauthorized())
        );
    }
    let headers = [("Authorization", "Basic YTpi")];
    assert_eq!(
        function.ask(&[("token", &good)], &headers).await,
        Err(unauthorized())
    );
    let twice = [("token", good.as_str()), ("token", &forged)];
    assert_eq!(function.ask(&twice, &[]).await, Err(unauthorized()));
}

#[tokio::test]
async fn a7_that_the_issuer_is_down_is_not_the_callers_fault() {
    let function = Function::new(Callers::Mixed).await;
    function.world.issuer.set_mode(IssuerMode::Down);
    let token = function.world.good();
    let log = Log::start();
    let error = function.ask(&[("token", &token)], &[]).await.unwrap_err();
    assert_eq!(error.error_type, "KeysUnavailable");
    assert!(error.error_message.contains("answered 503"), "{error:?}");
    let lines = log.lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["message"], "Cannot fetch the issuer's keys");
    assert_eq!(lines[1]["level"], "ERROR");
    assert_eq!(lines[1]["message"], "Authorization failed");
    // Listeners do not need keys.
    assert!(function.ask(&[], &[]).await.is_ok());
}

#[tokio::test]
async fn the_log_contains_admitted_callers_and_their_role() {
    let function = Function::new(Callers::Mixed).await;
    let token = function.world.good();
    let log = Log::start();
    function.ask(&[("token", &token)], &[]).await.unwrap();
    function.ask(&[], &[]).await.unwrap();
    let lines = log.lines();
    let request_id = socket().authorize(&[], &[])["requestContext"]["requestId"].clone();
    for line in &lines {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["requestId"], request_id);
        assert_eq!(line["connectionId"], "L0SM9cOFvHcCIhw=");
    }
    let logged: Vec<_> = lines
        .iter()
        .map(|line| (&line["message"], &line["role"]))
        .collect();
    let successful = json!("Authorization successful");
    assert_eq!(
        logged,
        [
            (&json!("Token validated"), &Value::Null),
            (&successful, &json!("authenticated")),
            (&successful, &json!("anonymous")),
        ]
    );
    assert_eq!(lines[0]["tokenUse"], "id");
}

#[tokio::test]
async fn the_log_contains_the_reason_of_a_refusal() {
    let function = Function::new(Callers::Authenticated).await;
    let key = function.world.issuer.key();
    let expired = function.world.token().claim("exp", 1).signed(&key);
    let log = Log::start();
    let _ = function.ask(&[("token", &expired)], &[]).await;
    let _ = function.ask(&[], &[]).await;
    let lines = log.lines();
    let logged = |index: usize| {
        let line: &Value = &lines[index];
        let names = ["level", "message", "code", "reason", "connectionId"];
        names.map(|name| line[name].as_str().unwrap().to_owned())
    };
    let (level, refused, id) = ("WARN", "Authorization refused", "L0SM9cOFvHcCIhw=");
    assert_eq!(
        logged(0),
        [level, refused, "Expired", "the token has expired", id]
    );
    assert_eq!(
        logged(1),
        [level, refused, "Missing", "the token is missing", id]
    );
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn no_part_of_a_token_is_ever_logged() {
    let function = Function::new(Callers::Mixed).await;
    let world = &function.world;
    let key = world.issuer.key();
    let log = Log::start();
    let mut tokens = vec![world.good(), "secret-that-is-no-jwt".to_owned()];
    tokens.push(world.token().signed(&SigningKey::ec("key-1")));
    tokens.push(world.token().claim("exp", 1).signed(&key));
    tokens.push(world.token().header("kid", "hostile-key-id").signed(&key));
    tokens.push(
        world
            .token()
            .header("jku", "https://hostile.example")
            .signed(&key),
    );
    tokens.push(world.token().claim("aud", "hostile-audience").signed(&key));
    for token in &tokens {
        let bearer = format!("Bearer {token}");
        let _ = function.ask(&[("token", token)], &[]).await;
        let _ = function.ask(&[], &[("Authorization", &bearer)]).await;
        let _ = function.ask(&[], &[("Authorization", token)]).await;
    }
    let text = log.text();
    assert!(text.contains("Authorization refused") && text.contains("Token validated"));
    assert!(!text.contains("hostile"), "{text}");
    for part in tokens.iter().flat_map(|token| token.split('.')) {
        assert!(!text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn a_malformed_event_is_refused_and_not_logged() {
    let function = Function::new(Callers::Mixed).await;
    let log = Log::start();
    let mut odd_header = socket().authorize(&[], &[]);
    odd_header["headers"]["Authorization"] = json!("Bearer secret\u{1}");
    for event in [odd_header, json!({}), json!("secret"), json!(null)] {
        let error = function.ask_with(event).await.unwrap_err();
        assert_eq!(error.error_type, "NotARequest");
        assert!(!error.error_message.contains("secret"));
    }
    let lines = log.lines();
    assert_eq!(lines[0]["message"], "Malformed event");
    assert_eq!(lines[0]["field"], "headers", "where, and not what");
    assert_eq!(lines[1]["message"], "Authorization failed");
    assert!(!log.text().contains("secret"));
}
