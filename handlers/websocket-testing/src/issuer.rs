//! An OIDC issuer for tests.

mod key;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::watch;

pub use key::SigningKey;
pub use token::{Token, signed_text};

use super::server::Server;
use stackgen_websocket::{Clock, SystemClock, Timestamp};

/// Path of an issuer's configuration.
pub const CONFIGURATION_PATH: &str = "/.well-known/openid-configuration";

/// Path of this issuer's keys.
pub const KEYS_PATH: &str = "/keys";

/// An OIDC issuer on loopback: configuration, keys, and valid or invalid tokens.
///
/// Dropping it stops it, and further requests cannot connect.
///
/// ```
/// use stackgen_websocket_testing::Issuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let issuer = Issuer::start().await;
/// // JWT_ISSUER of the function under test is `issuer.url()`, JWT_AUDIENCE is `Issuer::AUDIENCE`.
/// let good = issuer.token("alice").signed(&issuer.key());
/// let expired = issuer.token("alice").claim("exp", 1).signed(&issuer.key());
/// # assert_ne!(good, expired);
/// # }
/// ```
#[derive(Debug)]
pub struct Issuer {
    url: String,
    shared: Arc<IssuerState>,
    _server: Server,
}

/// Behavior of an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IssuerMode {
    /// Returns configuration and keys.
    #[default]
    Up,
    /// Answers 503 to all requests.
    Down,
    /// Answers nothing until the mode changes.
    Silent,
    /// Answers all requests with this status and text.
    Answers(StatusCode, String),
    /// Redirects all requests to this URL with 302.
    Redirecting(String),
}

#[derive(Debug)]
struct IssuerState {
    mode: watch::Sender<IssuerMode>,
    published: Mutex<Published>,
}

#[derive(Debug)]
struct Published {
    key: Arc<SigningKey>,
    jwks: Value,
    configuration: Value,
    fetches: Fetches,
}

/// Numbers of requests, whatever the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetches {
    /// Requests for the configuration.
    pub configuration: usize,
    /// Requests for the keys.
    pub keys: usize,
}

impl Issuer {
    /// Audience of the tokens.
    pub const AUDIENCE: &str = "test-client";

    /// Starts an issuer with an EC key.
    pub async fn start() -> Self {
        Issuer::with_key(SigningKey::ec("key-1")).await
    }

    /// Starts an issuer with this key.
    pub async fn with_key(key: SigningKey) -> Self {
        let shared = Arc::new(IssuerState {
            mode: watch::Sender::default(),
            published: Mutex::new(Published {
                jwks: json!({"keys": [key.jwk()]}),
                key: Arc::new(key),
                configuration: Value::Null,
                fetches: Fetches::default(),
            }),
        });
        let routes = Router::new()
            .route(CONFIGURATION_PATH, get(configuration))
            .route(KEYS_PATH, get(keys))
            .with_state(Arc::clone(&shared));
        let server = Server::start(routes).await;
        let url = format!("http://{}", server.address());
        let issuer = Issuer {
            url,
            shared,
            _server: server,
        };
        issuer.configure(json!({
            "issuer": issuer.url(),
            "jwks_uri": format!("{}{KEYS_PATH}", issuer.url()),
        }));
        issuer
    }

    /// Returns the URL: the `iss` claim of the tokens, and the value for a function's `JWT_ISSUER`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the current signing key.
    pub fn key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.shared.published().key)
    }

    /// Replaces the signing key, and publishes only the new one.
    pub fn rotate(&self, key: SigningKey) {
        let mut published = self.shared.published();
        published.jwks = json!({"keys": [key.jwk()]});
        published.key = Arc::new(key);
    }

    /// Publishes this JSON as the keys.
    pub fn publish(&self, jwks: Value) {
        self.shared.published().jwks = jwks;
    }

    /// Publishes this JSON as the configuration.
    pub fn configure(&self, configuration: Value) {
        self.shared.published().configuration = configuration;
    }

    /// Changes the behavior.
    pub fn set_mode(&self, mode: IssuerMode) {
        self.shared.mode.send_replace(mode);
    }

    /// Returns the numbers of requests so far.
    pub fn fetches(&self) -> Fetches {
        self.shared.published().fetches
    }

    /// Waits for this many requests for the configuration.
    pub async fn asked(&self, times: usize) {
        let mut mode = self.shared.mode.subscribe();
        while self.fetches().configuration < times {
            let _ = mode.changed().await;
        }
    }

    /// Returns an unsigned ID token like Cognito's, valid for an hour.
    pub fn token(&self, subject: &str) -> Token {
        self.token_at(subject, SystemClock.now())
    }

    /// Returns an unsigned ID token that is issued at this time.
    pub fn token_at(&self, subject: &str, now: Timestamp) -> Token {
        let claims = json!({
            "iss": self.url(),
            "aud": Issuer::AUDIENCE,
            "sub": subject,
            "token_use": "id",
            "iat": now.as_seconds(),
            "exp": now.after(Duration::from_secs(3600)).as_seconds(),
        });
        Token::new(&self.key(), claims)
    }

    /// Returns an unsigned access token like Cognito's, valid for an hour, with `client_id` and without `aud`.
    pub fn access_token(&self, subject: &str) -> Token {
        self.token(subject)
            .without_claim("aud")
            .claim("client_id", Issuer::AUDIENCE)
            .claim("token_use", "access")
    }
}

impl IssuerState {
    fn published(&self) -> MutexGuard<'_, Published> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, and answers it as the mode specifies.
    async fn answer(
        &self,
        count: impl FnOnce(&mut Fetches),
        document: impl FnOnce(&Published) -> Value,
    ) -> Response {
        let mut mode = self.mode.subscribe();
        count(&mut self.published().fetches);
        // Wakes the tasks that wait for a request; the mode stays the same.
        self.mode.send_modify(|_| ());
        let answering = mode.wait_for(|mode| *mode != IssuerMode::Silent).await;
        let mode = answering.map_or(IssuerMode::Down, |mode| mode.clone());
        let text = [(header::CONTENT_TYPE, "application/json")];
        match mode {
            IssuerMode::Up => (text, document(&self.published()).to_string()).into_response(),
            IssuerMode::Answers(status, body) => (status, text, body).into_response(),
            IssuerMode::Redirecting(to) => {
                (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
            }
            IssuerMode::Down | IssuerMode::Silent => {
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}

async fn configuration(State(issuer): State<Arc<IssuerState>>) -> Response {
    let count = |fetches: &mut Fetches| fetches.configuration += 1;
    let document = |published: &Published| published.configuration.clone();
    issuer.answer(count, document).await
}

async fn keys(State(issuer): State<Arc<IssuerState>>) -> Response {
    let count = |fetches: &mut Fetches| fetches.keys += 1;
    let document = |published: &Published| published.jwks.clone();
    issuer.answer(count, document).await
}
