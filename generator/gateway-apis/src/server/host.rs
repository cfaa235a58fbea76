//! Check of the `Host` header. With DNS rebinding, a foreign web page's name resolves to loopback, so that the page has
//! the same origin as this server. Only the name distinguishes it from a local page.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::{LocalAddress, ServerTls};

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
    // An SDK puts the prefix of an operation before the endpoint's address: `sync-127.0.0.1`. No browser sends such a host, because
    // a name that ends with a number is no name.
    let is_prefixed = ["-127.0.0.1", ".127.0.0.1"]
        .iter()
        .any(|end| name.ends_with(end));
    matches!(name.as_str(), "127.0.0.1" | "[::1]" | "localhost")
        || name.ends_with(".localhost")
        || is_prefixed
}

/// Returns true if a request that was sent with this scheme names a host of AWS that the server stands for.
pub(super) fn is_aws_host(tls: Option<&ServerTls>, scheme: Option<&Scheme>, host: &str) -> bool {
    let name = host.strip_suffix(":443").unwrap_or(host);
    scheme == Some(&Scheme::HTTPS) && tls.is_some_and(|tls| tls.hosts.contain(name))
}

/// Mark of a request that named the API's host on AWS, its default endpoint (row D22).
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamesDefaultEndpoint;

/// Host of AWS that a request named, before it was replaced: in lower case, and without a port.
#[derive(Clone, Debug)]
pub struct NamedAwsHost(pub String);

/// Replaces the AWS host name in `Host` by the server's local address, so that requests to both are the same.
fn replace_aws_host(tls: Option<&ServerTls>, request: &mut Request) {
    let extensions = request.extensions();
    let Some(LocalAddress(local)) = extensions.get().copied() else {
        return;
    };
    let (scheme, host) = (extensions.get(), request.headers().get(header::HOST));
    let named = host
        .and_then(|host| host.to_str().ok())
        .filter(|host| is_aws_host(tls, scheme, host))
        .map(|host| {
            host.strip_suffix(":443")
                .unwrap_or(host)
                .to_ascii_lowercase()
        });
    if let (Some(named), Ok(local)) = (named, HeaderValue::try_from(local.to_string())) {
        request.headers_mut().insert(header::HOST, local);
        request.extensions_mut().insert(NamesDefaultEndpoint);
        request.extensions_mut().insert(NamedAwsHost(named));
    }
}

/// Passes requests on whose `Host` is this machine or the name that the server stands for, and refuses others.
pub(super) async fn only_loopback(
    State(tls): State<Option<ServerTls>>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.headers().get_all(header::HOST).iter().count() == 1 {
        replace_aws_host(tls.as_ref(), &mut request);
    }
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
    use crate::server::AwsHosts;

    #[test]
    fn a_server_stands_for_an_api_in_all_regions_or_for_all_other_services() {
        let api = AwsHosts::Api("abc".into());
        for (host, of_api, of_services) in [
            ("abc.execute-api.us-east-1.amazonaws.com", true, false),
            ("ABC.execute-api.eu-west-1.amazonaws.com", true, false),
            ("abc.execute-api.cn-north-1.amazonaws.com.cn", true, false),
            ("abc.execute-api.us-east-1.evil.amazonaws.com", false, false),
            ("other.execute-api.us-east-1.amazonaws.com", false, false),
            ("dynamodb.us-east-1.amazonaws.com", false, true),
            ("bucket.s3.amazonaws.com", false, true),
            ("chat-1.us-east-1.elb.amazonaws.com", false, false),
            ("amazonaws.com.evil.example", false, false),
            ("evilamazonaws.com", false, false),
        ] {
            assert_eq!(api.contain(host), of_api, "{host}");
            assert_eq!(AwsHosts::Services.contain(host), of_services, "{host}");
        }
    }

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
