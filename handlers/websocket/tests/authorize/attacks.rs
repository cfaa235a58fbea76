//! Tests with forged tokens.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::json;
use stackgen_websocket::authorize::{TokenError, VerifyError};
use stackgen_websocket_testing::{Fetches, Issuer, SigningKey, signed_text};

use crate::world::World;

const ONCE: Fetches = Fetches {
    configuration: 1,
    keys: 1,
};

#[tokio::test]
async fn algorithm_none_is_refused_in_every_case() {
    let world = World::new().await;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let token = world.token().header("alg", alg);
        let signed = token.signed(&world.issuer.key());
        for token in [token.unsigned(), signed] {
            world
                .refuses(&token, TokenError::UnsupportedAlgorithm)
                .await;
        }
    }
    // The issuer is not even asked for keys.
    assert_eq!(world.issuer.fetches(), Fetches::default());
}

#[tokio::test]
async fn a_signature_that_is_missing_is_refused() {
    for key in [SigningKey::rsa("key-1"), SigningKey::ec("key-1")] {
        let world = World::with_key(key).await;
        let unsigned = world.token().unsigned();
        world.refuses(&unsigned, TokenError::WrongSignature).await;
        for length in [1, 64, 256] {
            let zeros = URL_SAFE_NO_PAD.encode(vec![0; length]);
            let token = format!("{unsigned}{zeros}");
            world.refuses(&token, TokenError::WrongSignature).await;
        }
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret() {
    for key in [SigningKey::rsa("key-1"), SigningKey::ec("key-1")] {
        let world = World::with_key(key).await;
        let key = world.issuer.key();
        let jwk = key.jwk();
        let member = jwk["n"].as_str().or(jwk["x"].as_str()).unwrap_or_default();
        for secret in [
            key.public_pem().into_bytes(),
            key.public_pem().trim_end().as_bytes().to_vec(),
            key.public_der(),
            jwk.to_string().into_bytes(),
            URL_SAFE_NO_PAD.decode(member).unwrap(),
            Vec::new(),
        ] {
            let hs256 = world
                .token()
                .header("alg", "HS256")
                .signed_with_secret(&secret);
            world
                .refuses(&hs256, TokenError::UnsupportedAlgorithm)
                .await;
            let disguised = world.token().signed_with_secret(&secret);
            world.refuses(&disguised, TokenError::WrongSignature).await;
        }
    }
}

#[tokio::test]
async fn the_algorithm_is_that_of_the_key() {
    for (key, alg) in [
        (SigningKey::rsa("key-1"), "ES256"),
        (SigningKey::ec("key-1"), "RS256"),
    ] {
        let world = World::with_key(key).await;
        let token = world.token().header("alg", alg).signed(&world.issuer.key());
        world.refuses(&token, TokenError::WrongAlgorithm).await;
    }
    let world = World::with_key(SigningKey::rsa("key-1")).await;
    for alg in ["RS384", "RS512", "PS256", "ES384", "EdDSA", "rs256"] {
        let token = world.token().header("alg", alg).signed(&world.issuer.key());
        world
            .refuses(&token, TokenError::UnsupportedAlgorithm)
            .await;
    }
}

#[tokio::test]
async fn hostile_key_ids_are_unknown_keys_and_nothing_more() {
    let world = World::new().await;
    for kid in [
        "",
        "key-2",
        "KEY-1",
        "key-1 ",
        "key-1\0",
        "../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "http://169.254.169.254/latest/meta-data",
        "' UNION SELECT 'secret' --",
        "key-1' OR '1'='1",
        "$(id)",
        "кey-1",
        "\u{202e}1-yek",
        "\u{1f511}",
        &"k".repeat(5_000),
    ] {
        let token = world.token().header("kid", kid).signed(&world.issuer.key());
        world.refuses(&token, TokenError::UnknownKey).await;
    }
    let long = world.token().header("kid", "k".repeat(10_000));
    let long = long.signed(&world.issuer.key());
    world.refuses(&long, TokenError::TooLong).await;
    for kid in [json!(1), json!({"$ne": null}), json!(["key-1"])] {
        let token = world.token().header("kid", kid).signed(&world.issuer.key());
        world.refuses(&token, TokenError::Malformed).await;
    }
    assert_eq!(world.issuer.fetches(), ONCE);
}

#[tokio::test]
async fn keys_inside_a_token_are_ignored() {
    let world = World::new().await;
    let attacker = Issuer::start().await;
    let key = attacker.key();
    let keys = format!("{}/keys", attacker.url());
    for (name, value) in [
        ("jku", json!(keys)),
        ("jwk", key.jwk()),
        ("x5u", json!(keys)),
        ("x5c", json!([URL_SAFE_NO_PAD.encode(key.public_der())])),
        ("crit", json!(["b64"])),
    ] {
        for signer in [&key, &world.issuer.key()] {
            let token = world.token().header(name, value.clone()).signed(signer);
            world
                .refuses(&token, TokenError::ForbiddenHeader(name))
                .await;
        }
    }
    assert_eq!(attacker.fetches(), Fetches::default());
    assert_eq!(world.issuer.fetches(), Fetches::default());
}

#[tokio::test]
async fn ten_thousand_random_key_ids_cost_the_issuer_a_handful_of_requests() {
    let world = World::new().await;
    let forged = SigningKey::ec("forged");
    let tokens: Vec<_> = (0..10_000)
        .map(|id| {
            let kid = format!("{:x}", fastrand::u128(..) ^ id);
            // The signature is never checked.
            let token = world.token().header("kid", kid);
            token.signed_with_secret(&forged.public_der())
        })
        .collect();
    let unknown = Err(VerifyError::Token(TokenError::UnknownKey));
    let (one_by_one, at_once) = tokens.split_at(5_000);
    for token in one_by_one {
        assert_eq!(world.verify(token).await, unknown);
    }
    assert_eq!(world.issuer.fetches(), ONCE);
    // A minute later another fetch is allowed.
    world.clock.pass(Duration::from_secs(60));
    let verified = join_all(at_once.iter().map(|token| world.verify(token))).await;
    assert!(verified.iter().all(|verified| *verified == unknown));
    assert_eq!(world.issuer.fetches().keys, 2);
    world.accepts(&world.good()).await;
    assert_eq!(world.issuer.fetches().keys, 2);
}

#[tokio::test]
async fn a_truncated_token_is_refused_wherever_it_ends() {
    let world = World::new().await;
    let good = world.good();
    for end in 0..good.len() {
        assert!(
            world.verify(&good[..end]).await.is_err(),
            "the first {end} bytes"
        );
    }
    for start in 1..good.len() {
        assert!(
            world.verify(&good[start..]).await.is_err(),
            "from byte {start}"
        );
    }
    world.accepts(&good).await;
}

#[tokio::test]
async fn parts_of_good_tokens_do_not_make_a_good_token() {
    let world = World::new().await;
    let key = world.issuer.key();
    let (alice, mallory) = (world.good(), world.issuer.token("mallory").signed(&key));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (alice, mallory) = (parts(&alice), parts(&mallory));
    let mixed = format!("{}.{}.{}", mallory[0], alice[1], mallory[2]);
    world.refuses(&mixed, TokenError::WrongSignature).await;
    let other_header = world.token().header("x", "y").unsigned();
    let other_header = parts(&other_header);
    let mixed = format!("{}.{}.{}", other_header[0], alice[1], alice[2]);
    world.refuses(&mixed, TokenError::WrongSignature).await;
    let mixed = format!("{}.{}.{}", alice[0], alice[1], mallory[2]);
    world.refuses(&mixed, TokenError::WrongSignature).await;
    for extra in [".", ".x", "=", " ", "\n", "\0"] {
        let token = format!("{}{extra}", alice.join("."));
        assert!(world.verify(&token).await.is_err(), "{extra:?}");
    }
}

#[tokio::test]
async fn long_tokens_are_refused_even_if_they_are_signed() {
    let world = World::new().await;
    let padded = world.token().claim("padding", "x".repeat(100 * 1024));
    let padded = padded.signed(&world.issuer.key());
    world.refuses(&padded, TokenError::TooLong).await;
    world
        .refuses(&"x".repeat(100 * 1024), TokenError::TooLong)
        .await;
    world
        .refuses(&".".repeat(100 * 1024), TokenError::TooLong)
        .await;
    assert_eq!(world.issuer.fetches(), Fetches::default());
}

#[tokio::test]
async fn repeated_members_are_refused() {
    let world = World::new().await;
    let key = world.issuer.key();
    let token = world.token();
    let (header, claims) = (token.header.to_string(), token.claims.to_string());
    let twice = |json: &str, more: &str| format!("{},{more}}}", json.trim_end_matches('}'));
    let two_subjects = signed_text(&header, &twice(&claims, r#""sub":"mallory""#), &key);
    world
        .refuses(&two_subjects, TokenError::MalformedClaims)
        .await;
    let two_algorithms = signed_text(&twice(&header, r#""alg":"none""#), &claims, &key);
    world.refuses(&two_algorithms, TokenError::Malformed).await;
    let two_ids = signed_text(&twice(&header, r#""kid":"key-2""#), &claims, &key);
    world.refuses(&two_ids, TokenError::Malformed).await;
    world.accepts(&signed_text(&header, &claims, &key)).await;
}

#[tokio::test]
async fn two_keys_with_one_id_verify_nothing() {
    let world = World::new().await;
    let second = SigningKey::ec("key-1");
    let jwks = json!({"keys": [world.issuer.key().jwk(), second.jwk()]});
    world.issuer.publish(jwks);
    world.refuses(&world.good(), TokenError::AmbiguousKey).await;
    let token = world.token().signed(&second);
    world.refuses(&token, TokenError::AmbiguousKey).await;
}

#[tokio::test]
async fn invalid_json_is_refused_even_if_signed() {
    let world = World::new().await;
    let key = world.issuer.key();
    let header = world.token().header.to_string();
    for claims in ["", "null", "[]", "\"alice\"", "{", "{}{}", "\u{feff}{}"] {
        let token = signed_text(&header, claims, &key);
        assert!(world.verify(&token).await.is_err(), "{claims}");
    }
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    let token = signed_text(&header, &format!(r#"{{"aud":{deep}}}"#), &key);
    world.refuses(&token, TokenError::MalformedClaims).await;
}
