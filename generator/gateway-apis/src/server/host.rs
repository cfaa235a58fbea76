//! The name that a client came by. A page of somewhere else whose name leads to loopback (DNS rebinding) is of one origin
//! with what it reaches here, so that nothing but that name tells it from a page of this machine.

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

/// What a request by another name is told.
pub(crate) const FOREIGN: &str =
    "Forbidden: the Host header names another machine; use 127.0.0.1 or localhost";

/// True of a Host that is this machine whoever asks: `127.0.0.1`, `[::1]` and `localhost` with what stands below it (RFC
/// 6761), with a port or without.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "127.0.0.1" | "[::1]" | "localhost") || name.ends_with(".localhost")
}

/// Lets requests in that name this machine.
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
            "Bad request: one Host header is needed",
        ));
    };
    // What is no ASCII is no name of this machine either.
    let ours = host.to_str().is_ok_and(is_loopback);
    (!ours).then_some((StatusCode::FORBIDDEN, FOREIGN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_loopback_are_known_with_and_without_ports() {
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
