//! apigatewayv2: its REST and JSON protocol, backed by [`Apis`].

mod call;
mod rate_limiter;

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use serde_json::{Value, json};
use stackgen_gateway_common::{
    ApiId, AuthorizerId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId, RateLimits,
    RouteId, RouteResponseId,
};

use crate::apis::{ApiError, Apis, Pairs};
use call::{ApiCall, CallFailure, CallResult, created, no_content, ok};
use rate_limiter::RateLimiter;

/// Returns the routes of all supported operations. With rates, calls beyond them are refused (row D15).
pub fn routes(apis: Arc<Apis>, rate_limits: Option<RateLimits>) -> Router {
    let service = Arc::new(ApiGatewayService {
        apis,
        limiter: rate_limits.map(RateLimiter::new),
    });
    Router::new().fallback(move |request: Request| serve(service.clone(), request))
}

struct ApiGatewayService {
    apis: Arc<Apis>,
    limiter: Option<RateLimiter>,
}

/// Maximum size of a body in bytes. The largest is a model with its schema of 32 KiB.
const MAX_BODY_BYTES: usize = 1024 * 1024;

async fn serve(service: Arc<ApiGatewayService>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let call = ApiCall::new(
        head.method,
        &head.uri,
        body.as_ref().cloned().unwrap_or_default(),
    );
    let answer = match body {
        Ok(_) => service.answer(&call),
        Err(wrong) => Err(CallFailure::Unreadable(wrong.to_string())),
    };
    answer.unwrap_or_else(|failure| failure.response(&call))
}

impl ApiGatewayService {
    fn answer(&self, call: &ApiCall) -> CallResult {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        if let Some(limiter) = &self.limiter {
            let deploys = call.method == Method::POST && path.last() == Some(&"deployments");
            limiter.count(deploys)?;
        }
        let apis = &*self.apis;
        match path.as_slice() {
            ["v2", "apis", rest @ ..] if rest.len() < 2 => api(apis, call, rest),
            ["v2", "apis", id, "cors"] if call.method == Method::DELETE => {
                no_content(apis.delete_cors_configuration(&ApiId::new(*id))?)
            }
            ["v2", "apis", id, kind, rest @ ..] => {
                let id = ApiId::new(*id);
                match *kind {
                    "routes" => route(apis, call, &id, rest),
                    "integrations" => integration(apis, call, &id, rest),
                    "authorizers" => authorizer(apis, call, &id, rest),
                    "models" => model(apis, call, &id, rest),
                    "deployments" => deployment(apis, call, &id, rest),
                    "stages" => stage(apis, call, &id, rest),
                    _ => Err(CallFailure::Unknown),
                }
            }
            ["v2", "tags", arn] => tags(apis, call, arn),
            _ => Err(CallFailure::Unknown),
        }
    }
}

fn api(apis: &Apis, call: &ApiCall, path: &[&str]) -> CallResult {
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_api(None, call.input()?)?),
        ("PUT", []) => created(&apis.import_api(None, &document(call)?)?),
        ("PUT", [id]) => created(&apis.reimport_api(&ApiId::new(*id), &document(call)?)?),
        ("GET", []) => call.page(&apis.list_apis()),
        ("GET", [id]) => ok(&apis.get_api(&ApiId::new(*id))?),
        ("PATCH", [id]) => ok(&apis.update_api(&ApiId::new(*id), call.input()?)?),
        ("DELETE", [id]) => no_content(apis.delete_api(&ApiId::new(*id))?),
        _ => Err(CallFailure::Unknown),
    }
}

/// Parses the OpenAPI document of an import, which must be JSON.
fn document(call: &ApiCall) -> Result<Value, CallFailure> {
    #[derive(serde::Deserialize)]
    struct Import {
        body: String,
    }
    let Import { body } = call.input()?;
    let refuse = |wrong| ApiError::bad_request(format!("Unable to parse the document: {wrong}"));
    Ok(serde_json::from_str(&body).map_err(refuse)?)
}

fn route(apis: &Apis, call: &ApiCall, api: &ApiId, path: &[&str]) -> CallResult {
    let id = RouteId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_route(api, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_routes(api)?),
        ("GET", [_]) => ok(&apis.get_route(api, &id)?),
        ("PATCH", [_]) => ok(&apis.update_route(api, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_route(api, &id)?),
        ("DELETE", [_, "requestparameters", key]) => {
            no_content(apis.delete_route_request_parameter(api, &id, key)?)
        }
        (_, [_, "routeresponses", rest @ ..]) => route_response(apis, call, api, &id, rest),
        _ => Err(CallFailure::Unknown),
    }
}

fn route_response(
    apis: &Apis,
    call: &ApiCall,
    api: &ApiId,
    route: &RouteId,
    path: &[&str],
) -> CallResult {
    let id = RouteResponseId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_route_response(api, route, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_route_responses(api, route)?),
        ("GET", [_]) => ok(&apis.get_route_response(api, route, &id)?),
        ("PATCH", [_]) => ok(&apis.update_route_response(api, route, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_route_response(api, route, &id)?),
        _ => Err(CallFailure::Unknown),
    }
}

