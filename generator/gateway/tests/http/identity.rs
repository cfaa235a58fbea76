//! Tokens of the issuer, verified with keys that are fetched over HTTP.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use stackgen_gateway::identity::{Issuer, KeyRetirement, Token, TokenUse};
use tokio::net::TcpListener;

use crate::support;

/// Starts an issuer at the address of a user pool.
pub(crate) async fn start(file: Option<PathBuf>) -> Issuer {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let issuer = Issuer::start(format!("http://{host}/pool"), file).unwrap();
    let router = issuer.user_pools(&host);
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

async fn json(url: &str) -> Value {
    let answer = support::get(url).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    serde_json::from_slice(answer.body()).unwrap()
}

/// Fetches the keys from the URL in the discovery document.
async fn keys(issuer: &Issuer) -> JwkSet {
    let discovery = json(&format!("{}{}", issuer.url(), Issuer::DISCOVERY_PATH)).await;
    // The hosts of user pools have only HTTPS.
    let url = |name: &str| discovery[name].as_str().unwrap().replace("https:", "http:");
    assert_eq!(url("issuer"), issuer.url());
    serde_json::from_value(json(&url("jwks_uri")).await).unwrap()
}

async fn verify(issuer: &Issuer, token: &str, audience: &str) -> Option<Value> {
    let kid = decode_header(token).unwrap().kid.unwrap();
    let keys = keys(issuer).await;
    let key = DecodingKey::from_jwk(keys.find(&kid)?).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer.url()]);
    validation.leeway = 0;
    Some(decode::<Value>(token, &key, &validation).ok()?.claims)
}

#[tokio::test]
async fn an_id_token_has_cognitos_claims_and_is_verified_with_the_published_key() {
    let issuer = start(None).await;
    let mut token = Token::new("alice", "client1");
    token.claims.insert("custom:plan".to_owned(), "free".into());
    let token = issuer.mint(token).await.unwrap();
    let claims = verify(&issuer, &token, "client1").await.unwrap();
    for (name, expected) in [
        ("sub", "alice"),
        ("aud", "client1"),
        ("token_use", "id"),
        ("cognito:username", "alice"),
        ("custom:plan", "free"),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    let seconds = |name: &str| claims[name].as_u64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 3600);
    assert!(verify(&issuer, &token, "client2").await.is_none());
}

#[tokio::test]
async fn an_access_token_has_a_client_and_no_audience() {
    let issuer = start(None).await;
    let token = Token {
        token_use: TokenUse::Access,
        ..Token::new("alice", "client1")
    };
    let token = issuer.mint(token).await.unwrap();
    let kid = decode_header(&token).unwrap().kid.unwrap();
    let keys = keys(&issuer).await;
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_aud = false;
    let claims = decode::<Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!(claims["client_id"], "client1");
    assert_eq!(claims["token_use"], "access");
    assert_eq!(claims.get("aud"), None);
}

#[tokio::test]
async fn an_expired_token_is_invalid() {
    let issuer = start(None).await;
    let mut token = Token::new("alice", "client1");
    token.claims.insert("exp".to_owned(), 1.into());
    let token = issuer.mint(token).await.unwrap();
    assert!(verify(&issuer, &token, "client1").await.is_none());
}

#[tokio::test]
async fn after_a_rotation_both_keys_are_published_and_the_new_one_signs() {
    let issuer = start(None).await;
    let before = issuer.mint(Token::new("alice", "a")).await.unwrap();
    let id = issuer.rotate(KeyRetirement::default()).await.unwrap();
    let after = issuer.mint(Token::new("alice", "a")).await.unwrap();
    assert_eq!(decode_header(&after).unwrap().kid, Some(id));
    assert!(verify(&issuer, &before, "a").await.is_some());
    assert!(verify(&issuer, &after, "a").await.is_some());
}

#[tokio::test]
async fn an_immediate_rotation_removes_all_older_keys() {
    let issuer = start(None).await;
    let first = issuer.mint(Token::new("alice", "a")).await.unwrap();
    issuer.rotate(KeyRetirement::default()).await.unwrap();
    let second = issuer.mint(Token::new("alice", "a")).await.unwrap();
    issuer.rotate(KeyRetirement::Immediately).await.unwrap();
    assert!(verify(&issuer, &first, "a").await.is_none());
    assert!(verify(&issuer, &second, "a").await.is_none());
    assert_eq!(keys(&issuer).await.keys.len(), 1);
}

#[tokio::test]
async fn a_retired_key_is_removed_after_its_time() {
    let issuer = start(None).await;
    let before = issuer.mint(Token::new("alice", "a")).await.unwrap();
    issuer
        .rotate(KeyRetirement::After(Duration::ZERO))
        .await
        .unwrap();
    assert!(verify(&issuer, &before, "a").await.is_none());
}

#[tokio::test]
async fn a_key_that_is_retired_without_end_stays_published() {
    let issuer = start(None).await;
    let before = issuer.mint(Token::new("alice", "a")).await.unwrap();
    issuer
        .rotate(KeyRetirement::After(Duration::MAX))
        .await
        .unwrap();
    assert!(verify(&issuer, &before, "a").await.is_some());
}

#[tokio::test]
async fn a_stored_key_verifies_older_tokens_after_a_restart_and_only_its_owner_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state/issuer.key");
    let issuer = start(Some(file.clone())).await;
    let token = issuer.mint(Token::new("alice", "a")).await.unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = start(Some(file.clone())).await;
    let kid = decode_header(&token).unwrap().kid.unwrap();
    assert!(keys(&again).await.find(&kid).is_some());
    let rotated = again.rotate(KeyRetirement::default()).await.unwrap();
    let third = start(Some(file)).await;
    assert!(keys(&third).await.find(&rotated).is_some());
}

#[tokio::test]
async fn a_file_without_a_key_is_an_error_and_stays_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("issuer.key");
    std::fs::write(&file, "no key").unwrap();
    let refused = Issuer::start("http://127.0.0.1:1", Some(file.clone()));
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains(file.to_str().unwrap()), "{refused}");
    assert!(!refused.contains("no key;"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), b"no key");
}
