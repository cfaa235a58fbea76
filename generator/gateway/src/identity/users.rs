//! `GetUser` of user pools: the user of an access token of this issuer, with the token's own claims as attributes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use stackgen_gateway_common::{EpochMillis, body};

use super::Issuer;
use crate::outbound::OtherServices;
use crate::outbound::errors::{WireProtocol, operation};

/// Maximum size of a request in bytes: a token.
const MAX_BODY: usize = 64 * 1024;

/// Scope that `GetUser` needs of a token with scopes. Those of the sign-in have the requested ones; others have none by default.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// Claims of tokens that are not attributes of their users.
const TOKEN_CLAIMS: [&str; 16] = [
    "aud",
    "auth_time",
    "client_id",
    "cognito:groups",
    "cognito:username",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "origin_jti",
    "scope",
    "token_use",
    "username",
];

impl Issuer {
    /// Returns the routes of user pools. All calls but `GetUser` with a token of this issuer are those of a service that does
    /// not run here.
    pub fn users_routes(&self, others: Arc<OtherServices>) -> Router {
        let issuer = self.clone();
        Router::new().fallback(move |request: Request| {
            let (issuer, others) = (issuer.clone(), others.clone());
            async move { issuer.answer_users(&others, request).await }
        })
    }

    async fn answer_users(&self, others: &OtherServices, request: Request) -> Response {
        let (head, body) = request.into_parts();
        if operation(&head, &[]) != "GetUser" {
            let request = Request::from_parts(head, body);
            return others.answer("cognito-idp", request).await;
        }
        let protocol = WireProtocol::of("cognito-idp", &head);
        let refuse = |message: &str| {
            protocol.error(StatusCode::BAD_REQUEST, "NotAuthorizedException", message)
        };
        let Ok(body) = body::read_all(body, MAX_BODY).await else {
            return refuse("Invalid Access Token");
        };
        let parameters: Value = serde_json::from_slice(&body).unwrap_or_default();
        let token = parameters["AccessToken"].as_str().unwrap_or_default();
        match self.verified_claims(token).await {
            Some(claims) if is_expired(&claims) => refuse("Access Token has expired"),
            Some(claims) if claims["token_use"] != "access" => refuse("Invalid Access Token"),
            Some(claims) if lacks_scope(&claims) => {
                refuse("Access Token does not have required scopes")
            }
            Some(claims) => Json(user(&claims)).into_response(),
            // Pools of an emulator have tokens of their own.
            None if others.url().is_some() || others.account().is_some() => {
                let request = Request::from_parts(head, Body::from(body));
                others.answer("cognito-idp", request).await
            }
            None => refuse("Invalid Access Token"),
        }
    }

    /// Returns the claims of a token that a published key of this issuer signed.
    async fn verified_claims(&self, token: &str) -> Option<Value> {
        let (text, signature) = token.rsplit_once('.')?;
        let keys = self.published_keys().await.ok()?;
        if !keys.iter().any(|key| key.has_signed(text, signature)) {
            return None;
        }
        let (_, claims) = text.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

fn is_expired(claims: &Value) -> bool {
    let now = EpochMillis::now().as_millis() / 1000;
    claims["exp"].as_u64().is_none_or(|until| until <= now)
}

fn lacks_scope(claims: &Value) -> bool {
    let scopes = claims["scope"].as_str();
    scopes.is_some_and(|scopes| !scopes.split(' ').any(|scope| scope == SCOPE))
}

/// Returns the response of `GetUser`.
fn user(claims: &Value) -> Value {
    let claims = claims.as_object().into_iter().flatten();
    let mut name = Value::Null;
    let mut attributes = Vec::new();
    for (claim, value) in claims {
        if claim == "username" {
            name = value.clone();
        }
        if !TOKEN_CLAIMS.contains(&claim.as_str()) {
            let text = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            attributes.push(json!({ "Name": claim, "Value": text }));
        }
    }
    json!({ "Username": name, "UserAttributes": attributes })
}
