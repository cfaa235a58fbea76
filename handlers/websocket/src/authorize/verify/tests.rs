use serde_json::{Value, json};

use super::*;

fn header(members: Value) -> Result<Header, TokenError> {
    Header::read(&URL_SAFE_NO_PAD.encode(members.to_string()))
}

fn refused(members: Value) -> TokenError {
    header(members).map(drop).expect_err("a refused header")
}

#[test]
fn a_token_has_three_parts() {
    let Ok(parts) = Parts::of("a.b.c") else {
        panic!("these are three parts");
    };
    assert_eq!(
        (parts.header, parts.claims, parts.signature),
        ("a", "b", "c")
    );
    assert_eq!(parts.signed, "a.b");
    for token in ["", ".", "a", "a.b", "a.b.c.d", "a.b.c.", ".a.b.c"] {
        let error = Parts::of(token).err();
        assert_eq!(error, Some(TokenError::Malformed), "{token}");
    }
}

#[test]
fn a_token_over_8_kb_is_refused_unread() {
    let longest = format!("a.b.{}", "c".repeat(MAX_TOKEN_BYTES - 4));
    assert_eq!(longest.len(), 8192);
    assert!(Parts::of(&longest).is_ok());
    assert_eq!(Parts::of(&(longest + "c")).err(), Some(TokenError::TooLong));
    assert_eq!(
        Parts::of(&"x".repeat(8193)).err(),
        Some(TokenError::TooLong)
    );
}

#[test]
fn only_two_algorithms_are_known() {
    let algorithm = |alg: &str| header(json!({"alg": alg})).map(|header| header.algorithm);
    assert_eq!(algorithm("RS256"), Ok(Algorithm::RS256));
    assert_eq!(algorithm("ES256"), Ok(Algorithm::ES256));
    for alg in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS384", "PS256", "ES384", "EdDSA",
        "rs256", "RS256 ",
    ] {
        assert_eq!(
            algorithm(alg),
            Err(TokenError::UnsupportedAlgorithm),
            "{alg}"
        );
    }
}

#[test]
fn headers_with_their_own_key_or_rules_are_refused() {
    for name in ["crit", "jku", "jwk", "x5u", "x5c"] {
        for value in [json!("x"), json!([]), json!({}), json!(false)] {
            let mut members = json!({"alg": "RS256"});
            members[name] = value;
            assert_eq!(refused(members), TokenError::ForbiddenHeader(name));
        }
    }
    // Takes precedence over other errors, so that the log distinguishes attacks from mistakes.
    let members = json!({"alg": "none", "jku": "https://attacker.example"});
    assert_eq!(refused(members), TokenError::ForbiddenHeader("jku"));
}

#[test]
fn the_kind_of_token_is_a_media_type() {
    let kind = |typ: &str| header(json!({"alg": "RS256", "typ": typ})).map(|header| header.kind);
    for typ in ["JWT", "jwt", "application/jwt", "Application/JWT"] {
        assert_eq!(kind(typ), Ok(TokenType::Unspecified), "{typ}");
    }
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert_eq!(kind(typ), Ok(TokenType::Access), "{typ}");
    }
    for typ in [
        "",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "JWE",
        "application/",
        "at",
    ] {
        assert_eq!(kind(typ), Err(TokenError::WrongType), "{typ}");
    }
    let unsaid = header(json!({"alg": "RS256"})).map(|header| header.kind);
    assert_eq!(unsaid, Ok(TokenType::Unspecified));
}

#[test]
fn the_key_id_is_used_unchanged() {
    let kid = |members: Value| header(members).map(|header| header.key_id);
    let hostile = "../../etc/passwd\0' OR 1=1 --";
    let members = json!({"alg": "RS256", "kid": hostile});
    assert_eq!(kid(members), Ok(Some(hostile.to_owned())));
    assert_eq!(kid(json!({"alg": "RS256"})), Ok(None));
    assert_eq!(
        kid(json!({"alg": "RS256", "kid": 7})),
        Err(TokenError::Malformed)
    );
}

#[test]
fn an_invalid_header_is_malformed() {
    for text in [
        "",
        "{}",
        "null",
        r#"{"alg": null}"#,
        r#"{"alg": "RS256""#,
        r#"{"alg": "RS256", "alg": "ES256"}"#,
        r#"{"alg": "RS256", "kid": "a", "kid": "b"}"#,
        r#"{"alg": "RS256"} {}"#,
    ] {
        let read = Header::read(&URL_SAFE_NO_PAD.encode(text)).map(drop);
        assert_eq!(read, Err(TokenError::Malformed), "{text}");
    }
}

#[test]
fn a_part_has_one_encoding() {
    // `Nw` is 7 in base64url. `Nx` differs only in trailing bits.
    assert_eq!(decode::<u8>("Nw"), Some(7));
    for part in ["Nx", "Nw==", "Nw=", " Nw", "Nw\n", "N", "+w", ""] {
        assert_eq!(decode::<u8>(part), None, "{part}");
    }
}
