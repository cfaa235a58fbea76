use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_700_000_000;

fn rules(token_use: TokenUse) -> TokenRules {
    let rules = TokenRules::new("https://issuer.example", ["ours", "ours-too"]);
    TokenRules { token_use, ..rules }
}

fn good() -> Value {
    json!({
        "iss": "https://issuer.example",
        "aud": "ours",
        "sub": "alice",
        "exp": NOW + 3600,
    })
}

fn good_with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn good_without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn check_as(claims: Value, kind: TokenType, token_use: TokenUse) -> Result<Identity, TokenError> {
    let claims: Claims = serde_json::from_value(claims).unwrap();
    claims.check(kind, &rules(token_use), Timestamp::from_millis(NOW * 1000))
}

fn check(claims: Value) -> Result<(), TokenError> {
    check_as(claims, TokenType::Unspecified, TokenUse::Id).map(drop)
}

#[test]
fn a_valid_token_yields_its_subject() {
    for token_use in [TokenUse::Id, TokenUse::Access] {
        let user_id = "alice".to_owned();
        let identity = Identity { user_id, token_use };
        assert_eq!(
            check_as(good(), TokenType::Unspecified, token_use),
            Ok(identity)
        );
    }
}

#[test]
fn the_issuer_must_match_exactly() {
    for issuer in [
        "https://issuer.example/",
        "https://issuer.example.attacker.example",
        "https://ISSUER.example",
        "",
    ] {
        assert_eq!(
            check(good_with("iss", json!(issuer))),
            Err(TokenError::WrongIssuer)
        );
    }
    assert_eq!(check(good_without("iss")), Err(TokenError::WrongIssuer));
}

#[test]
fn one_of_the_audiences_must_be_ours() {
    for audience in [json!("ours"), json!("ours-too"), json!(["theirs", "ours"])] {
        assert_eq!(check(good_with("aud", audience)), Ok(()));
    }
    for audience in [
        json!("theirs"),
        json!("our"),
        json!(""),
        json!([]),
        json!(["theirs"]),
    ] {
        assert_eq!(
            check(good_with("aud", audience)),
            Err(TokenError::WrongAudience)
        );
    }
    assert_eq!(check(good_without("aud")), Err(TokenError::WrongAudience));
}

#[test]
fn a_client_id_counts_in_access_tokens_without_an_audience() {
    let access =
        |claims: Value| check_as(claims, TokenType::Unspecified, TokenUse::Access).map(drop);
    let mut claims = good_without("aud");
    assert_eq!(access(claims.clone()), Err(TokenError::WrongAudience));
    claims["client_id"] = json!("ours");
    assert_eq!(access(claims.clone()), Ok(()));
    assert_eq!(check(claims.clone()), Err(TokenError::WrongAudience));
    claims["aud"] = json!("theirs");
    assert_eq!(access(claims.clone()), Err(TokenError::WrongAudience));
    claims["aud"] = json!("ours");
    claims["client_id"] = json!("theirs");
    assert_eq!(access(claims.clone()), Ok(()));
    claims.as_object_mut().unwrap().remove("aud");
    assert_eq!(access(claims), Err(TokenError::WrongAudience));
}

#[test]
fn the_kind_of_token_must_be_the_one_expected() {
    let wrong = Err(TokenError::WrongTokenUse);
    let (id, access) = (TokenUse::Id, TokenUse::Access);
    for (claim, kind, expected, outcome) in [
        (Some("id"), TokenType::Unspecified, id, Ok(())),
        (Some("id"), TokenType::Unspecified, access, wrong),
        (Some("id"), TokenType::Access, id, Ok(())),
        (Some("access"), TokenType::Unspecified, access, Ok(())),
        (Some("access"), TokenType::Unspecified, id, wrong),
        (Some("refresh"), TokenType::Unspecified, id, wrong),
        (Some("refresh"), TokenType::Unspecified, access, wrong),
        (Some(""), TokenType::Unspecified, id, wrong),
        (Some("ID"), TokenType::Unspecified, id, wrong),
        (None, TokenType::Unspecified, id, Ok(())),
        (None, TokenType::Unspecified, access, Ok(())),
        (None, TokenType::Access, access, Ok(())),
        (None, TokenType::Access, id, wrong),
    ] {
        let claims = match claim {
            Some(token_use) => good_with("token_use", json!(token_use)),
            None => good(),
        };
        let checked = check_as(claims, kind, expected).map(drop);
        assert_eq!(checked, outcome, "{claim:?} {kind:?} {expected:?}");
    }
}

