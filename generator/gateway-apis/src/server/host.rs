//! Check of the `Host` header. With DNS rebinding, a foreign web page's name resolves to loopback, so that the page has
//! the same origin as this server. Only the name distinguishes it from a local page.

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

/// Message for a request with a foreign host name.
pub(crate) const FOREIGN_HOST: &str =
    "Forbidden: the Host header names another machine; use 127.0.0.1 or localhost";

/// Returns true for host names that always mean this machine: `127.0.0.1`, `[::1]`, `localhost` and its subdomains (RFC
/// 6761), with or without a port.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "127.0.0.1" | "[::1]" | "localhost") || name.ends_with(".localhost")
}

/// Passes requests on whose `Host` is this machine, and refuses others.
pub(super) async fn only_loopback(request: Request, next: Next) -> Response {
    match refusal(request.headers()) {
        None => next.run(request).await,
        Some((status, message)) => {
            let kind = match status {
                StatusCode::FORBIDDEN => "ForbiddenException",
                _ => "BadRequestException",
            };
            let body = Json(json!({ "message": message }));
            (status, [("x-amzn-errortype", kind)], body).into_response()
        }
    }
}

fn refusal(headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Some((
            StatusCode::BAD_REQUEST,
            "Bad request: send exactly one Host header",
        ));
    };
    // A host name that is not ASCII is not this machine either.
    let ours = host.to_str().is_ok_and(is_loopback);
    (!ours).then_some((StatusCode::FORBIDDEN, FOREIGN_HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_are_recognized_with_and_without_ports() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4511",
            "localhost:1",
            "LocalHost",
            "app.localhost:3000",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "notlocalhost",
            "localhost:80:evil.example",
            "evil.example:127.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
