//! Tests with valid tokens, and with tokens for other purposes.

use std::time::Duration;

use serde_json::json;
use stackgen_websocket::Clock;
use stackgen_websocket::authorize::{TokenError, TokenUse};
use stackgen_websocket_testing::SigningKey;

use crate::world::World;

#[tokio::test]
async fn rs256_and_es256_tokens_are_accepted() {
    for key in [SigningKey::rsa("key-1"), SigningKey::ec("key-1")] {
        let world = World::with_key(key).await;
        world.accepts(&world.good()).await;
        let plain = world
            .token()
            .without_header("typ")
            .without_claim("token_use");
        world.accepts(&plain.signed(&world.issuer.key())).await;
    }
}

#[tokio::test]
async fn a_token_without_a_key_id_uses_the_single_key() {
    let world = World::new().await;
    let nameless = world
        .token()
        .without_header("kid")
        .signed(&world.issuer.key());
    world.accepts(&nameless).await;
    let jwks = json!({"keys": [world.issuer.key().jwk(), SigningKey::ec("key-2").jwk()]});
    world.issuer.publish(jwks);
    world.clock.pass(Duration::from_secs(3601));
    world.refuses(&nameless, TokenError::AmbiguousKey).await;
}

#[tokio::test]
async fn access_tokens_of_cognito_are_accepted_if_configured() {
    let key = || SigningKey::rsa("key-1");
    let id = World::with_key(key()).await;
    let access = World::expecting(key(), TokenUse::Access).await;
    for world in [&id, &access] {
        let key = world.issuer.key();
        let hour = world
            .clock
            .now()
            .after(Duration::from_secs(3600))
            .as_seconds();
        let token = world
            .issuer
            .access_token("alice")
            .claim("exp", hour)
            .signed(&key);
        if std::ptr::eq(world, &access) {
            world.accepts(&token).await;
            world
                .refuses(&world.good(), TokenError::WrongTokenUse)
                .await;
        } else {
            world.refuses(&token, TokenError::WrongTokenUse).await;
            world.accepts(&world.good()).await;
        }
    }
}

#[tokio::test]
async fn an_access_token_by_its_type_is_no_id_token() {
    let world = World::new().await;
    let token = world
        .token()
        .header("typ", "at+jwt")
        .without_claim("token_use");
    let token = token.signed(&world.issuer.key());
    world.refuses(&token, TokenError::WrongTokenUse).await;
    let access = World::expecting(SigningKey::ec("key-1"), TokenUse::Access).await;
    let token = access
        .token()
        .header("typ", "at+jwt")
        .without_claim("token_use");
    access.accepts(&token.signed(&access.issuer.key())).await;
}

#[tokio::test]
async fn tokens_of_other_kinds_are_refused() {
    let world = World::new().await;
    let token = world.token().header("typ", "logout+jwt");
    let token = token.signed(&world.issuer.key());
    world.refuses(&token, TokenError::WrongType).await;
}

#[tokio::test]
async fn the_issuer_must_be_ours() {
    let world = World::new().await;
    let key = world.issuer.key();
    let other = World::new().await;
    // A token of the other issuer, and one that it signs in our issuer's name.
    world
        .refuses(&other.good(), TokenError::WrongSignature)
        .await;
    let forged = world.token().signed(&other.issuer.key());
    world.refuses(&forged, TokenError::WrongSignature).await;
    for issuer in [json!(other.issuer.url()), json!(""), json!(null)] {
        let token = world.token().claim("iss", issuer).signed(&key);
        world.refuses(&token, TokenError::WrongIssuer).await;
    }
    let token = world
        .token()
        .claim("iss", json!([world.issuer.url()]))
        .signed(&key);
    world.refuses(&token, TokenError::MalformedClaims).await;
}

#[tokio::test]
async fn the_audience_must_be_ours() {
    let world = World::new().await;
    let key = world.issuer.key();
    let both = world.token().claim("aud", json!(["other", "test-client"]));
    world.accepts(&both.signed(&key)).await;
    let other = world.token().claim("aud", "other").signed(&key);
    world.refuses(&other, TokenError::WrongAudience).await;
    let none = world.token().without_claim("aud").signed(&key);
    world.refuses(&none, TokenError::WrongAudience).await;
}

#[tokio::test]
async fn a_token_is_valid_for_its_time_only() {
    let world = World::new().await;
    let key = world.issuer.key();
    let token = world.good();
    world.accepts(&token).await;
    world.clock.pass(Duration::from_secs(3600 + 29));
    world.accepts(&token).await;
    world.clock.pass(Duration::from_secs(1));
    world.refuses(&token, TokenError::Expired).await;
    let later = world.clock.now().as_seconds() + 31;
    let early = world.token().claim("nbf", later).signed(&key);
    world.refuses(&early, TokenError::NotYetValid).await;
    world.clock.pass(Duration::from_secs(1));
    world.accepts(&early).await;
    let eternal = world.token().without_claim("exp").signed(&key);
    world.refuses(&eternal, TokenError::NoExpiry).await;
}

#[tokio::test]
async fn a_token_must_have_a_subject() {
    let world = World::new().await;
    let key = world.issuer.key();
    let nobody = world.token().without_claim("sub").signed(&key);
    world.refuses(&nobody, TokenError::WrongSubject).await;
    for subject in ["".to_owned(), "a".repeat(257)] {
        let token = world.token().claim("sub", subject).signed(&key);
        world.refuses(&token, TokenError::WrongSubject).await;
    }
}
