use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use stackgen_websocket_testing::events::Socket;
use stackgen_websocket_testing::{SigningKey, Token};

use super::super::{KeyCache, KeySet, KeySourceError, TokenRules, TokenUse, VerifyError};
use super::*;
use crate::{SystemClock, Timestamp};

/// Key source that publishes one key, or fails.
struct Keys(Option<SigningKey>);

impl KeySource for Keys {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let key = self.0.as_ref().ok_or(KeySourceError::Canceled)?;
        let jwks = json!({"keys": [key.jwk()]}).to_string();
        Ok(KeySet::from_json(jwks.as_bytes()).unwrap())
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn verifier(key: Option<SigningKey>) -> Verifier<Keys, At> {
    let rules = TokenRules::new("https://issuer.example", ["ours"]);
    Verifier::new(rules, KeyCache::new(Keys(key), At(NOW)))
}

fn token(key: &SigningKey, subject: &str) -> String {
    let claims = json!({
        "iss": "https://issuer.example",
        "aud": "ours",
        "sub": subject,
        "exp": NOW.as_seconds() + 1,
    });
    Token::new(key, claims).signed(key)
}

fn request(tokens: &[&str]) -> ConnectRequest {
    ConnectRequest {
        method_arn: "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod/$connect".to_owned(),
        query_tokens: tokens.iter().map(|token| (*token).to_owned()).collect(),
        ..ConnectRequest::default()
    }
}

async fn decide(
    key: Option<SigningKey>,
    token: &[&str],
    callers: Callers,
) -> Result<Authorization, AuthorizeError> {
    authorize(&request(token), &verifier(key), callers).await
}

fn response(identity: Option<Identity>) -> Value {
    let authorization = Authorization {
        method_arn: request(&[]).method_arn,
        identity,
    };
    serde_json::to_value(authorization.into_response()).unwrap()
}

fn identity(user_id: &str, token_use: TokenUse) -> Option<Identity> {
    let user_id = user_id.to_owned();
    Some(Identity { user_id, token_use })
}

#[tokio::test]
async fn a_valid_token_is_admitted_with_any_callers_setting() {
    for callers in [Callers::Authenticated, Callers::Mixed] {
        let key = SigningKey::ec("k");
        let token = token(&key, "alice");
        let decision = decide(Some(key), &[&token], callers).await.unwrap();
        assert_eq!(decision.identity, identity("alice", TokenUse::Id));
        assert_eq!(decision.method_arn, request(&[]).method_arn);
        assert_eq!(decision.role(), "authenticated");
    }
}

#[tokio::test]
async fn callers_without_a_token_are_admitted_only_if_mixed() {
    let decision = decide(None, &[""], Callers::Mixed).await.unwrap();
    assert_eq!(decision.identity, None);
    assert_eq!(decision.role(), "anonymous");
    let refused = decide(None, &[""], Callers::Authenticated).await;
    assert_eq!(
        refused,
        Err(AuthorizeError::Unauthorized(TokenError::Missing))
    );
}

#[tokio::test]
async fn an_invalid_token_never_counts_as_none() {
    for callers in [Callers::Authenticated, Callers::Mixed] {
        let key = SigningKey::ec("k");
        let good = token(&key, "alice");
        let forged = token(&SigningKey::ec("k"), "alice");
        let refused = decide(Some(key), &[&forged], callers).await;
        let signature = Err(AuthorizeError::Unauthorized(TokenError::WrongSignature));
        assert_eq!(refused, signature);
        let refused = decide(None, &[&good, "x"], callers).await;
        let conflicting = Err(AuthorizeError::Unauthorized(TokenError::Conflicting));
        assert_eq!(refused, conflicting);
    }
}

#[tokio::test]
async fn missing_keys_are_not_the_callers_fault() {
    let token = token(&SigningKey::ec("k"), "alice");
    let failed = decide(None, &[&token], Callers::Mixed).await;
    assert_eq!(failed, Err(AuthorizeError::Keys(KeySourceError::Canceled)));
}

#[tokio::test]
async fn an_event_without_a_method_is_refused() {
    let request = ConnectRequest::default();
    let decision = authorize(&request, &verifier(None), Callers::Mixed).await;
    assert_eq!(decision, Err(AuthorizeError::NotARequest));
}

#[test]
fn a5_a9_a13_the_answer_allows_exactly_what_was_asked_with_scalars_for_context() {
    let expected = json!({
        "principalId": "alice",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Action": ["execute-api:Invoke"],
                "Effect": "Allow",
                "Resource": ["arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod/$connect"],
            }],
        },
        "context": {"userId": "alice", "tokenUse": "access"},
    });
    assert_eq!(response(identity("alice", TokenUse::Access)), expected);
}

