//! Data plane of HTTP APIs: routes, authorizers, functions, CORS.
//!
//! Only Lambda proxy integrations are supported. A route with another integration (a URL or an AWS service) answers
//! 500, and its event has the reason. Parameter mappings are not applied.

mod authorization;
mod authorize;
mod cors;
mod events;
mod integration;
mod log;
mod refusal;
mod request;
mod response;
mod route;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{self, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use stackgen_gateway_common::{ApiId, Event, Grants, body};

use self::authorize::{AuthorizerCache, IssuerKeys};
use self::log::RequestOutcome;
use self::refusal::HttpRefusal;
use self::request::{HttpRequest, StagePath};
use crate::DataPlane;
use crate::apis::{ServedStage, Snapshot};
use crate::throttle::Throttles;

/// Maximum size of a body, in bytes.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Returns the router of an HTTP API's port. Paths start with the stage name, except those of the `$default` stage.
pub fn router(api: ApiId, plane: Arc<DataPlane>, grants: Arc<dyn Grants>) -> Router {
    let api = HttpApi {
        api,
        plane,
        grants,
        throttles: Throttles::default(),
        keys: IssuerKeys::default(),
        results: AuthorizerCache::default(),
    };
    Router::new().fallback(handle).with_state(Arc::new(api))
}

struct HttpApi {
    api: ApiId,
    plane: Arc<DataPlane>,
    grants: Arc<dyn Grants>,
    throttles: Throttles,
    /// Cached keys of issuers.
    keys: IssuerKeys,
    /// Cached results of Lambda authorizers.
    results: AuthorizerCache,
}

/// A request whose stage was found, with the data to answer it.
#[derive(Clone, Copy)]
struct Exchange<'a> {
    api: &'a HttpApi,
    served: &'a ServedStage,
    snapshot: &'a Snapshot,
    request: &'a HttpRequest,
    /// Path as sent, without the stage.
    path: &'a str,
}

async fn handle(State(api): State<Arc<HttpApi>>, request: extract::Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let method = parts.method.clone();
    let path = path_for_display(&parts.uri);
    let (request, stage_path) = HttpRequest::read(&parts, &api);
    let mut outcome = RequestOutcome::default();
    let answer = api.answer(request, stage_path, body, &mut outcome).await;
    let mut response = answer.unwrap_or_else(|refusal| {
        let response = refusal.response();
        outcome.refused = Some(refusal);
        response
    });
    api.finish(&mut response, &outcome, started);
    api.plane.events.send(Event::Request {
        api: api.api.clone(),
        method: method.to_string(),
        path,
        route: outcome.route.clone(),
        status: response.status().as_u16(),
        reason: outcome.refused.map(|refusal| refusal.reason),
        took: started.elapsed(),
    });
    response.map(Body::from)
}

impl HttpApi {
    async fn answer(
        &self,
        mut request: HttpRequest,
        stage_path: Option<StagePath>,
        body: Body,
        outcome: &mut RequestOutcome,
    ) -> Result<http::Response<Bytes>, HttpRefusal> {
        let Some(stage_path) = stage_path else {
            outcome.request = Some(request);
            return Err(HttpRefusal::not_found(
                "no stage of this API serves this path",
            ));
        };
        let body = body::read_all(body, MAX_BODY_BYTES).await;
        let too_large = body.is_err();
        request.set_body(body.unwrap_or_default());
        let request = outcome.request.insert(request);
        let served = Arc::clone(outcome.served.insert(stage_path.served));
        let Some(snapshot) = &served.snapshot else {
            return Err(HttpRefusal::not_found("the stage has no deployment"));
        };
        if too_large {
            return Err(HttpRefusal::too_large());
        }
        let exchange = Exchange {
            api: self,
            served: &served,
            snapshot,
            request,
            path: &stage_path.path,
        };
        let matched = route::select(snapshot.routes.values(), &request.method, &stage_path.path);
        let Some(matched) = matched else {
            return match exchange.preflight() {
                Some(answer) => Ok(answer),
                None => Err(HttpRefusal::not_found("no route of the deployment matches")),
            };
        };
        outcome.route = Some(matched.route.route_key.clone());
        if !self
            .throttles
            .admit(&served.stage, &matched.route.route_key, Instant::now())
        {
            return Err(HttpRefusal::too_many());
        }
        let authorized = exchange.authorize(&matched).await?;
        outcome.authorized = authorized;
        if let Some(answer) = exchange.preflight() {
            return Ok(answer);
        }
        exchange
            .integrate(&matched, &outcome.authorized, &mut outcome.integration)
            .await
    }

    /// Adds common headers to a response, and writes the access log.
    fn finish(
        &self,
        response: &mut http::Response<Bytes>,
        outcome: &RequestOutcome,
        started: Instant,
    ) {
        let Some(request) = &outcome.request else {
            return;
        };
        // A request ID is base64, a valid header value.
        if let Ok(id) = HeaderValue::from_str(&request.id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        let Some(served) = &outcome.served else {
            return;
        };
        let cors = served
            .snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.api.cors_configuration.as_ref());
        if let Some(cors) = cors {
            cors::apply(cors, request, response);
        }
        outcome.write_access_log(self, &served.stage, request, response, started);
    }
}

impl Exchange<'_> {
    /// Returns API Gateway's own answer to a preflight request, if the API has a CORS configuration.
    fn preflight(&self) -> Option<http::Response<Bytes>> {
        let is_preflight =
            self.snapshot.api.cors_configuration.is_some() && cors::is_preflight(self.request);
        is_preflight.then(|| {
            let mut answer = http::Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        })
    }

    /// Returns the ARN `…:{api}/{stage}/{rest}`, which policies of functions and authorizers refer to.
    fn arn(&self, rest: std::fmt::Arguments<'_>) -> String {
        let (api, stage) = (&self.api.api, &self.served.stage.stage_name);
        let scope = &self.api.plane.settings.scope;
        scope.execute_api(format_args!("{api}/{stage}/{rest}"))
    }
}

/// Returns the path for display. The values of query parameters are left out, because they may be tokens.
fn path_for_display(uri: &http::Uri) -> String {
    let names = uri.query().filter(|query| !query.is_empty()).map(|query| {
        let names = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=…"),
            None => pair.to_owned(),
        });
        names.collect::<Vec<_>>().join("&")
    });
    match names {
        Some(names) => format!("{}?{names}", uri.path()),
        None => uri.path().to_owned(),
    }
}
