//! CORS headers. With a CORS configuration, only API Gateway sets them; those of the function are dropped.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};

use super::request::HttpRequest;
use crate::apis::Cors;

/// Returns true for a preflight request.
pub(super) fn is_preflight(request: &HttpRequest) -> bool {
    request.method == Method::OPTIONS
        && request.header("origin").is_some()
        && request.header("access-control-request-method").is_some()
}

/// Sets the CORS headers of a response. Sets none if the request's origin is not allowed.
pub(super) fn apply(cors: &Cors, request: &HttpRequest, response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    let replaced: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in replaced {
        headers.remove(name);
    }
    let Some(origin) = request.header("origin") else {
        return;
    };
    let Some(allowed) = allowed(&cors.allow_origins, &origin) else {
        return;
    };
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.allow_credentials == Some(true) {
        set(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    let exposed = cors.expose_headers.join(",");
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &exposed);
    if !is_preflight(request) {
        return;
    }
    let methods = cors.allow_methods.join(",");
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &methods);
    let allowed = cors.allow_headers.join(",");
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &allowed);
    let age = cors.max_age.map(|age| age.to_string());
    set(
        headers,
        header::ACCESS_CONTROL_MAX_AGE,
        &age.unwrap_or_default(),
    );
}

/// Returns the allowed origin for the response: `*` or the request's origin. `https://*` and `http://*` allow all
/// origins of that scheme.
fn allowed<'a>(origins: &[String], origin: &'a str) -> Option<&'a str> {
    if origins.iter().any(|allowed_origin| allowed_origin == "*") {
        return Some("*");
    }
    let matches_origin = |allowed_origin: &String| match allowed_origin.strip_suffix("://*") {
        Some(scheme) => origin
            .split_once("://")
            .is_some_and(|(origin_scheme, _)| origin_scheme.eq_ignore_ascii_case(scheme)),
        None => allowed_origin.eq_ignore_ascii_case(origin),
    };
    origins.iter().any(matches_origin).then_some(origin)
}

/// Sets a header unless its value is empty.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // The origin was a valid header value; an invalid value in the configuration is skipped.
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
