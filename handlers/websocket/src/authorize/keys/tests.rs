use serde_json::{Value, json};
use stackgen_websocket_testing::SigningKey;

use super::*;

fn key_set(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::from_json(json!({"keys": keys}).to_string().as_bytes())
}

#[track_caller]
fn usable(jwk: &Value) {
    assert!(key_set(std::slice::from_ref(jwk)).is_ok(), "{jwk}");
}

#[track_caller]
fn unusable(jwk: &Value) {
    let error = key_set(std::slice::from_ref(jwk)).expect_err("the key is not usable");
    assert!(matches!(error, KeySetError::NoUsableKey), "{jwk}: {error}");
}

fn with(jwk: &Value, name: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value;
    jwk
}

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

/// Returns an RSA key with this modulus. It has no private key.
fn rsa(modulus: &[u8]) -> Value {
    json!({"kty": "RSA", "kid": "k", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(modulus)})
}

#[test]
fn a_key_has_the_algorithm_of_its_type() {
    for (key, algorithm) in [
        (SigningKey::rsa("k"), Algorithm::RS256),
        (SigningKey::ec("k"), Algorithm::ES256),
    ] {
        let found = key_set(&[key.jwk()]).unwrap().find(Some("k")).unwrap();
        assert_eq!(found.algorithm(), algorithm);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(b"message"));
        assert!(found.has_signed("message", &signature));
        assert!(!found.has_signed("massage", &signature));
        assert!(!found.has_signed("message", ""));
        assert!(!found.has_signed("message", "not base64!"));
    }
}

#[test]
fn optional_members_of_a_key_must_agree() {
    for jwk in [SigningKey::rsa("k").jwk(), SigningKey::ec("k").jwk()] {
        usable(&without(&without(&jwk, "use"), "alg"));
        usable(&with(&jwk, "key_ops", json!(["sign", "verify"])));
        unusable(&with(&jwk, "key_ops", json!(["sign"])));
        unusable(&with(&jwk, "key_ops", json!([])));
        unusable(&with(&jwk, "use", json!("enc")));
        unusable(&with(&jwk, "use", json!("other")));
        for alg in ["RS512", "PS256", "ES384", "HS256", "RSA-OAEP", "none", ""] {
            unusable(&with(&jwk, "alg", json!(alg)));
        }
    }
    unusable(&with(&SigningKey::ec("k").jwk(), "alg", json!("RS256")));
    unusable(&with(&SigningKey::rsa("k").jwk(), "alg", json!("ES256")));
}

#[test]
fn rsa_keys_under_2048_bits_are_left_out() {
    let mut modulus = vec![0xff; 256];
    modulus[0] = 0x80;
    usable(&rsa(&modulus));
    modulus[0] = 0x7f;
    unusable(&rsa(&modulus));
    unusable(&rsa(&[&[0; 2], &modulus[..]].concat()));
    unusable(&rsa(&[0xff; 128]));
    unusable(&rsa(&[]));
}

#[test]
fn bits_are_counted_from_the_highest() {
    assert_eq!(bits(&[]), 0);
    assert_eq!(bits(&[0, 0]), 0);
    assert_eq!(bits(&[1]), 1);
    assert_eq!(bits(&[0, 0xff]), 8);
    assert_eq!(bits(&[0, 1, 0]), 9);
    assert_eq!(bits(&[0x40, 0, 0]), 23);
}

#[test]
fn keys_of_other_kinds_are_left_out() {
    unusable(&json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0", "alg": "HS256"}));
    unusable(&json!({"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": "c2VjcmV0"}));
    unusable(&json!({"kty": "new", "kid": "k"}));
    for curve in ["P-384", "P-521", "secp256k1"] {
        unusable(&with(&SigningKey::ec("k").jwk(), "crv", json!(curve)));
    }
}

#[test]
fn unknown_keys_do_not_hide_the_others() {
    let good = SigningKey::ec("good").jwk();
    for bad in [
        json!(null),
        json!("text"),
        json!({}),
        with(&good, "use", json!(5)),
        with(&good, "x", json!("not base64!")),
        json!({"kty": "RSA", "n": "not base64!", "e": "AQAB"}),
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "not base64!"}),
    ] {
        unusable(&bad);
        let keys = key_set(&[bad, good.clone()]).unwrap();
        assert!(keys.find(Some("good")).is_ok());
    }
}

#[test]
fn other_json_is_no_key_set() {
    for text in ["", "<html>", "[]", "{}", r#"{"keys": {}}"#, "null"] {
        let error = KeySet::from_json(text.as_bytes()).expect_err("not a key set");
        assert!(matches!(error, KeySetError::NotAKeySet(_)), "{text}");
    }
    assert!(matches!(key_set(&[]), Err(KeySetError::NoUsableKey)));
}

#[test]
fn a_key_is_found_by_its_id() {
    let keys = key_set(&[SigningKey::ec("a").jwk(), SigningKey::rsa("b").jwk()]).unwrap();
    assert_eq!(keys.find(Some("a")).unwrap().algorithm(), Algorithm::ES256);
    assert_eq!(keys.find(Some("b")).unwrap().algorithm(), Algorithm::RS256);
    for id in ["", "A", "c", "a "] {
        assert_eq!(keys.find(Some(id)).unwrap_err(), TokenError::UnknownKey);
    }
}

#[test]
fn without_an_id_a_single_key_is_found() {
    let only = key_set(&[SigningKey::ec("a").jwk()]).unwrap();
    assert!(only.find(None).is_ok());
    let nameless = key_set(&[without(&SigningKey::ec("a").jwk(), "kid")]).unwrap();
    assert!(nameless.find(None).is_ok());
    assert_eq!(
        nameless.find(Some("a")).unwrap_err(),
        TokenError::UnknownKey
    );
    let two = key_set(&[SigningKey::ec("a").jwk(), SigningKey::ec("b").jwk()]).unwrap();
    assert_eq!(two.find(None).unwrap_err(), TokenError::AmbiguousKey);
    // An unusable key does not make the other one ambiguous.
    let unusable = with(&SigningKey::ec("b").jwk(), "use", json!("enc"));
    let one = key_set(&[SigningKey::ec("a").jwk(), unusable]).unwrap();
    assert!(one.find(None).is_ok());
}

#[test]
fn an_id_of_two_keys_finds_none() {
    let keys = key_set(&[SigningKey::ec("a").jwk(), SigningKey::rsa("a").jwk()]).unwrap();
    assert_eq!(keys.find(Some("a")).unwrap_err(), TokenError::AmbiguousKey);
}
