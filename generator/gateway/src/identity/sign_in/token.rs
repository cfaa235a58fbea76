//! Tokens for codes and refresh tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::SignIn;
use super::codes::{CodeExchange, CodeRefusal, SignedIn};
use crate::identity::{IssuerError, Token, TokenUse};

/// Parameters of a request, as they were sent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenParameters {
    grant_type: String,
    client_id: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    refresh_token: String,
}

/// Error code and its description, as RFC 6749 (5.2) has them.
struct TokenRefusal(StatusCode, &'static str, String);

/// Exchanges a code or a refresh token.
pub(super) async fn exchange(
    State(sign_in): State<Arc<SignIn>>,
    parameters: Result<Form<TokenParameters>, FormRejection>,
) -> Response {
    let answer = match parameters {
        Ok(Form(parameters)) => tokens(&sign_in, &parameters).await,
        Err(rejection) => Err(TokenRefusal::invalid(
            "invalid_request",
            rejection.body_text(),
        )),
    };
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(TokenRefusal(status, error, description)) => {
            let body = json!({ "error": error, "error_description": description });
            (status, body)
        }
    };
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn tokens(sign_in: &SignIn, parameters: &TokenParameters) -> Result<Value, TokenRefusal> {
    let client_id = parameters.client_id.as_str();
    if !sign_in.is_client(client_id) {
        let description = format!("the stack accepts no tokens for the client ID {client_id:?}");
        let code = "invalid_client";
        return Err(TokenRefusal(StatusCode::UNAUTHORIZED, code, description));
    }
    match parameters.grant_type.as_str() {
        "authorization_code" => {
            let exchange = CodeExchange {
                code: &parameters.code,
                client_id,
                redirect_uri: &parameters.redirect_uri,
                verifier: &parameters.code_verifier,
            };
            let exchanged = sign_in.codes.exchange(&exchange)?;
            let mut answer = mint(sign_in, &exchanged.user, exchanged.nonce).await?;
            answer["refresh_token"] = exchanged.refresh_token.into();
            Ok(answer)
        }
        "refresh_token" => {
            let user = sign_in.codes.refresh(&parameters.refresh_token, client_id);
            let refused = || {
                let description = "the issuer does not know this refresh token of the client: it was revoked, or the issuer was restarted";
                TokenRefusal::invalid("invalid_grant", description)
            };
            Ok(mint(sign_in, &user.ok_or_else(refused)?, None).await?)
        }
        other => {
            let description = format!("grant_type {other:?} is not supported");
            Err(TokenRefusal::invalid("unsupported_grant_type", description))
        }
    }
}

/// Returns both tokens of a user.
async fn mint(
    sign_in: &SignIn,
    user: &SignedIn,
    nonce: Option<String>,
) -> Result<Value, IssuerError> {
    let token = |token_use, own: Option<(&str, String)>| {
        let mut claims = Map::new();
        claims.insert("auth_time".to_owned(), user.auth_time.into());
        claims.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
        Token {
            token_use,
            claims,
            ..Token::new(&user.subject, &user.client_id)
        }
    };
    let id = token(TokenUse::Id, nonce.map(|nonce| ("nonce", nonce)));
    let access = token(TokenUse::Access, Some(("scope", user.scope.clone())));
    Ok(json!({
        "id_token": sign_in.issuer.mint(id).await?,
        "access_token": sign_in.issuer.mint(access).await?,
        "token_type": "Bearer",
        "expires_in": Token::LIFETIME.as_secs(),
    }))
}

impl TokenRefusal {
    fn invalid(code: &'static str, description: impl Into<String>) -> Self {
        TokenRefusal(StatusCode::BAD_REQUEST, code, description.into())
    }

    fn server_error(description: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        TokenRefusal(status, "server_error", description.into())
    }
}

impl From<CodeRefusal> for TokenRefusal {
    fn from(refusal: CodeRefusal) -> Self {
        let description = refusal.description();
        match refusal {
            CodeRefusal::NoRandomNumbers => TokenRefusal::server_error(description),
            _ => TokenRefusal::invalid("invalid_grant", description),
        }
    }
}

impl From<IssuerError> for TokenRefusal {
    fn from(error: IssuerError) -> Self {
        TokenRefusal::server_error(error.to_string())
    }
}
