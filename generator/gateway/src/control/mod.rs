//! The control plane: one endpoint for all AWS clients (`AWS_ENDPOINT_URL`), over the wire formats of the services.
//!
//! A request goes to the service that it is signed for. Any credentials are accepted and no signature is verified, but
//! there must be one: a web page can make a browser send plain requests to loopback, but none with an `Authorization`
//! header, for which the browser asks first and is refused.

pub mod logs;
pub mod sts;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use stackgen_gateway_apis::server::is_loopback;
use stackgen_gateway_common::sigv4::credential;
use stackgen_gateway_common::{refuse, request_id};

/// The routes of each service, made by its owner. What is left out answers that there is no such service here.
#[derive(Clone, Default)]
pub struct Services {
    /// API Gateway v2: [`routes`](stackgen_gateway_apis::control::routes).
    pub apigatewayv2: Router,
    /// Lambda: [`routes`](stackgen_gateway_lambda::control::routes).
    pub lambda: Router,
    /// CloudWatch Logs: [`logs::routes`].
    pub logs: Router,
    /// DynamoDB.
    pub dynamodb: Router,
    /// STS: [`sts::routes`].
    pub sts: Router,
    /// @connections: [`misdirected`](stackgen_gateway_apis::management::misdirected), since it is at its stages' own addresses.
    pub management: Router,
    /// What is no AWS service: paths under `/_stackgen/`. They need no signature; pages of elsewhere are kept out by
    /// their `Origin`, which GET may lack: a GET must change nothing.
    pub private: Router,
}

/// One router for all of them.
pub fn routes(services: Services) -> Router {
    let services = Arc::new(services);
    Router::new().fallback(move |request: Request| dispatch(services.clone(), request))
}

async fn dispatch(services: Arc<Services>, request: Request) -> Response {
    if !is_local(request.headers()) {
        return refuse(
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            "The control endpoint answers to this machine alone: the Host or Origin header names another one",
        );
    }
    let Some(router) = services.of(&request) else {
        return refuse(
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token: requests must be signed, with any credentials, for apigateway, lambda, logs, dynamodb, sts or execute-api",
        );
    };
    let answer: Result<Response, Infallible> =
        TowerToHyperService::new(router.clone()).call(request).await;
    let mut response = answer.unwrap_or_else(|never| match never {});
    let headers = response.headers_mut();
    if !headers.contains_key(REQUEST_ID) {
        // Base64 is a header's value.
        let id = request_id().parse().expect("base64 is visible ASCII");
        headers.insert(REQUEST_ID, id);
    }
    response
}

const REQUEST_ID: &str = "x-amzn-requestid";

impl Services {
    fn of(&self, request: &Request) -> Option<&Router> {
        if request.uri().path().starts_with("/_stackgen/") {
            return Some(&self.private);
        }
        let service = credential(request.headers(), request.uri())?.service;
        Some(match service.as_str() {
            "apigateway" => &self.apigatewayv2,
            "lambda" => &self.lambda,
            "logs" => &self.logs,
            "dynamodb" => &self.dynamodb,
            "sts" => &self.sts,
            "execute-api" => &self.management,
            _ => return None,
        })
    }
}

/// False when a browser sends what a page of somewhere else wants, or came here by a name that somebody else owns.
fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let host = text(header::HOST);
    let same_origin =
        |origin: &str| Some(origin) == host.map(|host| format!("http://{host}")).as_deref();
    host.is_some_and(is_loopback) && text(header::ORIGIN).is_none_or(same_origin)
}
