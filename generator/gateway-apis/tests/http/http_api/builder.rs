//! Shared parts of the tests of HTTP APIs: an API before and after it is served.

use std::future::{pending, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use stackgen_gateway_apis::apis::{
    ProtocolType, ServedStage, Snapshot, StoredIntegration, StoredRoute, StoredStage,
};
use stackgen_gateway_apis::{DataPlane, http_api};
use stackgen_gateway_common::invoke::{Invocation, InvocationOutcome, Invoke, InvokeError};
use stackgen_gateway_common::{ApiId, ArnScope, Event, EventReceiver, Grants};

use crate::apis;
use crate::support::{self, Functions, Lines, returned};

/// An HTTP API before it is served.
pub(crate) struct HttpApiBuilder {
    pub(crate) snapshot: Snapshot,
    pub(crate) stage: StoredStage,
}

/// A running HTTP API.
pub(crate) struct RunningApi {
    pub(crate) address: SocketAddr,
    pub(crate) plane: Arc<DataPlane>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) calls: Arc<Mutex<Vec<Invocation>>>,
    events: EventReceiver,
}

/// Allows everything, except for the access key `NOBODY`.
struct AllExceptNobody;

impl Grants for AllExceptNobody {
    fn allows(&self, access_key: &str, _: &str, _: &str) -> bool {
        access_key != "NOBODY"
    }
}

impl HttpApiBuilder {
    /// Returns an API with a `$default` stage, and these routes to the function `f` in format 2.0.
    pub(crate) fn with_routes(routes: &[&str]) -> Self {
        let mut builder = HttpApiBuilder {
            snapshot: support::snapshot(support::api("http1", ProtocolType::Http)),
            stage: support::stage("$default"),
        };
        for key in routes {
            builder.route(key, |_, _| ());
        }
        builder
    }

    /// Adds a route, and changes it and its integration.
    pub(crate) fn route(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut StoredRoute, &mut StoredIntegration),
    ) {
        let id = format!("int{}", self.snapshot.routes.len());
        let mut integration = StoredIntegration {
            integration_uri: Some(ArnScope::default().function("f").to_string()),
            timeout_in_millis: 30_000,
            payload_format_version: Some("2.0".to_owned()),
            ..apis::integration(&id, "f")
        };
        let integration_id = integration.integration_id.clone();
        let mut route = apis::route(key, key, &integration_id);
        change(&mut route, &mut integration);
        let snapshot = &mut self.snapshot;
        snapshot
            .routes
            .insert(route.route_key.clone(), Arc::new(route));
        let integration = Arc::new(integration);
        snapshot.integrations.insert(integration_id, integration);
    }

    /// Serves the API with test doubles.
    pub(crate) async fn start(self, functions: Functions) -> RunningApi {
        let calls = Arc::clone(&functions.calls);
        self.run(functions, calls).await
    }

    /// Serves the API with functions that record their calls in `calls`.
    pub(crate) async fn run(
        self,
        functions: impl Invoke,
        calls: Arc<Mutex<Vec<Invocation>>>,
    ) -> RunningApi {
        let (plane, lines) = support::plane(functions);
        let api = ApiId::new("http1");
        let served = ServedStage {
            stage: Arc::new(self.stage),
            snapshot: Some(Arc::new(self.snapshot)),
        };
        plane.apis.serve(&api, served);
        let events = plane.events.subscribe();
        let router = http_api::router(api, Arc::clone(&plane), Arc::new(AllExceptNobody));
        let address = support::serve(router).await;
        RunningApi {
            address,
            plane,
            lines,
            calls,
            events,
        }
    }

    /// Serves the API with a function that returns this value.
    pub(crate) async fn returning(self, answer: Value) -> RunningApi {
        self.start(always(answer)).await
    }
}

impl RunningApi {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Response<Bytes> {
        support::get(&self.url(path)).await
    }

    /// Sends a GET request with one header.
    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Response<Bytes> {
        let request = Request::get(self.url(path)).header(name, value);
        support::send(request.body("").unwrap()).await
    }

    /// Returns the number of calls of functions.
    pub(crate) fn call_count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    pub(crate) fn last_call(&self) -> Invocation {
        self.calls.lock().unwrap().last().unwrap().clone()
    }

    /// Returns the event of the last call.
    pub(crate) fn last_event(&self) -> Value {
        serde_json::from_slice(&self.last_call().payload).unwrap()
    }

    /// Waits for the next request event, and returns its path, route, status and reason.
    pub(crate) async fn next_event(&mut self) -> (String, Option<String>, u16, Option<String>) {
        let Event::Request {
            path,
            route,
            status,
            reason,
            ..
        } = self.events.recv().await.unwrap()
        else {
            panic!("the event is not a request");
        };
        (path, route.map(|key| key.to_string()), status, reason)
    }
}

type FunctionAnswer = BoxFuture<'static, Result<InvocationOutcome, InvokeError>>;

/// Returns functions that all return this value.
pub(crate) fn always(answer: Value) -> Functions {
    Functions::new(move |_| Box::pin(ready(Ok(returned(answer.to_string())))))
}

/// Returns functions that answer by their name.
pub(crate) fn by_name(
    answer: impl Fn(&str) -> FunctionAnswer + Send + Sync + 'static,
) -> Functions {
    Functions::new(move |invocation| answer(&invocation.function.name))
}

pub(crate) fn succeed(answer: Value) -> FunctionAnswer {
    Box::pin(ready(Ok(returned(answer.to_string()))))
}

pub(crate) fn fail(message: &str) -> FunctionAnswer {
    let error = json!({"errorMessage": message, "errorType": "Error"});
    let outcome = InvocationOutcome {
        failed: true,
        ..returned(error.to_string())
    };
    Box::pin(ready(Ok(outcome)))
}

pub(crate) fn never_answer() -> FunctionAnswer {
    Box::pin(pending())
}

pub(crate) fn refused(response: &Response<Bytes>) -> (StatusCode, &str) {
    (
        response.status(),
        std::str::from_utf8(response.body()).unwrap(),
    )
}
