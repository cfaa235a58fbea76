//! Data plane of HTTP APIs: routes, authorizers, functions, CORS.
//!
//! Only Lambda proxy integrations are supported. A route with another integration (a URL or an AWS service) answers
//! 500, and its event has the reason. Parameter mappings are not applied.

mod authorize;
mod cors;
mod integration;
mod log;
mod payload;
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
use stackgen_gateway_common::Grants;
use stackgen_gateway_common::{ApiId, Event, body};

use self::authorize::{Keys, Results};
use self::log::Trail;
use self::refusal::Refusal;
use self::request::{Place, Request};
use crate::apis::{Served, Snapshot};
use crate::throttle::Throttles;

use crate::DataPlane;

/// Maximum size of a body, in bytes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// Returns the router of an HTTP API's port. Paths start with the stage name, except those of the `$default` stage.
pub fn router(api: ApiId, plane: Arc<DataPlane>, grants: Arc<dyn Grants>) -> Router {
    let api = HttpApi {
        api,
        plane,
        grants,
        throttles: Throttles::default(),
        keys: Keys::default(),
        results: Results::default(),
    };
    Router::new().fallback(handle).with_state(Arc::new(api))
}

struct HttpApi {
    api: ApiId,
    plane: Arc<DataPlane>,
    grants: Arc<dyn Grants>,
    throttles: Throttles,
    /// Cached keys of issuers.
    keys: Keys,
    /// Cached results of Lambda authorizers.
    results: Results,
}

/// A request whose stage was found, with the data to answer it.
#[derive(Clone, Copy)]
struct Exchange<'a> {
    api: &'a HttpApi,
    served: &'a Served,
    snapshot: &'a Snapshot,
    request: &'a Request,
    /// Path as sent, without the stage.
    path: &'a str,
}

async fn handle(State(api): State<Arc<HttpApi>>, request: extract::Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let method = parts.method.clone();
    let shown = shown(&parts.uri);
    let (request, place) = Request::read(&parts, &api);
    let mut trail = Trail::default();
    let answer = api.answer(request, place, body, &mut trail).await;
    let mut response = answer.unwrap_or_else(|refusal| {
        let response = refusal.response();
        trail.refused = Some(refusal);
        response
    });
    api.finish(&mut response, &trail, started);
    api.plane.events.tell(|| Event::Request {
        api: api.api.clone(),
        method: method.to_string(),
        path: shown,
        route: trail.route.clone(),
        status: response.status().as_u16(),
        reason: trail.refused.map(|refusal| refusal.reason),
        took: started.elapsed(),
    });
    response.map(Body::from)
}

impl HttpApi {
    async fn answer(
        &self,
        mut request: Request,
        place: Option<Place>,
        body: Body,
        trail: &mut Trail,
    ) -> Result<http::Response<Bytes>, Refusal> {
        let Some(place) = place else {
            trail.request = Some(request);
            return Err(Refusal::not_found("no stage of this API serves this path"));
        };
        let body = body::whole(body, LARGEST_BODY).await;
        let too_large = body.is_err();
        request.set_body(body.unwrap_or_default());
        let request = trail.request.insert(request);
        let served = Arc::clone(trail.served.insert(place.served));
        let Some(snapshot) = &served.snapshot else {
            return Err(Refusal::not_found("the stage has no deployment"));
        };
        if too_large {
            return Err(Refusal::too_large());
        }
        let exchange = Exchange {
            api: self,
            served: &served,
            snapshot,
            request,
            path: &place.path,
        };
        let matched = route::select(snapshot.routes.values(), &request.method, &place.path);
        let Some(matched) = matched else {
            return match exchange.preflight() {
                Some(answer) => Ok(answer),
                None => Err(Refusal::not_found("no route of the deployment matches")),
            };
        };
        trail.route = Some(matched.route.route_key.clone());
        if !self
            .throttles
            .admit(&served.stage, &matched.route.route_key, Instant::now())
        {
            return Err(Refusal::too_many());
        }
        let authorized = exchange.authorize(&matched).await?;
        trail.authorized = authorized;
        if let Some(answer) = exchange.preflight() {
            return Ok(answer);
        }
        exchange
            .integrate(&matched, &trail.authorized, &mut trail.integration)
            .await
    }

    /// Adds common headers to a response, and writes the access log.
    fn finish(&self, response: &mut http::Response<Bytes>, trail: &Trail, started: Instant) {
        let Some(request) = &trail.request else {
            return;
        };
        // A request ID is base64, a valid header value.
        if let Ok(id) = HeaderValue::from_str(&request.id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        let Some(served) = &trail.served else {
            return;
        };
        let cors = served
            .snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.api.cors_configuration.as_ref());
        if let Some(cors) = cors {
            cors::apply(cors, request, response);
        }
        trail.write(self, &served.stage, request, response, started);
    }
}

impl Exchange<'_> {
    /// Returns API Gateway's own answer to a preflight request, if the API has a CORS configuration.
    fn preflight(&self) -> Option<http::Response<Bytes>> {
        let asks =
            self.snapshot.api.cors_configuration.is_some() && cors::is_preflight(self.request);
        asks.then(|| {
            let mut answer = http::Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        })
    }

    /// Returns the ARN `…:{api}/{stage}/{rest}`, which policies of functions and authorizers refer to.
    fn arn(&self, rest: std::fmt::Arguments<'_>) -> String {
        let (api, stage) = (&self.api.api, &self.served.stage.stage_name);
        let place = &self.api.plane.settings.place;
        place.execute_api(format_args!("{api}/{stage}/{rest}"))
    }
}

/// Returns the path for display. The values of query parameters are left out, because they may be tokens.
fn shown(uri: &http::Uri) -> String {
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