#[test]
fn a8_an_anonymous_caller_has_a_principal_and_no_identity() {
    let answer = response(None);
    assert_eq!(answer["principalId"], "anonymous");
    assert_eq!(answer["context"], json!({}));
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
}

#[test]
fn a_user_named_anonymous_differs_from_anonymous_callers() {
    let answer = response(identity("anonymous", TokenUse::Id));
    assert_eq!(answer["principalId"], "anonymous");
    assert_eq!(
        answer["context"],
        json!({"userId": "anonymous", "tokenUse": "id"})
    );
}

#[test]
fn a6_the_caller_hears_unauthorized_and_nothing_else() {
    for reason in [
        TokenError::Missing,
        TokenError::Expired,
        TokenError::WrongSignature,
    ] {
        let diagnostic = Diagnostic::from(AuthorizeError::Unauthorized(reason));
        let json = serde_json::to_value(diagnostic).unwrap();
        assert_eq!(
            json,
            json!({"errorType": "Unauthorized", "errorMessage": "Unauthorized"})
        );
    }
}

#[test]
fn a7_what_is_not_the_callers_fault_is_another_error() {
    let keys = VerifyError::Keys(KeySourceError::Canceled);
    let keys = Diagnostic::from(AuthorizeError::from(keys));
    assert_eq!(keys.error_type, "KeysUnavailable");
    assert!(keys.error_message.contains("no keys"), "{keys:?}");
    let event = Diagnostic::from(AuthorizeError::NotARequest);
    assert_eq!(event.error_type, "NotARequest");
    assert!(event.error_message.contains("methodArn"), "{event:?}");
}

fn read(event: Value) -> ConnectRequest {
    let event: ApiGatewayCustomAuthorizerRequestTypeRequest =
        serde_json::from_value(event).unwrap();
    ConnectRequest::from(event)
}

#[test]
fn e4_a_request_is_read_from_the_event() {
    let socket = Socket::new("L0SM9cOFvHcCIhw=");
    let query = [
        ("token", "q"),
        ("sessionId", "merciful-truth-455-k7dq2m9x4hw3t"),
    ];
    let headers = [
        ("AuThOrIzAtIoN", "Bearer h"),
        ("sec-websocket-protocol", "bearer, p"),
    ];
    let event = socket.authorize(&query, &headers);
    let request = read(event.clone());
    assert_eq!(request.method_arn, socket.method_arn());
    assert_eq!(request.connection_id, "L0SM9cOFvHcCIhw=");
    assert_eq!(request.request_id, event["requestContext"]["requestId"]);
    // Once from each map.
    assert_eq!(request.query_tokens, ["q", "q"]);
    assert_eq!(request.authorizations, ["Bearer h", "Bearer h"]);
    assert_eq!(request.subprotocols, ["bearer, p", "bearer, p"]);
}

#[test]
fn an_event_may_lack_optional_fields() {
    let mut event = Socket::new("c=").authorize(&[], &[]);
    for map in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "headers",
        "multiValueHeaders",
    ] {
        event[map] = json!(null);
    }
    let nulls = read(event.clone());
    assert_eq!(
        (nulls.query_tokens.len(), nulls.authorizations.len()),
        (0, 0)
    );
    event
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name == "requestContext");
    event["requestContext"] = json!({});
    assert!(read(event) == ConnectRequest::default());
}

#[test]
fn values_of_either_map_are_seen() {
    let mut event = Socket::new("c=").authorize(&[], &[]);
    event["queryStringParameters"] = json!({"token": "b", "Token": "x"});
    event["multiValueQueryStringParameters"] = json!({"token": ["a", "b"]});
    event["headers"] = json!({"authorization": "Bearer b"});
    event["multiValueHeaders"] =
        json!({"Authorization": ["Bearer a"], "authorization": ["Bearer b"]});
    let request = read(event);
    assert_eq!(request.query_tokens, ["b", "a", "b"]);
    assert_eq!(request.authorizations, ["Bearer b", "Bearer a", "Bearer b"]);
}

#[tokio::test]
async fn the_system_clock_works() {
    let key = SigningKey::ec("k");
    let expired = token(&key, "alice");
    let rules = TokenRules::new("https://issuer.example", ["ours"]);
    let verifier = Verifier::new(rules, KeyCache::new(Keys(Some(key)), SystemClock));
    let verified = verifier.verify(&expired).await;
    assert_eq!(verified, Err(VerifyError::Token(TokenError::Expired)));
}