#[test]
fn a_token_is_valid_until_it_expires_plus_the_leeway() {
    assert_eq!(check(good_with("exp", json!(NOW - 29))), Ok(()));
    assert_eq!(
        check(good_with("exp", json!(NOW - 30))),
        Err(TokenError::Expired)
    );
    assert_eq!(check(good_with("exp", json!(NOW as f64 - 29.5))), Ok(()));
    for expired in [json!(0), json!(-1), json!(NOW - 31), json!(-1e300)] {
        assert_eq!(check(good_with("exp", expired)), Err(TokenError::Expired));
    }
    assert_eq!(check(good_with("exp", json!(1e300))), Ok(()));
    assert_eq!(check(good_without("exp")), Err(TokenError::NoExpiry));
    assert_eq!(
        check(good_with("exp", json!(null))),
        Err(TokenError::NoExpiry)
    );
}

#[test]
fn a_token_is_not_valid_before_its_time() {
    for from in [0, NOW, NOW + 30] {
        assert_eq!(check(good_with("nbf", json!(from))), Ok(()));
    }
    for from in [json!(NOW + 31), json!(NOW as f64 + 30.5), json!(1e300)] {
        assert_eq!(check(good_with("nbf", from)), Err(TokenError::NotYetValid));
    }
}

#[test]
fn the_leeway_comes_from_the_rules() {
    let mut rules = rules(TokenUse::Id);
    rules.leeway = std::time::Duration::ZERO;
    let check = |claims: Value| {
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let now = Timestamp::from_millis(NOW * 1000);
        claims.check(TokenType::Unspecified, &rules, now).map(drop)
    };
    assert_eq!(check(good_with("exp", json!(NOW + 1))), Ok(()));
    assert_eq!(
        check(good_with("exp", json!(NOW))),
        Err(TokenError::Expired)
    );
    assert_eq!(check(good_with("nbf", json!(NOW))), Ok(()));
    assert_eq!(
        check(good_with("nbf", json!(NOW + 1))),
        Err(TokenError::NotYetValid)
    );
}

#[test]
fn a_subject_has_1_to_256_bytes() {
    for subject in ["a".to_owned(), "a".repeat(256), "ä".repeat(128)] {
        assert_eq!(check(good_with("sub", json!(subject))), Ok(()));
    }
    for subject in [String::new(), "a".repeat(257), "ä".repeat(129)] {
        assert_eq!(
            check(good_with("sub", json!(subject))),
            Err(TokenError::WrongSubject)
        );
    }
    assert_eq!(check(good_without("sub")), Err(TokenError::WrongSubject));
}

#[test]
fn claims_of_another_type_and_repeated_claims_are_malformed() {
    let parse = |text: &str| serde_json::from_str::<Claims>(text).map(drop);
    assert!(parse(&good().to_string()).is_ok());
    for text in [
        r#"{"iss": ["https://issuer.example"]}"#,
        r#"{"exp": "1700000000"}"#,
        r#"{"nbf": "1700000000"}"#,
        r#"{"exp": 1e999}"#,
        r#"{"sub": 7}"#,
        r#"{"aud": {"ours": true}}"#,
        r#"{"aud": ["ours", 7]}"#,
        r#"{"sub": "alice", "sub": "mallory"}"#,
        r#"{"sub": "alice", "\u0073ub": "mallory"}"#,
        r#"{"exp": 1, "exp": 2}"#,
        r#"{"token_use": "id", "token_use": "access"}"#,
        r#""text""#,
        "null",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}
