//! JWT authorizers, against the local issuer over HTTP.

use axum::Json;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use stackgen_gateway::identity::{Issuer, Token, TokenUse};
use stackgen_gateway_apis::apis::{JwtConfiguration, StoredAuthorizer};
use stackgen_gateway_common::AuthorizerId;
use tokio::net::TcpListener;

use super::{HttpApiBuilder, RunningApi, refused};
use crate::apis::authorizer;

async fn start(issuer: &str) -> RunningApi {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    for (key, scopes) in [
        ("GET /a", vec![]),
        ("GET /scoped", vec!["read".to_owned(), "write".to_owned()]),
    ] {
        builder.route(key, |route, _| {
            route.authorization_type = "JWT".to_owned();
            route.authorizer_id = Some(AuthorizerId::new("auth1"));
            route.authorization_scopes = scopes;
        });
    }
    let authorizer = StoredAuthorizer {
        jwt_configuration: Some(JwtConfiguration {
            issuer: issuer.to_owned(),
            audience: vec!["app".to_owned()],
        }),
        ..authorizer("auth1", "JWT", &["$request.header.Authorization"])
    };
    let authorizers = &mut builder.snapshot.authorizers;
    authorizers.insert(AuthorizerId::new("auth1"), authorizer.into());
    builder.returning(json!({"statusCode": 200})).await
}

