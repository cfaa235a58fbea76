//! Files of the page, embedded in the binary.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// A file of the page.
struct EmbeddedFile {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! embedded {
    ($($name:literal: $content_type:expr,)*) => {
        &[$(EmbeddedFile {
            name: $name,
            content_type: $content_type,
            text: include_str!(concat!("web/", $name)),
        },)*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: &[EmbeddedFile] = embedded! {
    "index.html": HTML,
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "main.js": SCRIPT,
    "client.js": SCRIPT,
    "connections.js": SCRIPT,
    "credential.js": SCRIPT,
    "deployments.js": SCRIPT,
    "dom.js": SCRIPT,
    "format.js": SCRIPT,
    "function.js": SCRIPT,
    "graph.js": SCRIPT,
    "items.js": SCRIPT,
    "recording.js": SCRIPT,
    "requests.js": SCRIPT,
    "send.js": SCRIPT,
    "stack.js": SCRIPT,
    "store.js": SCRIPT,
    "stream.js": SCRIPT,
    "timeline.js": SCRIPT,
    "virtual-list.js": SCRIPT,
};

/// Icon of all pages. It is the only file that anybody may see.
pub(super) const ICON: &str = "icon.svg";

/// Returns a file.
pub(super) fn file(name: &str) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) => ([(header::CONTENT_TYPE, file.content_type)], file.text).into_response(),
        None => (StatusCode::NOT_FOUND, "Not found\n").into_response(),
    }
}

/// Returns the page that leads to the console after the cookie was set.
pub(super) fn opening() -> Response {
    let html = document(
        "<meta http-equiv=\"refresh\" content=\"0; url=./\">",
        "<p><a href=\"./\">Open the console</a></p>",
    );
    ([(header::CONTENT_TYPE, HTML)], html).into_response()
}

/// Returns the page for a browser that may not see the console.
pub(super) fn refused(reason: &str) -> Response {
    let html = document(
        "",
        &format!(
            "<p>{reason}</p><p>To get a new link, run <code>stackgen console</code> in the folder of the project.</p>"
        ),
    );
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, HTML)], html).into_response()
}

/// Renders a page from fixed texts.
fn document(head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"{ICON}\"><meta name=\"color-scheme\" content=\"light dark\"><title>stackgen console</title>{head}</head>\
         <body><main><h1>stackgen console</h1>{body}</main></body></html>\n"
    )
}
