//! An HTTP request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use stackgen_gateway_common::{EpochMillis, request_id, trace_id_or_new};

use super::HttpApi;
use crate::apis::ServedStage;
use crate::server::LocalAddress;

/// A request to an HTTP API.
#[derive(Debug)]
pub(super) struct HttpRequest {
    pub(super) method: Method,
    /// Decoded path with the stage. It is also `rawPath`, which API Gateway decodes in spite of the name.
    pub(super) path: String,
    /// Query as sent: `rawQueryString`.
    pub(super) query: String,
    /// Decoded query parameters.
    pub(super) parameters: Vec<(String, String)>,
    /// Headers with lower-case names, each name once, including those that API Gateway adds. Cookies are separate.
    pub(super) headers: Vec<(String, Vec<String>)>,
    pub(super) cookies: Vec<String>,
    pub(super) body: Bytes,
    pub(super) source_ip: IpAddr,
    /// `domainName`: the address of the API.
    pub(super) domain: String,
    pub(super) protocol: String,
    pub(super) id: String,
    pub(super) at: EpochMillis,
    /// Trace ID (`Root=…`), the client's or a new one.
    pub(super) trace_id: String,
}

/// Stage of a request, and the path for the stage's routes.
#[derive(Debug)]
pub(super) struct StagePath {
    pub(super) served: Arc<ServedStage>,
    /// Path as sent, without the stage.
    pub(super) path: String,
}

/// Headers that concern one connection (hop-by-hop headers).
const HOP_BY_HOP_HEADERS: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl HttpRequest {
    /// Reads the head of a request and finds its stage.
    pub(super) fn read(parts: &Parts, api: &HttpApi) -> (Self, Option<StagePath>) {
        let at = EpochMillis::now();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let source_ip = peer.map_or(Ipv4Addr::LOCALHOST.into(), |ConnectInfo(peer)| peer.ip());
        let local = parts.extensions.get::<LocalAddress>();
        let host = header_text(&parts.headers, header::HOST.as_str());
        let trace = header_text(&parts.headers, "x-amzn-trace-id");
        let query = parts.uri.query().unwrap_or_default();
        let mut request = HttpRequest {
            method: parts.method.clone(),
            path: decoded(parts.uri.path()),
            query: query.to_owned(),
            parameters: parameters(query),
            headers: headers(&parts.headers),
            cookies: cookies(&parts.headers),
            body: Bytes::new(),
            source_ip,
            domain: local.map_or_else(|| host.unwrap_or_default(), |local| local.0.to_string()),
            protocol: format!("{:?}", parts.version),
            id: request_id(),
            at,
            trace_id: trace_id_or_new(trace.as_deref(), at),
        };
        let scheme = parts.extensions.get().unwrap_or(&Scheme::HTTP);
        request.add_gateway_headers(local.map(|local| local.0.port()), scheme);
        let stage_path = StagePath::find(parts.uri.path(), api);
        (request, stage_path)
    }

    fn add_gateway_headers(&mut self, port: Option<u16>, scheme: &Scheme) {
        let mut forwarded = self.header("x-forwarded-for").unwrap_or_default();
        if !forwarded.is_empty() {
            forwarded.push_str(", ");
        }
        forwarded.push_str(&self.source_ip.to_string());
        self.set_header("x-amzn-trace-id", self.trace_id.clone());
        self.set_header("x-forwarded-for", forwarded);
        if let Some(port) = port {
            self.set_header("x-forwarded-port", port.to_string());
        }
        self.set_header("x-forwarded-proto", scheme.as_str().to_owned());
    }

    /// Sets the body.
    pub(super) fn set_body(&mut self, body: Bytes) {
        self.set_header("content-length", body.len().to_string());
        self.body = body;
    }

    fn set_header(&mut self, name: &str, value: String) {
        match self.headers.iter_mut().find(|(one, _)| one == name) {
            Some((_, values)) => *values = vec![value],
            None => self.headers.push((name.to_owned(), vec![value])),
        }
    }

    /// Returns the values of a header, joined with commas. Ignores the case of `name`.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let mut headers = self.headers.iter();
        let (_, values) = headers.find(|(one, _)| one.eq_ignore_ascii_case(name))?;
        Some(values.join(","))
    }

    /// Returns the values of a query parameter, joined with commas.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .parameters
            .iter()
            .filter(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// Returns true if the body goes into the event as text. API Gateway treats only these content types as text. All
    /// others are binary, even form data and a missing type.
    pub(super) fn has_text_body(&self) -> bool {
        let content_type = self.header("content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        let is_text = essence.starts_with("text/")
            || matches!(
                essence.as_str(),
                "application/json" | "application/xml" | "application/javascript"
            );
        is_text
            && self.header("content-encoding").is_none()
            && std::str::from_utf8(&self.body).is_ok()
    }
}

impl StagePath {
    /// Returns the stage that the path starts with, or else `$default`.
    fn find(path: &str, api: &HttpApi) -> Option<Self> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (first, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let named = match decoded(first) {
            first if first.is_empty() || first == "$default" => None,
            first => api.plane.apis.served(&api.api, &first),
        };
        if let Some(served) = named {
            let path = format!("/{rest}");
            return Some(StagePath { served, path });
        }
        let served = api.plane.apis.served(&api.api, "$default")?;
        let path = path.to_owned();
        Some(StagePath { served, path })
    }
}

/// Decodes percent-encoding. Bytes that are not UTF-8 become `U+FFFD`.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn parameters(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| decoded(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn headers(headers: &HeaderMap) -> Vec<(String, Vec<String>)> {
    let passed_on = headers
        .keys()
        .filter(|name| !HOP_BY_HOP_HEADERS.contains(&name.as_str()) && *name != header::COOKIE);
    passed_on
        .map(|name| {
            let values = headers.get_all(name).iter().map(text).collect();
            (name.as_str().to_owned(), values)
        })
        .collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::COOKIE).iter().map(text);
    all.flat_map(|cookies| {
        let each = cookies.split(';').map(|cookie| cookie.trim().to_owned());
        each.filter(|cookie| !cookie.is_empty()).collect::<Vec<_>>()
    })
    .collect()
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(text)
}

/// Bytes over 127 are Latin-1 in HTTP; clients do not send them.
fn text(value: &http::HeaderValue) -> String {
    value
        .as_bytes()
        .iter()
        .map(|&byte| char::from(byte))
        .collect()
}
