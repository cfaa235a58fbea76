//! HTTP handler: creates, shows, pauses, resumes and ends sessions.

mod response;

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_http::http::{StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use live_session_core::ports::{Ports, Store};
use live_session_core::sessions::{NewSession, create, end_as_owner, set_open, view};
use live_session_core::tickets::issue;
use live_session_core::{
    CallerLimits, Clock, CreationKey, RateLimitFailure, Role, SessionId, SessionIdGenerator, UserId,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use stackgen_websocket::Broadcaster;
use stackgen_websocket::authorize::TokenUse;
use tracing::{Span, info};

use response::{ApiError, ApiResponse};

/// Limits of the HTTP handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Behavior of session creation while the rate limit table is unavailable.
    pub create_failure: RateLimitFailure,
    /// Limits on the lookups and changes of one caller.
    pub caller: CallerLimits,
}

/// Maximum size of a body, in bytes.
const MAX_BODY: usize = 4 * 1024;

/// Handles one request. API Gateway has chosen the route and, where the route requires one, verified the token.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: HttpLimits,
    token_use: TokenUse,
    request: &Request,
) -> Response<Body> {
    let answer = match check_token_use(request, token_use) {
        Ok(()) => dispatch(ports, limits, request).await,
        Err(error) => Err(error),
    };
    let answer = answer.unwrap_or_else(|error| {
        info!(
            status = error.status.as_u16(),
            code = error.code,
            "Request refused"
        );
        error.into()
    });
    answer.into_response()
}

async fn dispatch<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: HttpLimits,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    match route_key(request) {
        Some("GET /health") => Ok(ApiResponse::json(
            StatusCode::OK,
            &json!({ "status": "ok" }),
        )),
        Some("POST /sessions") => create_session(ports, limits.create_failure, request).await,
        Some("GET /sessions/{sessionId}") => view_session(ports, limits.caller, request).await,
        Some("PATCH /sessions/{sessionId}") => change_session(ports, limits.caller, request).await,
        Some("DELETE /sessions/{sessionId}") => end_session(ports, limits.caller, request).await,
        Some("POST /sessions/{sessionId}/tickets") => {
            issue_ticket(ports, limits.caller, request).await
        }
        _ => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "NO_ROUTE",
            "the route does not exist",
        )),
    }
}

/// Refuses tokens of another kind than `$connect` accepts. API Gateway's JWT authorizer accepts both.
fn check_token_use(request: &Request, expected: TokenUse) -> Result<(), ApiError> {
    let Some(claims) = claims(request) else {
        return Ok(());
    };
    let claim = claims.get("token_use").map(String::as_str);
    let checked = expected.check(claim, token_type(request).as_deref());
    checked.map_err(|_| {
        let message = format!("send an {} token", expected.as_str());
        ApiError::new(StatusCode::UNAUTHORIZED, "WRONG_TOKEN_USE", message)
    })
}

/// Returns `typ` of the token's header. API Gateway has verified the token.
fn token_type(request: &Request) -> Option<String> {
    #[derive(Deserialize)]
    struct TokenHeader {
        typ: Option<String>,
    }
    let value = request.headers().get(header::AUTHORIZATION)?;
    let token = value.to_str().ok()?.split_whitespace().last()?;
    let json = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice::<TokenHeader>(&json).ok()?.typ
}

async fn create_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    failure: RateLimitFailure,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    let owner = caller(request)?;
    let new: NewSession = body(request)?;
    let key = idempotency_key(request)?;
    let created = create(
        ports,
        failure,
        &mut SessionIdGenerator::default(),
        &owner,
        new,
        key.as_ref(),
    )
    .await?;
    Ok(ApiResponse::json(StatusCode::CREATED, &created))
}

async fn view_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    let id = session_id(request)?;
    let session = view(ports, limits, source_ip(request), &id).await?;
    Ok(ApiResponse::json(StatusCode::OK, &session))
}

/// Body of a request that changes a session.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionChange {
    status: RequestedStatus,
}

/// Status that an owner can set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RequestedStatus {
    Active,
    Paused,
}

async fn change_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    let (owner, id) = (caller(request)?, session_id(request)?);
    let SessionChange { status } = body(request)?;
    let changed = set_open(
        ports,
        limits,
        &id,
        &owner,
        matches!(status, RequestedStatus::Active),
    )
    .await?;
    Ok(ApiResponse::json(StatusCode::OK, &changed))
}

async fn end_session<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    let (owner, id) = (caller(request)?, session_id(request)?);
    end_as_owner(ports, limits, &id, &owner).await?;
    Ok(ApiResponse::empty(StatusCode::NO_CONTENT))
}

/// Body of a request for a ticket.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTicket {
    role: Option<Role>,
}

async fn issue_ticket<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    let (user, id) = (caller(request)?, session_id(request)?);
    let NewTicket { role } = match request.body().is_empty() {
        true => NewTicket::default(),
        false => body(request)?,
    };
    let ticket = issue(ports, limits, &id, &user, role).await?;
    Ok(ApiResponse::json(StatusCode::CREATED, &ticket))
}

/// Returns the key of a request that may be repeated.
fn idempotency_key(request: &Request) -> Result<Option<CreationKey>, ApiError> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = CreationKey::try_from(value.to_str().unwrap_or_default());
    key.map(Some)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "INVALID_KEY", error.to_string()))
}

/// Returns the span for the log lines of a request.
pub fn span(request: &Request) -> Span {
    let request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref(),
        _ => None,
    };
    let parameters = request.path_parameters_ref();
    let session_id = parameters.and_then(|parameters| parameters.first("sessionId"));
    tracing::error_span!(
        "request",
        requestId = request_id,
        routeKey = route_key(request),
        sessionId = session_id,
    )
}

/// Returns the route that API Gateway chose, as spelled in stackgen.yaml.
fn route_key(request: &Request) -> Option<&str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.route_key.as_deref(),
        _ => None,
    }
}

/// Returns the source IP address of the request.
fn source_ip(request: &Request) -> &str {
    let address = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    address.unwrap_or_default()
}

/// Returns the claims of the token that API Gateway verified.
fn claims(request: &Request) -> Option<&HashMap<String, String>> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            Some(&context.authorizer.as_ref()?.jwt.as_ref()?.claims)
        }
        _ => None,
    }
}

/// Returns the subject of the token that API Gateway verified.
fn caller(request: &Request) -> Result<UserId, ApiError> {
    let subject = claims(request).and_then(|claims| claims.get("sub"));
    let caller = subject.and_then(|subject| UserId::try_from(subject.as_str()).ok());
    caller.ok_or_else(|| {
        let message = "the token has no subject";
        ApiError::new(StatusCode::UNAUTHORIZED, "NO_SUBJECT", message)
    })
}

fn session_id(request: &Request) -> Result<SessionId, ApiError> {
    let parameters = request.path_parameters_ref();
    let id = parameters.and_then(|parameters| parameters.first("sessionId"));
    // A malformed ID belongs to no session.
    SessionId::try_from(id.unwrap_or_default()).map_err(|_| ApiError::no_session())
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    let bytes: &[u8] = request.body().as_ref();
    if bytes.len() > MAX_BODY {
        let message = format!("the body must have at most {MAX_BODY} bytes");
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            message,
        ));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "INVALID_BODY", error.to_string()))
}