/// Starts an issuer whose discovery document names its keys over HTTP. Those of user pools have HTTPS.
async fn issuer() -> Issuer {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let url = format!("http://{host}/issuer");
    let issuer = Issuer::start(&url, None).unwrap();
    let document = json!({ "issuer": url, "jwks_uri": format!("{url}{}", Issuer::JWKS_PATH) });
    let discovery = format!("/issuer{}", Issuer::DISCOVERY_PATH);
    let router = issuer
        .user_pools(&host)
        .route(&discovery, get(async move || Json(document)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

fn challenge(response: &http::Response<bytes::Bytes>) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn a_valid_token_passes_with_its_claims_as_text() {
    let issuer = issuer().await;
    let running = start(issuer.url()).await;
    let mut token = Token::new("alice", "app");
    token
        .claims
        .insert("cognito:groups".to_owned(), json!(["admin", "user"]));
    token
        .claims
        .insert("email_verified".to_owned(), json!(true));
    let token = issuer.mint(token).await.unwrap();
    for value in [format!("Bearer {token}"), token] {
        let response = running.get_with("/a", "authorization", &value).await;
        assert_eq!(response.status(), 200);
    }
    let authorizer = &running.last_event()["requestContext"]["authorizer"];
    let claims = &authorizer["jwt"]["claims"];
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["token_use"], "id");
    assert_eq!(claims["cognito:groups"], "[admin user]");
    assert_eq!(claims["email_verified"], "true");
    assert!(claims["exp"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(authorizer["jwt"]["scopes"], json!(null));
}

#[tokio::test]
async fn a_missing_token_is_401_with_a_challenge() {
    let issuer = issuer().await;
    let mut running = start(issuer.url()).await;
    let response = running.get("/a").await;
    let expected = (StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#);
    assert_eq!(refused(&response), expected);
    assert_eq!(challenge(&response), "Bearer");
    assert_eq!(
        running.next_event().await.3.as_deref(),
        Some("the request has no token")
    );
    assert_eq!(running.call_count(), 0);
}

#[tokio::test]
async fn an_invalid_token_is_401_and_the_challenge_has_the_reason() {
    let (issuer, other) = (issuer().await, issuer().await);
    let running = start(issuer.url()).await;
    let with = |name: &str, value: serde_json::Value| {
        let mut token = Token::new("alice", "app");
        token.claims.insert(name.to_owned(), value);
        token
    };
    let mut wrong_client = with("client_id", json!("app"));
    wrong_client.audience = "another".to_owned();
    for (token, expected) in [
        (with("exp", json!(1)), "the token has expired"),
        (
            with("nbf", json!(9_999_999_999_u64)),
            "the token is not valid yet",
        ),
        (
            with("iat", json!(9_999_999_999_u64)),
            "the token is used before it was issued",
        ),
        (
            with("iss", json!("http://elsewhere")),
            "the token does not have a valid issuer",
        ),
        (
            Token::new("alice", "another"),
            "the token does not have a valid audience",
        ),
        (wrong_client, "the token does not have a valid audience"),
    ] {
        let token = issuer.mint(token).await.unwrap();
        let response = running.get_with("/a", "authorization", &token).await;
        assert_eq!(response.status(), 401, "{expected}");
        let expected =
            format!(r#"Bearer scope="" error="invalid_token" error_description="{expected}""#);
        assert_eq!(challenge(&response), expected);
    }
    let foreign = other.mint(Token::new("alice", "app")).await.unwrap();
    for (token, expected) in [
        (
            foreign.as_str(),
            "the issuer has no key with the token's kid",
        ),
        ("no token", "the token is malformed"),
        // {"alg":"HS256","kid":"a"}
        (
            "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.e30.AA",
            "signing method HS256 is invalid",
        ),
        ("eyJhbGciOiJub25lIn0.e30.", "the token is malformed"),
    ] {
        let response = running.get_with("/a", "authorization", token).await;
        assert_eq!(response.status(), 401, "{expected}");
        assert!(challenge(&response).contains(expected), "{expected}");
    }
    assert_eq!(running.call_count(), 0);
}

#[tokio::test]
async fn a_signature_of_another_token_is_refused() {
    let issuer = issuer().await;
    let running = start(issuer.url()).await;
    let alice = issuer.mint(Token::new("alice", "app")).await.unwrap();
    let bob = issuer.mint(Token::new("bob", "app")).await.unwrap();
    let (message, _) = alice.rsplit_once('.').unwrap();
    let (_, signature) = bob.rsplit_once('.').unwrap();
    let mixed = format!("{message}.{signature}");
    let response = running.get_with("/a", "authorization", &mixed).await;
    assert_eq!(response.status(), 401);
    assert!(challenge(&response).contains("the token has an invalid signature"));
}

#[tokio::test]
async fn a_token_needs_one_of_the_routes_scopes() {
    let issuer = issuer().await;
    let running = start(issuer.url()).await;
    let token = |scope: &str| {
        let mut token = Token {
            token_use: TokenUse::Access,
            ..Token::new("alice", "app")
        };
        token.claims.insert("scope".to_owned(), json!(scope));
        issuer.mint(token)
    };
    let succeed = token("openid write").await.unwrap();
    let response = running.get_with("/scoped", "authorization", &succeed).await;
    assert_eq!(response.status(), 200);
    let jwt = &running.last_event()["requestContext"]["authorizer"]["jwt"];
    assert_eq!(jwt["scopes"], json!(["write"]));
    let poor = token("openid").await.unwrap();
    let response = running.get_with("/scoped", "authorization", &poor).await;
    assert_eq!(
        refused(&response),
        (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#)
    );
    assert!(challenge(&response).contains("insufficient_scope"));
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_fetched() {
    let issuer = issuer().await;
    let running = start(issuer.url()).await;
    let before = issuer.mint(Token::new("alice", "app")).await.unwrap();
    assert_eq!(
        running
            .get_with("/a", "authorization", &before)
            .await
            .status(),
        200
    );
    issuer
        .rotate(stackgen_gateway::identity::KeyRetirement::default())
        .await
        .unwrap();
    let after = issuer.mint(Token::new("alice", "app")).await.unwrap();
    // Keys are fetched again at most once per second, so that invented key IDs cannot cause a flood.
    while running
        .get_with("/a", "authorization", &after)
        .await
        .status()
        != 200
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        running
            .get_with("/a", "authorization", &before)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn an_unreachable_issuer_is_401_with_a_reason_in_the_event() {
    let mut running = start("http://127.0.0.1:1").await;
    let issuer = issuer().await;
    let token = issuer.mint(Token::new("alice", "app")).await.unwrap();
    assert_eq!(
        running
            .get_with("/a", "authorization", &token)
            .await
            .status(),
        401
    );
    let reason = running.next_event().await.3.unwrap();
    assert!(
        reason.starts_with("OIDC discovery endpoint communication error"),
        "{reason}"
    );
    assert!(!reason.contains(&token));
}
