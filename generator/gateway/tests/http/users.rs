//! Users of user pools, by access tokens of the issuer.

use std::sync::Arc;

use http::Request;
use serde_json::{Value, json};
use stackgen_gateway::Events;
use stackgen_gateway::control::{self, ServiceRouters};
use stackgen_gateway::identity::{Issuer, Token, TokenUse};
use stackgen_gateway::outbound::OtherServices;

use crate::{identity, support};

/// Calls an operation of user pools as the SDKs do: without a signature.
async fn call(issuer: &Issuer, operation: &str, token: &str) -> (u16, Value) {
    let others = Arc::new(OtherServices::new(None, Events::default()));
    let router = control::routes(ServiceRouters {
        users: Some(issuer.users_routes(others.clone())),
        others,
        ..ServiceRouters::default()
    });
    let address = support::serve(router).await;
    let request = Request::post(format!("http://{address}/"))
        .header("host", address.to_string())
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "x-amz-target",
            format!("AWSCognitoIdentityProviderService.{operation}"),
        )
        .body(json!({ "AccessToken": token }).to_string())
        .unwrap();
    let response = support::send(request).await;
    let body = serde_json::from_slice(response.body()).unwrap();
    (response.status().as_u16(), body)
}

async fn minted(issuer: &Issuer, token_use: TokenUse, claims: Value) -> String {
    let mut token = Token {
        token_use,
        ..Token::new("ada", "client")
    };
    token.claims = claims.as_object().unwrap().clone();
    issuer.mint(token).await.unwrap()
}

#[tokio::test]
async fn get_user_returns_the_claims_of_an_access_token() {
    let issuer = identity::start(None).await;
    let claims = json!({ "email": "ada@example.com", "email_verified": true });
    let token = minted(&issuer, TokenUse::Access, claims).await;
    let user = json!({ "Username": "ada", "UserAttributes": [
        { "Name": "sub", "Value": "ada" },
        { "Name": "email", "Value": "ada@example.com" },
        { "Name": "email_verified", "Value": "true" },
    ] });
    assert_eq!(call(&issuer, "GetUser", &token).await, (200, user));
}

#[tokio::test]
async fn get_user_refuses_other_tokens() {
    let issuer = identity::start(None).await;
    let other = identity::start(None).await;
    let foreign = minted(&other, TokenUse::Access, json!({})).await;
    let id = minted(&issuer, TokenUse::Id, json!({})).await;
    let expired = minted(&issuer, TokenUse::Access, json!({ "exp": 1 })).await;
    let scope = json!({ "scope": "openid" });
    let narrow = minted(&issuer, TokenUse::Access, scope).await;
    let (head, _) = id.rsplit_once('.').unwrap();
    let forged = format!("{head}.AAAA");
    for (token, message) in [
        (foreign.as_str(), "Invalid Access Token"),
        (&id, "Invalid Access Token"),
        (&forged, "Invalid Access Token"),
        ("", "Invalid Access Token"),
        (&expired, "Access Token has expired"),
        (&narrow, "Access Token does not have required scopes"),
    ] {
        let (status, body) = call(&issuer, "GetUser", token).await;
        assert_eq!((status, body["message"].as_str()), (400, Some(message)));
        assert_eq!(body["__type"], "NotAuthorizedException");
    }
}

#[tokio::test]
async fn other_operations_of_user_pools_do_not_run_here() {
    let issuer = identity::start(None).await;
    let (status, body) = call(&issuer, "ListUsers", "").await;
    assert_eq!(status, 400);
    assert_eq!(body["__type"], "ServiceNotRunLocally");
}
