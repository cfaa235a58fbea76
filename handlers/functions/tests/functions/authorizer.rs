//! Tests of the authorizer.

use serde_json::{Value, json};
use stackgen_websocket_testing::{Function, InvocationResult, Issuer, IssuerMode, SigningKey};

use crate::stack::{AUTHORIZER, Stack, answer, socket};

async fn asked_with_token(function: &mut Function, token: &str) -> InvocationResult {
    let event = socket("YQ==").authorize(
        &[("sessionId", "a-b-100-k7dq2m9x4hw3t"), ("token", token)],
        &[],
    );
    function.invoke(&event).await.unwrap()
}

/// Returns true for the one message that API Gateway turns into 401 (row A6).
fn unauthorized(answer: &InvocationResult) -> bool {
    matches!(answer, InvocationResult::Error { message, .. } if message == "Unauthorized")
}

#[tokio::test]
async fn a_valid_token_is_allowed_exactly_the_requested_method() {
    let stack = Stack::start().await;
    let mut function = stack.function(AUTHORIZER).await;
    let token = stack.issuer.token("ada").signed(&stack.issuer.key());
    let bearer = format!("Bearer {token}");
    let offered = format!("bearer, {token}");
    let socket = socket("YQ==");
    let ways = [
        socket.authorize(&[("token", &token)], &[]),
        socket.authorize(&[], &[("Authorization", &bearer)]),
        socket.authorize(&[], &[("Sec-WebSocket-Protocol", &offered)]),
    ];
    for event in ways {
        let expected = json!({
            "principalId": "ada",
            "policyDocument": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": ["execute-api:Invoke"],
                "Resource": ["arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/$connect"],
            }]},
            "context": {"userId": "ada", "tokenUse": "id"},
        });
        let answer = answer(&mut function, &event).await;
        for field in ["principalId", "policyDocument", "context"] {
            assert_eq!(answer[field], expected[field], "{answer}");
        }
    }
    assert_eq!(
        stack.issuer.fetches().keys,
        1,
        "the keys are cached between events"
    );
}

#[tokio::test]
async fn a_caller_without_a_token_is_anonymous() {
    let stack = Stack::start().await;
    let mut function = stack.function(AUTHORIZER).await;
    for query in [
        &[("sessionId", "a-b-100-k7dq2m9x4hw3t")][..],
        &[("token", "")],
        &[],
    ] {
        let answer = answer(&mut function, &socket("YQ==").authorize(query, &[])).await;
        assert_eq!(answer["principalId"], "anonymous");
        assert_eq!(answer["context"].get("userId"), None);
    }
    assert_eq!(stack.issuer.fetches().keys, 0);
}

#[tokio::test]
async fn callers_without_a_token_are_admitted_only_if_callers_are_mixed() {
    let stack = Stack::start().await;
    // A blank variable counts as unset.
    for callers in ["authenticated", ""] {
        let other = [("AUTHORIZER_CALLERS", callers)];
        let mut function = stack.function_with(AUTHORIZER, &other).await;
        for query in [
            &[("sessionId", "a-b-100-k7dq2m9x4hw3t")][..],
            &[("token", "")],
        ] {
            let event = socket("YQ==").authorize(query, &[]);
            let answer = function.invoke(&event).await.unwrap();
            assert!(unauthorized(&answer), "{callers:?}: {answer:?}");
        }
        let good = stack.issuer.token("ada").signed(&stack.issuer.key());
        let answer = asked_with_token(&mut function, &good).await;
        assert!(
            matches!(answer, InvocationResult::Response(_)),
            "{answer:?}"
        );
    }
}

