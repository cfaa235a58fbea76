//! Shared parts of the tests: routers on loopback, a plain HTTP client, test doubles of functions.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::apis::Apis;
use stackgen_gateway_apis::connections::OpenConnections;
use stackgen_gateway_apis::server::{self, ServerRoutes};
use stackgen_gateway_common::invoke::{Invocation, InvocationOutcome, Invoke, InvokeError};
use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::{EpochMillis, Events, Settings};
use tokio_util::sync::CancellationToken;

pub(crate) use crate::apis::{api, snapshot, stage};

/// Serves a router like an API, until the test's runtime ends.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = server::listen(None).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(
        listener,
        CancellationToken::new(),
        None,
        ServerRoutes {
            websocket: None,
            http: router,
        },
    ));
    address
}

/// Sends a request and reads the whole response.
pub(crate) async fn send(request: Request<impl Into<Bytes>>) -> Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = request.map(|body| Full::new(body.into()));
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// Sends a GET request.
pub(crate) async fn get(url: &str) -> Response<Bytes> {
    send(Request::get(url).body("").unwrap()).await
}

/// Returns an empty data plane with these functions, and the lines that are written to its logs.
pub(crate) fn plane(functions: impl Invoke) -> (Arc<DataPlane>, Arc<Lines>) {
    let lines = Arc::new(Lines::default());
    let plane = DataPlane {
        settings: Arc::new(Settings::default()),
        apis: Arc::new(Apis::default()),
        functions: Arc::new(functions),
        services: Arc::new(stackgen_gateway_common::services::NoServices),
        endpoints: Arc::new(stackgen_gateway_common::endpoints::NoEndpoints),
        connections: Arc::new(OpenConnections::default()),
        logs: Arc::clone(&lines) as Arc<dyn PutLogs>,
        events: Events::default(),
        traffic: stackgen_gateway_common::Traffic::default(),
        failures: stackgen_gateway_common::FailureLog::default(),
    };
    (Arc::new(plane), lines)
}

type Answer =
    dyn Fn(&Invocation) -> BoxFuture<'static, Result<InvocationOutcome, InvokeError>> + Send + Sync;

/// Functions that answer as a test defines, and record their calls.
pub(crate) struct Functions {
    answer: Box<Answer>,
    pub(crate) calls: Arc<Mutex<Vec<Invocation>>>,
}

impl Functions {
    pub(crate) fn new(
        answer: impl Fn(&Invocation) -> BoxFuture<'static, Result<InvocationOutcome, InvokeError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Functions {
            answer: Box::new(answer),
            calls: Arc::default(),
        }
    }

    /// Returns functions that must not be called.
    pub(crate) fn none() -> Self {
        Functions::new(|invocation| panic!("unexpected call of {}", invocation.function))
    }
}

impl Invoke for Functions {
    fn invoke(
        &self,
        invocation: Invocation,
    ) -> BoxFuture<'_, Result<InvocationOutcome, InvokeError>> {
        let answer = (self.answer)(&invocation);
        self.calls.lock().unwrap().push(invocation);
        answer
    }
}

/// Returns the outcome of a successful call.
pub(crate) fn returned(payload: impl Into<Bytes>) -> InvocationOutcome {
    InvocationOutcome {
        payload: payload.into(),
        failed: false,
        executed_version: "$LATEST".to_owned(),
        request_id: stackgen_gateway_common::uuid(),
        duration: Duration::ZERO,
    }
}

/// Log lines with their log groups.
#[derive(Default)]
pub(crate) struct Lines(pub(crate) Mutex<Vec<(String, String)>>);

impl PutLogs for Lines {
    fn put(&self, group: &str, _: &str, _: EpochMillis, lines: Vec<String>) {
        let lines = lines.into_iter().map(|line| (group.to_owned(), line));
        self.0.lock().unwrap().extend(lines);
    }
}
