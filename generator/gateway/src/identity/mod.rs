//! Local issuer: OpenID Connect discovery, keys, tokens like those of Cognito, and the sign-in of the stack's web page.

mod key;
mod sign_in;
mod token;
mod users;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::watch;

use self::key::IssuerKey;
pub(crate) use sign_in::{SignIn, SignInClients, is_own_origin};
pub use token::{Token, TokenUse};

/// OpenID Connect issuer with RSA keys, the only ones that JWT authorizers of HTTP APIs accept. Cheap to clone.
#[derive(Clone)]
pub struct Issuer {
    shared: Arc<IssuerState>,
}

struct IssuerState {
    url: String,
    file: Option<PathBuf>,
    keys: watch::Sender<KeyState>,
}

enum KeyState {
    /// The first key is being created. Requests wait for it.
    Creating,
    Ready {
        signing: Arc<IssuerKey>,
        /// Keys that no longer sign.
        retired: Vec<RetiredKey>,
    },
    Failed(IssuerError),
}

/// Key that no longer signs.
struct RetiredKey {
    key: Arc<IssuerKey>,
    /// End of its publication; `None` if that is beyond the clock's range.
    until: Option<Instant>,
}

/// Treatment of the old key in a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRetirement {
    /// The key stays published for this time, so that its tokens remain valid.
    After(Duration),
    /// All old keys are removed. Verifiers that fetch the keys again refuse their tokens.
    Immediately,
}

impl Default for KeyRetirement {
    /// Keeps the key published for the default lifetime of tokens.
    fn default() -> Self {
        KeyRetirement::After(Token::LIFETIME)
    }
}

/// Error of the issuer.
#[derive(Clone, Debug, Error)]
pub enum IssuerError {
    /// The file with the key cannot be used.
    #[error(
        "cannot use the issuer's key in {}: {problem}; remove the file to create a new key",
        path.display()
    )]
    File {
        /// File with the key.
        path: PathBuf,
        /// Cause.
        problem: String,
    },
    /// No key could be created, because the machine provides no random numbers.
    #[error("cannot create an RSA key")]
    Key,
}

impl Issuer {
    /// Beginning of the paths under the issuer's URL.
    pub const WELL_KNOWN: &str = "/.well-known/";

    /// Path of the public keys under the issuer's URL.
    pub const JWKS_PATH: &str = "/.well-known/jwks.json";

    /// Path of the discovery document under the issuer's URL.
    pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

    /// Starts an issuer with this URL, the `iss` of its tokens, without a slash at the end. With a file, the key is read from
    /// the file, or written to it for the next start. A new key is created in the background on a blocking thread; requests
    /// wait for it.
    ///
    /// # Errors
    ///
    /// If the file exists but contains no key.
    pub fn start(url: impl Into<String>, file: Option<PathBuf>) -> Result<Self, IssuerError> {
        let stored = file.as_deref().map(key::read).transpose()?.flatten();
        let needs_key = stored.is_none();
        let keys = watch::Sender::new(stored.map_or(KeyState::Creating, KeyState::only));
        let shared = Arc::new(IssuerState {
            url: url.into(),
            file,
            keys,
        });
        let issuer = Issuer { shared };
        if needs_key {
            let first = issuer.clone();
            tokio::task::spawn_blocking(move || {
                let made = first
                    .create_key()
                    .map_or_else(KeyState::Failed, KeyState::only);
                first.shared.keys.send_replace(made);
            });
        }
        Ok(issuer)
    }

    /// Returns the issuer's URL.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Returns the route of the public keys, relative to the issuer's URL.
    fn keys_routes(&self) -> Router {
        Router::new()
            .route(Issuer::JWKS_PATH, get(jwks))
            .with_state(self.clone())
    }

    /// Returns the routes by which the issuer stands for every user pool of a host: `/{pool}/.well-known/…`. They have the
    /// issuer's keys. A token is one of a pool if its claim `iss` says so.
    pub fn user_pools(&self, host: &str) -> Router {
        let base = format!("https://{host}");
        let discovery = async move |Path(pool): Path<String>| {
            Json(discovery_document(&format!("{base}/{pool}")))
        };
        Router::new()
            .route(
                &format!("/{{pool}}{}", Issuer::DISCOVERY_PATH),
                get(discovery),
            )
            .route(&format!("/{{pool}}{}", Issuer::JWKS_PATH), get(jwks))
            .with_state(self.clone())
    }

