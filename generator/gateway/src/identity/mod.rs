//! A local OIDC issuer: discovery, keys, and tokens shaped like Cognito's.

mod key;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::json;
use thiserror::Error;
use tokio::sync::watch;

use self::key::Key;
pub use token::{Token, TokenUse};

/// An OIDC issuer with RSA keys, the only ones that HTTP APIs' JWT authorizers take. Cheap to clone.
#[derive(Clone)]
pub struct Issuer {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    file: Option<PathBuf>,
    keys: watch::Sender<Keys>,
}

enum Keys {
    /// The first key is being made; whoever needs one waits.
    Coming,
    Here {
        signing: Arc<Key>,
        /// Keys that sign nothing more.
        retired: Vec<Retired>,
    },
    Failed(IssuerError),
}

/// A key that signs nothing more.
struct Retired {
    key: Arc<Key>,
    /// Until when it is published; `None` when that is further than clocks go.
    until: Option<Instant>,
}

/// What becomes of the key that signed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retire {
    /// It stays published for so long, so that tokens it signed are good until then.
    After(Duration),
    /// It is dropped: its tokens are refused wherever keys are fetched anew.
    AtOnce,
}

impl Default for Retire {
    /// As long as tokens live that are minted without a word about it.
    fn default() -> Self {
        Retire::After(Token::LIFETIME)
    }
}

/// Why there is no key or no token.
#[derive(Clone, Debug, Error)]
pub enum IssuerError {
    /// The key's file cannot be used.
    #[error(
        "the issuer's key in {} cannot be used: {problem}; remove the file to have a new key made",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// No key could be made: the machine gives no random numbers.
    #[error("no RSA key could be made")]
    Key,
}

impl Issuer {
    /// Where keys are published, under the issuer's URL.
    pub const JWKS_PATH: &str = "/.well-known/jwks.json";

    /// The discovery document's place, under the issuer's URL.
    pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

    /// An issuer of this URL, without a slash at its end: `iss` of its tokens. It returns at once: a key that has to be
    /// made is made in the background, on the blocking threads of the runtime that this is called in, and whoever needs
    /// it waits. With a file, the key is read from there, or kept there for the next time, for its owner's eyes alone.
    ///
    /// # Errors
    ///
    /// If the file is there and holds no key.
    pub fn start(url: impl Into<String>, file: Option<PathBuf>) -> Result<Self, IssuerError> {
        let kept = file.as_deref().map(key::read).transpose()?.flatten();
        let needs_one = kept.is_none();
        let keys = watch::Sender::new(kept.map_or(Keys::Coming, Keys::only));
        let shared = Arc::new(Shared {
            url: url.into(),
            file,
            keys,
        });
        let issuer = Issuer { shared };
        if needs_one {
            let first = issuer.clone();
            tokio::task::spawn_blocking(move || {
                let made = first.make().map_or_else(Keys::Failed, Keys::only);
                first.shared.keys.send_replace(made);
            });
        }
        Ok(issuer)
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Discovery and keys, at the issuer's URL.
    pub fn router(&self) -> Router {
        Router::new()
            .route(Issuer::DISCOVERY_PATH, get(discovery))
            .route(Issuer::JWKS_PATH, get(jwks))
            .with_state(self.clone())
    }

    /// Signs a token.
    ///
    /// # Errors
    ///
    /// If there is no key.
    pub async fn mint(&self, token: Token) -> Result<String, IssuerError> {
        let key = self.with_keys(|signing, _| Arc::clone(signing)).await?;
        Ok(key.sign(&token.claims(self.url())))
    }

    /// Signs with a new key from now on, and tells its id.
    ///
    /// # Errors
    ///
    /// If no key can be made, or kept in its file.
    pub async fn rotate(&self, retire: Retire) -> Result<String, IssuerError> {
        self.with_keys(|_, _| ()).await?;
        let issuer = self.clone();
        let made = tokio::task::spawn_blocking(move || issuer.make()).await;
        let made = Arc::new(made.map_err(|_| IssuerError::Key)??);
        let id = made.id().to_owned();
        self.shared
            .keys
            .send_modify(|keys| keys.rotate(made, retire));
        Ok(id)
    }

    /// A new key, kept in its file.
    fn make(&self) -> Result<Key, IssuerError> {
        let key = Key::generate()?;
        if let Some(path) = &self.shared.file {
            key::write(path, &key)?;
        }
        Ok(key)
    }

    /// Waits for the first key, then reads keys.
    async fn with_keys<T>(
        &self,
        read: impl FnOnce(&Arc<Key>, &[Retired]) -> T,
    ) -> Result<T, IssuerError> {
        let mut keys = self.shared.keys.subscribe();
        let keys = keys.wait_for(|keys| !matches!(keys, Keys::Coming)).await;
        match keys.as_deref() {
            Ok(Keys::Here { signing, retired }) => Ok(read(signing, retired)),
            Ok(Keys::Failed(error)) => Err(error.clone()),
            _ => Err(IssuerError::Key),
        }
    }
}

impl Retired {
    fn is_published(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

impl Keys {
    fn only(key: Key) -> Self {
        Keys::Here {
            signing: Arc::new(key),
            retired: Vec::new(),
        }
    }

    fn rotate(&mut self, new: Arc<Key>, retire: Retire) {
        let Keys::Here { signing, retired } = self else {
            return;
        };
        let old = std::mem::replace(signing, new);
        let now = Instant::now();
        match retire {
            Retire::After(time) => {
                retired.retain(|key| key.is_published(now));
                let until = now.checked_add(time);
                retired.push(Retired { key: old, until });
            }
            Retire::AtOnce => retired.clear(),
        }
    }
}

async fn discovery(State(issuer): State<Issuer>) -> Response {
    let url = issuer.url();
    Json(json!({
        "issuer": url,
        "jwks_uri": format!("{url}{}", Issuer::JWKS_PATH),
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["public"],
    }))
    .into_response()
}

async fn jwks(State(issuer): State<Issuer>) -> Response {
    let now = Instant::now();
    let keys = issuer.with_keys(|signing, retired| {
        let published = retired.iter().filter(|key| key.is_published(now));
        let all = std::iter::once(signing).chain(published.map(|retired| &retired.key));
        all.map(|key| key.jwk().clone()).collect::<Vec<_>>()
    });
    match keys.await {
        Ok(keys) => Json(json!({ "keys": keys })).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
