//! The console: a web page at the control endpoint, on which users see what the gateway does.

mod apis;
mod functions;
mod invocations;
mod items;
mod page;
mod stack;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::Shared;
use super::access::{is_of_console, with_key, with_key_or_cookie};
use super::answer::error;

/// Path of the console.
pub(super) const PATH: &str = "/_stackgen/console/";

/// Headers of every response. The page runs only its own files, loads nothing from elsewhere, and cannot be framed.
const SECURITY_HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-store"),
];

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    let by_key = Router::new()
        .route("/_stackgen/console/links", post(create_link))
        .layer(middleware::from_fn_with_state(shared.clone(), with_key));
    let data = Router::new()
        .route(
            "/_stackgen/console/apis",
            get(apis::list).post(apis::change),
        )
        .route("/_stackgen/console/rows/{id}", get(explain_row))
        .route("/_stackgen/console/stack", get(stack::show))
        .route("/_stackgen/console/functions/{name}", get(functions::show))
        .route(
            "/_stackgen/console/tables/{name}",
            get(items::list).post(items::change),
        )
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            with_key_or_cookie,
        ));
    Router::new()
        .route(
            "/_stackgen/console",
            get(|| async { Redirect::permanent(PATH) }),
        )
        .route("/_stackgen/console/", get(index))
        .route("/_stackgen/console/open", get(open))
        .route("/_stackgen/console/{file}", get(file))
        .merge(by_key)
        .merge(data)
        .layer(middleware::from_fn(with_security_headers))
        .with_state(shared.clone())
}

async fn with_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}

/// Creates a link that opens the console once.
async fn create_link(State(shared): State<Arc<Shared>>) -> Response {
    match shared.console_link() {
        Ok(link) => Json(json!({ "link": link })).into_response(),
        Err(wrong) => error(StatusCode::INTERNAL_SERVER_ERROR, &wrong.to_string()),
    }
}

/// Uses a link: sets the cookie, and leads to the page.
async fn open(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let code = query.strip_prefix("code=").unwrap_or_default();
    let Some(cookie) = shared.console.open(code) else {
        return page::refused("This link was used already, or is of an earlier run.");
    };
    // A redirect would follow the site of the page that held the link, and the cookie would not be sent.
    let mut response = page::opening();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn index(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve_file(&shared, &request, "index.html")
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    serve_file(&shared, &request, &name)
}

fn serve_file(shared: &Shared, request: &Request, name: &str) -> Response {
    let headers: &HeaderMap = request.headers();
    // Browsers also ask for the icon of a page that refuses them.
    if name == page::ICON {
        return page::file(name);
    }
    if !shared.console.has_cookie(headers) {
        return page::refused("This browser has not opened the console with its link yet.");
    }
    if !is_of_console(request.method(), headers) {
        return page::refused("Another site asked for this page.");
    }
    page::file(name)
}

/// Returns the row of the reference that explains a close or a refusal.
async fn explain_row(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let project = shared.console.project.as_ref();
    let text = project.and_then(|project| project.explain_row(&id));
    match text {
        Some(text) => Json(json!({ "row": id, "text": text })).into_response(),
        None => error(StatusCode::NOT_FOUND, &format!("there is no row {id}")),
    }
}
