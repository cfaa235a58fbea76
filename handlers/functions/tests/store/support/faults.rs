//! A network with planned faults between the adapter and its tables.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_sdk_dynamodb::error::ConnectorError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use tokio::sync::Semaphore;

/// Fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None: the request succeeds.
    Through,
    /// The request does not reach the table.
    Unreachable,
    /// The request reaches the table, and the response is lost.
    AnswerLost,
    /// The request does not reach the table, and there is no response.
    Silence,
    /// The table fails with a server error, without effect.
    ServerError,
    /// The table is throttled.
    Throttled,
    /// The request conflicts with another transaction.
    Conflict,
    /// The function lacks the permission.
    Denied,
}

/// Planned faults of the next requests, and of all requests after them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    next: VecDeque<Fault>,
    then: Option<Fault>,
    requests: usize,
}

impl Faults {
    /// Plans faults for the next requests. Those after them succeed.
    pub(crate) fn plan(&self, next: impl IntoIterator<Item = Fault>) {
        let mut plan = self.0.lock().unwrap();
        (plan.next, plan.then) = (next.into_iter().collect(), None);
    }

    /// Plans this fault for all further requests.
    pub(crate) fn always(&self, fault: Fault) {
        let mut plan = self.0.lock().unwrap();
        plan.next.clear();
        plan.then = Some(fault);
    }

    /// Returns the number of requests.
    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    fn next(&self) -> Fault {
        let mut plan = self.0.lock().unwrap();
        plan.requests += 1;
        plan.next
            .pop_front()
            .or(plan.then)
            .unwrap_or(Fault::Through)
    }
}

#[derive(Debug)]
pub(crate) struct Faulty {
    inner: SharedHttpClient,
    faults: Faults,
}

impl Faulty {
    pub(crate) fn new(inner: SharedHttpClient, faults: Faults) -> Self {
        Faulty { inner, faults }
    }
}

impl HttpClient for Faulty {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(FaultyConnector {
            inner,
            faults: self.faults.clone(),
            connections: Arc::new(Semaphore::new(100)),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faults: Faults,
    /// Limits open connections: a process may often open only 1,024 files.
    connections: Arc<Semaphore>,
}

impl FaultyConnector {
    fn through(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, connections) = (self.inner.clone(), self.connections.clone());
        HttpConnectorFuture::new(async move {
            let _open = connections.acquire().await.expect("it is never closed");
            inner.call(request).await
        })
    }
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.faults.next() {
            Fault::Through => self.through(request),
            Fault::Unreachable => HttpConnectorFuture::ready(Err(broken())),
            Fault::AnswerLost => {
                let answer = self.through(request);
                HttpConnectorFuture::new(async move {
                    answer.await.expect("the table is there");
                    Err(broken())
                })
            }
            Fault::Silence => HttpConnectorFuture::new(std::future::pending()),
            Fault::ServerError => error(500, "InternalServerError", ""),
            Fault::Throttled => error(400, "ThrottlingException", ""),
            Fault::Conflict => conflict(&request),
            Fault::Denied => error(400, "AccessDeniedException", ""),
        }
    }
}

fn broken() -> ConnectorError {
    ConnectorError::io("the connection broke".into())
}

pub(super) fn conflict(request: &HttpRequest) -> HttpConnectorFuture {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    match target.ends_with(".TransactWriteItems") {
        true => {
            let reasons =
                r#", "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]"#;
            error(400, "TransactionCanceledException", reasons)
        }
        false => error(400, "TransactionConflictException", ""),
    }
}

fn error(status: u16, code: &str, more: &str) -> HttpConnectorFuture {
    let body = format!(r#"{{"__type": "com.amazonaws.dynamodb.v20120810#{code}"{more}}}"#);
    let status = status.try_into().expect("it is a status");
    HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
}
