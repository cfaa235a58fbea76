//! Requests of integrations of the types `HTTP` and `HTTP_PROXY` (row M25), and responses of their endpoints.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use stackgen_gateway_common::ApiId;

use super::failure::IntegrationFailure;
use super::mapping::{BackendAnswer, IntegrationParameters};
use super::request::HandshakeRequest;
use crate::apis::{Pairs, StoredIntegration, substitute_variables};

/// Request to an endpoint, before its parameters are set.
pub(super) struct EndpointRequest<'a> {
    pub(super) api: &'a ApiId,
    pub(super) integration: &'a StoredIntegration,
    pub(super) stage_variables: &'a Pairs,
    pub(super) parameters: IntegrationParameters,
    /// Handshake of `$connect`, which `HTTP_PROXY` passes on with its headers and query string.
    pub(super) handshake: Option<&'a HandshakeRequest>,
    pub(super) trace_id: &'a str,
    pub(super) body: String,
}

impl EndpointRequest<'_> {
    /// Builds the request.
    ///
    /// # Errors
    ///
    /// If the URI or the method is not valid.
    pub(super) fn build(self) -> Result<Request<Bytes>, IntegrationFailure> {
        let method = method(self.integration)?;
        let uri = self.uri()?;
        let mut headers = self.passed_headers();
        self.set_own_headers(&mut headers)?;
        for name in self.parameters.headers.keys() {
            headers.remove(name);
        }
        headers.extend(self.parameters.headers);
        let has_body = !matches!(method, Method::GET | Method::HEAD) && !self.body.is_empty();
        let body = match has_body {
            true => decoded(self.integration, self.body),
            false => Bytes::new(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn uri(&self) -> Result<Uri, IntegrationFailure> {
        let uri = self.integration.integration_uri.as_deref();
        let uri = substitute_variables(uri.unwrap_or_default(), self.stage_variables);
        let mut uri = self.parameters.fill(&uri);
        let passed = self.proxied().map_or("", HandshakeRequest::raw_query);
        for query in [passed, &self.parameters.query] {
            if !query.is_empty() {
                uri.push(if uri.contains('?') { '&' } else { '?' });
                uri.push_str(query);
            }
        }
        let parsed = uri.parse::<Uri>().ok().filter(|uri| {
            let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
            // A brace is a variable without a value.
            is_http && uri.authority().is_some() && !uri.path().contains(['{', '}'])
        });
        parsed.ok_or_else(|| {
            IntegrationFailure::unreachable(format!(
                "{uri} is not the URL of an HTTP endpoint: write http://HOST/PATH or https://HOST/PATH, and set the variables of the path in RequestParameters (rows F3, M24)"
            ))
        })
    }

    /// Returns the handshake if the integration passes it on.
    fn proxied(&self) -> Option<&HandshakeRequest> {
        let is_proxy = self.integration.integration_type == "HTTP_PROXY";
        self.handshake.filter(|_| is_proxy)
    }

    /// Returns the headers of the handshake, if the integration passes them on. `Host` is the endpoint's.
    fn passed_headers(&self) -> HeaderMap {
        let Some(handshake) = self.proxied() else {
            return HeaderMap::new();
        };
        let mut headers = handshake.forwarded_headers();
        headers.remove(header::HOST);
        headers
    }

    fn set_own_headers(&self, headers: &mut HeaderMap) -> Result<(), IntegrationFailure> {
        let value = |text: &str| {
            HeaderValue::try_from(text)
                .map_err(|error| IntegrationFailure::unreachable(error.to_string()))
        };
        let agent = format!("AmazonAPIGateway_{}", self.api);
        headers.entry(header::USER_AGENT).or_insert(value(&agent)?);
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-apigateway-api-id", value(self.api.as_str())?);
        headers.insert("x-amzn-trace-id", value(self.trace_id)?);
        Ok(())
    }
}

/// Returns the method of an integration. Messages have none of their own, so `ANY` and a missing method are POST.
pub(super) fn method(integration: &StoredIntegration) -> Result<Method, IntegrationFailure> {
    match integration.integration_method.as_deref() {
        None | Some("ANY") => Ok(Method::POST),
        Some(method) => Method::from_bytes(method.as_bytes()).map_err(|_| {
            IntegrationFailure::unreachable(format!(
                "{method} is not an HTTP method; set IntegrationMethod"
            ))
        }),
    }
}

/// Decodes a message in base64 if the integration converts it to bytes (row M10).
pub(super) fn decoded(integration: &StoredIntegration, body: String) -> Bytes {
    let to_bytes = integration.content_handling_strategy.as_deref() == Some("CONVERT_TO_BINARY");
    match STANDARD.decode(&body) {
        Ok(bytes) if to_bytes => bytes.into(),
        _ => body.into(),
    }
}

/// Converts the response of an endpoint or a service. Headers whose values are not text are left out.
pub(super) fn backend_answer(response: Response<Bytes>) -> BackendAnswer {
    let headers = response.headers().iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    BackendAnswer {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(response.body()).into_owned(),
        error_message: None,
        bytes: response.into_body(),
    }
}
