//! The web page of a stack: the files of a folder, and the settings that depend on the running stack.

mod files;
mod settings;

use std::io;
use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, StatusCode};
use tower_http::services::ServeFile;

use files::PageFile;
pub(crate) use settings::{PageSettings, PageSignIn};

/// File of the settings.
const SETTINGS: &str = "config.json";

/// Content security policy: no inline code, and no code or frames of other sites. Connections may lead to HTTPS and WSS
/// addresses, and to this machine.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; \
    connect-src 'self' https: wss: http://127.0.0.1:* ws://127.0.0.1:* http://localhost:* ws://localhost:*; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Answers a request for a file of the page's folder. `settings` is called for the page's settings only.
pub(crate) async fn answer(
    folder: &Path,
    settings: impl AsyncFnOnce() -> PageSettings,
    request: Request,
) -> Response {
    let mut response = respond(folder, settings, request).await;
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

async fn respond(
    folder: &Path,
    settings: impl AsyncFnOnce() -> PageSettings,
    request: Request,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allowed = [(ALLOW, "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allowed).into_response();
    }
    let path = request.uri().path();
    match files::find(folder, path) {
        Some(PageFile::File(file)) if file == folder.join(SETTINGS) => {
            send_settings(settings().await, Some(&file))
        }
        Some(PageFile::File(file)) => match send(&file, request).await {
            Ok(response) => response,
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        },
        Some(PageFile::Folder) => {
            // The path begins with one slash, so that it cannot name another host.
            let query = request.uri().query();
            let query = query.map_or_else(String::new, |query| format!("?{query}"));
            let location = [(LOCATION, format!("{path}/{query}"))];
            (StatusCode::TEMPORARY_REDIRECT, location).into_response()
        }
        None if !folder.is_dir() => {
            let folder = folder.display();
            let text = format!(
                "The folder {folder} does not exist. Build the page, or correct `page` in stackgen.yaml.\n"
            );
            (StatusCode::NOT_FOUND, text).into_response()
        }
        None if is_missing_settings(folder, path) => send_settings(settings().await, None),
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

/// Returns true for the path of the settings if the folder has no such file, not even one that is not served.
fn is_missing_settings(folder: &Path, path: &str) -> bool {
    let found = || folder.join(SETTINGS).symlink_metadata();
    path.strip_prefix('/') == Some(SETTINGS)
        && found().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn send_settings(settings: PageSettings, file: Option<&Path>) -> Response {
    match settings.fill_in(file) {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        Err(problem) => (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response(),
    }
}

/// Sends a file, or the part that the request asks for.
async fn send(file: &Path, request: Request) -> io::Result<Response> {
    let response = ServeFile::new(file).try_call(request).await?;
    Ok(response.map(Body::new))
}

#[cfg(test)]
mod tests;
