//! Keys of an OIDC issuer, fetched over HTTPS.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use thiserror::Error;

use crate::authorize::{KeySet, KeySource, KeySourceError};
use crate::environment::is_loopback;

/// Timeout of one fetch of the keys, with the configuration. API Gateway and the caller wait meanwhile.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum size of a response. Issuers answer a few KB.
const MAX_BODY_BYTES: usize = 512 * 1024;

/// Fetches the keys of an OIDC issuer from the URL in its configuration (OpenID Connect Discovery 1.0).
///
/// It works with any issuer, such as a Cognito user pool. URLs must be `https`; for tests, an issuer on loopback may
/// use `http`. A thread loads the root certificates while the function starts, and nothing is fetched before the first token.
#[derive(Debug)]
pub struct OidcKeys {
    issuer: String,
    is_local: bool,
    timeout: Duration,
    client: Arc<LazyClient>,
    /// URL of the keys, from the issuer's configuration.
    jwks_uri: Mutex<Option<String>>,
}

/// The client, which a thread creates at the start. Creating it loads the system's root certificates, which takes longest.
#[derive(Debug)]
struct LazyClient {
    is_local: bool,
    client: Mutex<Option<HttpClient>>,
}

impl LazyClient {
    /// Starts a thread that creates the client. Lambda gives a starting function a full CPU.
    fn load(is_local: bool) -> Arc<Self> {
        let lazy = Arc::new(LazyClient {
            is_local,
            client: Mutex::default(),
        });
        let loading = Arc::clone(&lazy);
        // After a failure, the first fetch tries again and reports it.
        std::thread::spawn(move || loading.get().map(drop));
        lazy
    }

    /// Returns the client, and waits for the thread that creates it.
    fn get(&self) -> io::Result<HttpClient> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match &*client {
            Some(client) => Ok(client.clone()),
            None => Ok(client.insert(http_client(self.is_local)?).clone()),
        }
    }
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// An invalid issuer URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the issuer {issuer:?} {problem} (use a URL such as https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE)"
)]
pub struct IssuerError {
    /// The invalid text.
    pub issuer: String,
    /// Description of the error.
    pub problem: &'static str,
}

/// The used part of an issuer's configuration.
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

impl OidcKeys {
    /// Returns a source of the keys of this issuer. The URL must equal the `iss` claim of tokens.
    ///
    /// # Errors
    ///
    /// Fails if the URL is not `https`, or has a part other than host, port and path.
    pub fn new(issuer: impl Into<String>) -> Result<Self, IssuerError> {
        OidcKeys::with_timeout(issuer, TIMEOUT)
    }

    /// Returns a source with another timeout than 3 seconds.
    ///
    /// # Errors
    ///
    /// Fails like [`OidcKeys::new`].
    pub fn with_timeout(issuer: impl Into<String>, timeout: Duration) -> Result<Self, IssuerError> {
        let issuer = issuer.into();
        match is_local(&issuer) {
            Ok(is_local) => Ok(OidcKeys {
                issuer,
                is_local,
                timeout,
                client: LazyClient::load(is_local),
                jwks_uri: Mutex::default(),
            }),
            Err(problem) => Err(IssuerError { issuer, problem }),
        }
    }

    async fn key_set(&self) -> Result<KeySet, KeySourceError> {
        // Stored again only after a success: after a failure, the next attempt reads the URL from the configuration
        // again.
        let known = self.jwks_uri().take();
        let url = match known {
            Some(url) => url,
            None => self.discover().await?,
        };
        let json = self.get(&url).await?;
        let keys = KeySet::from_json(&json).map_err(|error| invalid(&url, error.to_string()))?;
        *self.jwks_uri() = Some(url);
        Ok(keys)
    }

    async fn discover(&self) -> Result<String, KeySourceError> {
        let base = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let url = format!("{base}/.well-known/openid-configuration");
        let json = self.get(&url).await?;
        let found: Configuration = serde_json::from_slice(&json)
            .map_err(|error| invalid(&url, format!("not an OIDC configuration: {error}")))?;
        if found.issuer != self.issuer {
            let reason = format!("the configuration is for {:?}", found.issuer);
            return Err(invalid(&url, reason));
        }
        if !is_trusted(&found.jwks_uri, self.is_local) {
            let reason = format!("the jwks_uri {:?} is not https", found.jwks_uri);
            return Err(invalid(&url, reason));
        }
        Ok(found.jwks_uri)
    }

    async fn get(&self, url: &str) -> Result<Bytes, KeySourceError> {
        let unreachable = |reason: String| KeySourceError::Unreachable {
            url: url.to_owned(),
            reason,
        };
        let uri: Uri = url.parse().map_err(|_| invalid(url, "not a URL".into()))?;
        let client = self.client.get();
        let client = client.map_err(|error| unreachable(error.to_string()))?;
        let sent = client.get(uri).await;
        let response = sent.map_err(|error| unreachable(with_causes(&error)))?;
        if response.status() != StatusCode::OK {
            return Err(KeySourceError::Status {
                url: url.to_owned(),
                status: response.status().as_u16(),
            });
        }
        let body = Limited::new(response.into_body(), MAX_BODY_BYTES).collect();
        match body.await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(KeySourceError::TooLarge {
                url: url.to_owned(),
                limit: MAX_BODY_BYTES,
            }),
            Err(error) => Err(unreachable(with_causes(&*error))),
        }
    }

    fn jwks_uri(&self) -> MutexGuard<'_, Option<String>> {
        self.jwks_uri.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for OidcKeys {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let fetched = tokio::time::timeout(self.timeout, self.key_set()).await;
        fetched.unwrap_or_else(|_| {
            Err(KeySourceError::TimedOut {
                issuer: self.issuer.clone(),
                milliseconds: self.timeout.as_millis(),
            })
        })
    }
}

/// Returns true for `http` URLs on loopback, false for `https` URLs, and an error for all others.
fn is_local(url: &str) -> Result<bool, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
    let authority = uri.authority().ok_or("is not a URL")?;
    if authority.as_str().contains('@') || url.contains(['?', '#']) {
        return Err("has parts other than host, port and path");
    }
    match uri.scheme_str() {
        Some("https") => Ok(false),
        Some("http") if is_loopback(authority) => Ok(true),
        _ => Err("is not an https:// URL"),
    }
}

/// Returns true if keys may be fetched from this URL: `https`, or loopback if the issuer is on loopback too.
fn is_trusted(jwks_uri: &str, issuer_is_local: bool) -> bool {
    match is_local(jwks_uri) {
        Ok(is_local) => !is_local || issuer_is_local,
        Err(_) => false,
    }
}

/// Returns a client without keep-alive: the next fetch is an hour away, and Lambda freezes idle processes.
fn http_client(is_local: bool) -> io::Result<HttpClient> {
    let connector = HttpsConnectorBuilder::new();
    let connector = if is_local {
        // Without TLS there are no certificates to load.
        let tls = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        connector.with_tls_config(tls).https_or_http()
    } else {
        let connector = connector.with_provider_and_native_roots(default_provider())?;
        connector.https_only()
    };
    let connector = connector.enable_http1().build();
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(connector);
    Ok(client)
}

fn invalid(url: &str, reason: String) -> KeySourceError {
    let url = url.to_owned();
    KeySourceError::Invalid { url, reason }
}

/// Returns an error's text with its causes. By itself, hyper's text is only `client error (Connect)`.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
