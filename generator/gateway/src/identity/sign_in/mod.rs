//! Sign-in of users on the stack's web page: the authorization code flow with PKCE (RFC 6749, RFC 7636), as Cognito has it. The
//! issuer asks who the user is, and for no password.

mod authorize;
mod codes;
mod form;
mod request;
mod token;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::{Issuer, discovery_document};
use codes::SignInCodes;

/// Path of the page that asks who the user is, under the issuer's URL.
const AUTHORIZE: &str = "/authorize";

/// Path that exchanges codes for tokens.
const TOKEN: &str = "/token";

/// Path of the style sheet.
const STYLE: &str = "/sign-in.css";

/// Pages and clients that may sign users in.
pub(crate) trait SignInClients: Send + Sync + 'static {
    /// Returns the origins of the stack's web page. Codes are sent to no other.
    fn origins(&self) -> Vec<String>;

    /// Returns the client IDs that the stack accepts in tokens.
    fn client_ids(&self) -> Vec<String>;
}

/// Routes of an issuer with a sign-in.
pub(crate) struct SignIn {
    issuer: Issuer,
    clients: Arc<dyn SignInClients>,
    codes: SignInCodes,
}

impl SignIn {
    /// Returns the routes of an issuer, relative to its URL. Without a page, nobody can sign in, and the discovery document says so.
    pub(crate) fn routes(issuer: Issuer, clients: Arc<dyn SignInClients>) -> Router {
        let keys = issuer.keys_routes();
        let sign_in = Arc::new(SignIn {
            issuer,
            clients,
            codes: SignInCodes::default(),
        });
        Router::new()
            .route(Issuer::DISCOVERY_PATH, get(discovery))
            .route(AUTHORIZE, get(authorize::ask).post(authorize::answer))
            .route(TOKEN, post(token::exchange))
            .route(STYLE, get(style))
            .with_state(sign_in.clone())
            .merge(keys)
            .layer(middleware::from_fn_with_state(sign_in, for_the_page))
    }

    fn is_available(&self) -> bool {
        !self.clients.origins().is_empty() && !self.clients.client_ids().is_empty()
    }

    fn is_client(&self, id: &str) -> bool {
        self.clients.client_ids().iter().any(|client| client == id)
    }
}

/// Lets the stack's web page read answers, and refuses requests of other pages. Only the issuer's own page may answer its form.
async fn for_the_page(
    State(sign_in): State<Arc<SignIn>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    if is_own_origin(&origin, request.headers()) {
        return next.run(request).await;
    }
    let is_page = |origin: &str| sign_in.clients.origins().iter().any(|page| page == origin);
    let is_form = request.uri().path().ends_with(AUTHORIZE);
    if is_form || !origin.to_str().is_ok_and(is_page) {
        let message = "Only the web page of the stack may use the issuer: the Origin header names another one";
        return (StatusCode::FORBIDDEN, Json(json!({ "message": message }))).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(VARY, HeaderValue::from_static("origin"));
    response
}

/// Returns true for the origin of the endpoint itself. The server has checked that its host is loopback's.
pub(crate) fn is_own_origin(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| origin == format!("http://{host}").as_str())
}

async fn discovery(State(sign_in): State<Arc<SignIn>>) -> Response {
    let url = sign_in.issuer.url();
    let mut document = discovery_document(url);
    if sign_in.is_available() {
        document["authorization_endpoint"] = format!("{url}{AUTHORIZE}").into();
        document["token_endpoint"] = format!("{url}{TOKEN}").into();
        document["response_types_supported"] = json!(["code"]);
        document["response_modes_supported"] = json!(["query"]);
        document["grant_types_supported"] = json!(["authorization_code", "refresh_token"]);
        document["code_challenge_methods_supported"] = json!(["S256"]);
        document["token_endpoint_auth_methods_supported"] = json!(["none"]);
    }
    Json(document).into_response()
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "no-store")];
    (headers, include_str!("sign-in.css")).into_response()
}
