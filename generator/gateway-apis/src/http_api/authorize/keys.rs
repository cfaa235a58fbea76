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
const KEPT: Duration = Duration::from_secs(2 * 60 * 60);

/// Minimum time between two fetches because of an unknown key ID.
const AGAIN: Duration = Duration::from_secs(1);

/// Time that an issuer has to answer.
const TIME: Duration = Duration::from_millis(1500);

/// Maximum size of an issuer's answer, in bytes.
const LARGEST: usize = 150_000;

/// Cached keys of issuers.
pub(in super::super) struct Keys {
    client: Client<HttpConnector, Empty<Bytes>>,
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    keys: Arc<JwkSet>,
    at: Instant,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Default for Keys {
    fn default() -> Self {
        Keys {
            client: Client::builder(TokioExecutor::new()).build_http(),
            kept: Mutex::default(),
        }
    }
}

impl Keys {
    /// Returns the issuer's key with this ID, or a reason why there is none.
    pub(super) async fn find(&self, issuer: &str, kid: &str) -> Result<DecodingKey, String> {
        // The lock is held during the fetch, so that concurrent requests do not fetch, too.
        let mut all = self.kept.lock().await;
        let kept = all.get(issuer).cloned();
        let known = kept.filter(|kept| {
            let age = kept.at.elapsed();
            age < KEPT && (kept.keys.find(kid).is_some() || age < AGAIN)
        });
        let keys = match known {
            Some(kept) => kept.keys,
            None => {
                let keys = Arc::new(self.fetch(issuer).await?);
                let kept = Kept {
                    keys: Arc::clone(&keys),
                    at: Instant::now(),
                };
                all.insert(issuer.to_owned(), kept);
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
            let body = Limited::new(response.into_body(), LARGEST);
            Some(body.collect().await.ok()?.to_bytes())
        };
        let body = tokio::time::timeout(TIME, fetch).await.ok()??;
        serde_json::from_slice(&body).ok()
    }
}