    /// Signs a token.
    ///
    /// # Errors
    ///
    /// If the key could not be created.
    pub async fn mint(&self, token: Token) -> Result<String, IssuerError> {
        let key = self.with_keys(|signing, _| Arc::clone(signing)).await?;
        Ok(key.sign(&token.claims(self.url())))
    }

    /// Creates a new key for signing and returns its ID.
    ///
    /// # Errors
    ///
    /// If the key cannot be created, or not be written to its file.
    pub async fn rotate(&self, retire: KeyRetirement) -> Result<String, IssuerError> {
        self.with_keys(|_, _| ()).await?;
        let issuer = self.clone();
        let made = tokio::task::spawn_blocking(move || issuer.create_key()).await;
        let made = Arc::new(made.map_err(|_| IssuerError::Key)??);
        let id = made.id().to_owned();
        self.shared
            .keys
            .send_modify(|keys| keys.rotate(made, retire));
        Ok(id)
    }

    /// Creates a key and writes it to the file, if there is one.
    fn create_key(&self) -> Result<IssuerKey, IssuerError> {
        let key = IssuerKey::generate()?;
        if let Some(path) = &self.shared.file {
            key::write(path, &key)?;
        }
        Ok(key)
    }

    /// Returns the published keys as JSON Web Keys. The first one signs.
    ///
    /// # Errors
    ///
    /// If the key could not be created.
    pub async fn public_keys(&self) -> Result<Vec<Value>, IssuerError> {
        let keys = self.published_keys().await?;
        Ok(keys.iter().map(|key| key.jwk().clone()).collect())
    }

    /// Returns the key that signs, and the retired ones that are still published.
    async fn published_keys(&self) -> Result<Vec<Arc<IssuerKey>>, IssuerError> {
        let now = Instant::now();
        self.with_keys(|signing, retired| {
            let retired = retired.iter().filter(|key| key.is_published(now));
            let all = std::iter::once(signing).chain(retired.map(|retired| &retired.key));
            all.cloned().collect()
        })
        .await
    }

    /// Waits for the first key, then calls `read` with the keys.
    async fn with_keys<T>(
        &self,
        read: impl FnOnce(&Arc<IssuerKey>, &[RetiredKey]) -> T,
    ) -> Result<T, IssuerError> {
        let mut keys = self.shared.keys.subscribe();
        let keys = keys
            .wait_for(|keys| !matches!(keys, KeyState::Creating))
            .await;
        match keys.as_deref() {
            Ok(KeyState::Ready { signing, retired }) => Ok(read(signing, retired)),
            Ok(KeyState::Failed(error)) => Err(error.clone()),
            _ => Err(IssuerError::Key),
        }
    }
}

impl RetiredKey {
    fn is_published(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

impl KeyState {
    fn only(key: IssuerKey) -> Self {
        KeyState::Ready {
            signing: Arc::new(key),
            retired: Vec::new(),
        }
    }

    fn rotate(&mut self, new: Arc<IssuerKey>, retire: KeyRetirement) {
        let KeyState::Ready { signing, retired } = self else {
            return;
        };
        let old = std::mem::replace(signing, new);
        let now = Instant::now();
        match retire {
            KeyRetirement::After(time) => {
                retired.retain(|key| key.is_published(now));
                let until = now.checked_add(time);
                retired.push(RetiredKey { key: old, until });
            }
            KeyRetirement::Immediately => retired.clear(),
        }
    }
}

fn discovery_document(url: &str) -> Value {
    json!({
        "issuer": url,
        "jwks_uri": format!("{url}{}", Issuer::JWKS_PATH),
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["public"],
    })
}

async fn jwks(State(issuer): State<Issuer>) -> Response {
    match issuer.public_keys().await {
        Ok(keys) => Json(json!({ "keys": keys })).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