/// Returns invalid tokens, with the reason.
fn attacks(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let key = issuer.key();
    let good = issuer.token("ada");
    let strange = SigningKey::rsa("strange");
    let header = |name: &str, value: &str| issuer.token("ada").header(name, value).signed(&key);
    let claim = |name: &str, value: Value| issuer.token("ada").claim(name, value).signed(&key);
    let with_the_public_key = good.signed_with_secret(key.public_pem().as_bytes());
    let own_key = issuer.token("ada").header("jwk", strange.jwk());
    let nobody = issuer.token("ada").without_claim("sub");
    vec![
        ("alg none", good.unsigned()),
        ("HS256 with the public key", with_the_public_key),
        ("unknown kid", header("kid", "unknown")),
        ("hostile kid", header("kid", "../../etc/passwd")),
        ("jku", header("jku", "https://evil.example/keys")),
        ("jwk", own_key.signed(&strange)),
        ("another's key", issuer.token("ada").signed(&strange)),
        ("wrong issuer", claim("iss", json!("https://evil.example"))),
        ("wrong audience", claim("aud", json!("another"))),
        ("access token", issuer.access_token("ada").signed(&key)),
        ("expired", claim("exp", json!(1))),
        ("not yet valid", claim("nbf", json!(99_999_999_999_u64))),
        ("no subject", nobody.signed(&key)),
        ("truncated", good.signed(&key)[..100].to_owned()),
        ("100 KB", "x".repeat(100 * 1024)),
    ]
}

#[tokio::test]
async fn every_attack_is_refused_and_the_function_keeps_running() {
    let stack = Stack::start().await;
    let mut function = stack.function(AUTHORIZER).await;
    for (attack, token) in attacks(&stack.issuer) {
        let answer = asked_with_token(&mut function, &token).await;
        assert!(unauthorized(&answer), "{attack}: {answer:?}");
    }
    let good = stack.issuer.token("ada").signed(&stack.issuer.key());
    let answer = asked_with_token(&mut function, &good).await;
    assert!(matches!(answer, InvocationResult::Response(_)));
    let logs = function.stop().await;
    let counted = |name: &str| {
        logs.iter()
            .filter(|line| line.contains(&format!("\"{name}\":1")))
            .count()
    };
    assert_eq!(
        (counted("AuthorizationRefusals"), counted("KeyRefreshes")),
        (15, 1)
    );
}

#[tokio::test]
async fn without_keys_an_issuer_that_is_down_is_not_the_callers_fault() {
    let stack = Stack::start().await;
    let mut function = stack.function(AUTHORIZER).await;
    let token = stack.issuer.token("ada").signed(&stack.issuer.key());
    stack.issuer.set_mode(IssuerMode::Down);
    let answer = asked_with_token(&mut function, &token).await;
    assert!(
        matches!(answer, InvocationResult::Error { .. }),
        "{answer:?}"
    );
    assert!(!unauthorized(&answer), "{answer:?}");
}

#[tokio::test]
async fn cached_keys_stay_in_use_while_the_issuer_is_down() {
    let stack = Stack::start().await;
    let mut function = stack.function(AUTHORIZER).await;
    let token = stack.issuer.token("ada").signed(&stack.issuer.key());
    assert!(matches!(
        asked_with_token(&mut function, &token).await,
        InvocationResult::Response(_)
    ));
    stack.issuer.set_mode(IssuerMode::Down);
    assert!(matches!(
        asked_with_token(&mut function, &token).await,
        InvocationResult::Response(_)
    ));
    let unknown = stack
        .issuer
        .token("ada")
        .header("kid", "new")
        .signed(&stack.issuer.key());
    assert!(unauthorized(
        &asked_with_token(&mut function, &unknown).await
    ));
}

#[tokio::test]
async fn access_tokens_are_accepted_if_configured() {
    let stack = Stack::start().await;
    let mut function = stack
        .function_with(AUTHORIZER, &[("JWT_TOKEN_USE", "access")])
        .await;
    let access = stack.issuer.access_token("ada").signed(&stack.issuer.key());
    let InvocationResult::Response(allowed) = asked_with_token(&mut function, &access).await else {
        panic!("it is of the kind that was set");
    };
    assert_eq!(
        allowed["context"],
        json!({"userId": "ada", "tokenUse": "access"}) as Value
    );
    let id = stack.issuer.token("ada").signed(&stack.issuer.key());
    assert!(unauthorized(&asked_with_token(&mut function, &id).await));
}