fn integration(apis: &Apis, call: &ApiCall, api: &ApiId, path: &[&str]) -> CallResult {
    let id = IntegrationId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_integration(api, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_integrations(api)?),
        ("GET", [_]) => ok(&apis.get_integration(api, &id)?),
        ("PATCH", [_]) => ok(&apis.update_integration(api, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_integration(api, &id)?),
        (_, [_, "integrationresponses", rest @ ..]) => {
            integration_response(apis, call, api, &id, rest)
        }
        _ => Err(CallFailure::Unknown),
    }
}

fn integration_response(
    apis: &Apis,
    call: &ApiCall,
    api: &ApiId,
    of: &IntegrationId,
    path: &[&str],
) -> CallResult {
    let id = IntegrationResponseId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_integration_response(api, of, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_integration_responses(api, of)?),
        ("GET", [_]) => ok(&apis.get_integration_response(api, of, &id)?),
        ("PATCH", [_]) => ok(&apis.update_integration_response(api, of, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_integration_response(api, of, &id)?),
        _ => Err(CallFailure::Unknown),
    }
}

fn authorizer(apis: &Apis, call: &ApiCall, api: &ApiId, path: &[&str]) -> CallResult {
    let id = AuthorizerId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_authorizer(api, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_authorizers(api)?),
        ("GET", [_]) => ok(&apis.get_authorizer(api, &id)?),
        ("PATCH", [_]) => ok(&apis.update_authorizer(api, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_authorizer(api, &id)?),
        _ => Err(CallFailure::Unknown),
    }
}

fn model(apis: &Apis, call: &ApiCall, api: &ApiId, path: &[&str]) -> CallResult {
    let id = ModelId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_model(api, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_models(api)?),
        ("GET", [_]) => ok(&apis.get_model(api, &id)?),
        ("PATCH", [_]) => ok(&apis.update_model(api, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_model(api, &id)?),
        _ => Err(CallFailure::Unknown),
    }
}

fn deployment(apis: &Apis, call: &ApiCall, api: &ApiId, path: &[&str]) -> CallResult {
    let id = DeploymentId::new(path.first().copied().unwrap_or_default());
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_deployment(api, None, call.input()?)?),
        ("GET", []) => call.page(&apis.list_deployments(api)?),
        ("GET", [_]) => ok(&apis.get_deployment(api, &id)?),
        ("PATCH", [_]) => ok(&apis.update_deployment(api, &id, call.input()?)?),
        ("DELETE", [_]) => no_content(apis.delete_deployment(api, &id)?),
        _ => Err(CallFailure::Unknown),
    }
}

fn stage(apis: &Apis, call: &ApiCall, api: &ApiId, path: &[&str]) -> CallResult {
    match (call.method.as_str(), path) {
        ("POST", []) => created(&apis.create_stage(api, call.input()?)?),
        ("GET", []) => call.page(&apis.list_stages(api)?),
        ("GET", [name]) => ok(&apis.get_stage(api, name)?),
        ("PATCH", [name]) => ok(&apis.update_stage(api, name, call.input()?)?),
        ("DELETE", [name]) => no_content(apis.delete_stage(api, name)?),
        ("DELETE", [name, "accesslogsettings"]) => {
            no_content(apis.delete_access_log_settings(api, name)?)
        }
        ("DELETE", [name, "routesettings", key]) => {
            no_content(apis.delete_route_settings(api, name, key)?)
        }
        ("DELETE", [name, "cache", "authorizers"]) => {
            apis.get_stage(api, name)?;
            no_content(())
        }
        _ => Err(CallFailure::Unknown),
    }
}

/// Reads or changes the tags of an API, `arn:aws:apigateway:{region}::/apis/{api}`, or of a stage,
/// `…/apis/{api}/stages/{stage}`.
fn tags(apis: &Apis, call: &ApiCall, arn: &str) -> CallResult {
    #[derive(serde::Deserialize)]
    struct Tagging {
        #[serde(default)]
        tags: Pairs,
    }
    let no_such = || ApiError::not_found(format!("Invalid resource ARN specified {arn}"));
    let (_, path) = arn.split_once("::/apis/").ok_or_else(no_such)?;
    let (api, stage) = match path.split_once("/stages/") {
        Some((api, stage)) => (ApiId::new(api), Some(stage)),
        None => (ApiId::new(path), None),
    };
    match call.method.as_str() {
        "POST" => {
            apis.tag(&api, stage, call.input::<Tagging>()?.tags)?;
            created(&json!({}))
        }
        "DELETE" => no_content(apis.untag(&api, stage, &call.query_values("tagKeys"))?),
        "GET" => {
            let tags = match stage {
                Some(stage) => apis.get_stage(&api, stage)?.tags.clone(),
                None => apis.get_api(&api)?.tags.clone(),
            };
            ok(&json!({ "tags": tags }))
        }
        _ => Err(CallFailure::Unknown),
    }
}
