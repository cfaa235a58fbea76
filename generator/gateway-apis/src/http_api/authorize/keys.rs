//! Keys of OIDC issuers, fetched when a token needs them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

/// Time for which fetched keys are valid, as on API Gateway.
const KEY_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// Minimum time between two fetches because of an unknown key ID.
const REFETCH_INTERVAL: Duration = Duration::from_secs(1);

/// Time that an issuer has to answer.
const ISSUER_TIMEOUT: Duration = Duration::from_millis(1500);

/// Maximum size of an issuer's answer, in bytes.
const MAX_RESPONSE_BYTES: usize = 150_000;

/// Cached keys of issuers.
pub(in super::super) struct IssuerKeys {
    client: Client<HttpConnector, Empty<Bytes>>,
    cached: Mutex<HashMap<String, CachedKeys>>,
}

#[derive(Clone)]
struct CachedKeys {
    keys: Arc<JwkSet>,
    at: Instant,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Default for IssuerKeys {
    fn default() -> Self {
        IssuerKeys {
            client: Client::builder(TokioExecutor::new()).build_http(),
            cached: Mutex::default(),
        }
    }
}

impl IssuerKeys {
    /// Returns the issuer's key with this ID, or a reason why there is none.
    pub(super) async fn find(&self, issuer: &str, kid: &str) -> Result<DecodingKey, String> {
        // The lock is held during the fetch, so that concurrent requests do not fetch, too.
        let mut all = self.cached.lock().await;
        let cached = all.get(issuer).cloned();
        let known = cached.filter(|cached| {
            let age = cached.at.elapsed();
            age < KEY_LIFETIME && (cached.keys.find(kid).is_some() || age < REFETCH_INTERVAL)
        });
        let keys = match known {
            Some(cached) => cached.keys,
            None => {
                let keys = Arc::new(self.fetch(issuer).await?);
                let cached = CachedKeys {
                    keys: Arc::clone(&keys),
                    at: Instant::now(),
                };
                all.insert(issuer.to_owned(), cached);
                keys
            }
        };
        drop(all);
        let key = keys
            .find(kid)
            .ok_or("the issuer has no key with the token's kid")?;
        DecodingKey::from_jwk(key).map_err(|_| "the issuer's key cannot be read".to_owned())
    }

    async fn fetch(&self, issuer: &str) -> Result<JwkSet, String> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let discovery: Discovery = self.get(&url).await.ok_or_else(|| {
            format!("OIDC discovery endpoint communication error: {url} returned no discovery document (only http:// is supported)")
        })?;
        if discovery.issuer != issuer {
            return Err(format!("the document at {url} names another issuer"));
        }
        let url = discovery.jwks_uri;
        let keys = self.get(&url).await;
        keys.ok_or_else(|| {
            format!("JWKS communication error: {url} returned no keys (only http:// is supported)")
        })
    }

    /// Fetches a JSON document, within limits of time and size.
    async fn get<T: DeserializeOwned>(&self, url: &str) -> Option<T> {
        let uri: Uri = url.parse().ok()?;
        let fetch = async {
            let response = self.client.get(uri).await.ok()?;
            if !response.status().is_success() {
                return None;
            }
            let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES);
            Some(body.collect().await.ok()?.to_bytes())
        };
        let body = tokio::time::timeout(ISSUER_TIMEOUT, fetch).await.ok()??;
        serde_json::from_slice(&body).ok()
    }
}
