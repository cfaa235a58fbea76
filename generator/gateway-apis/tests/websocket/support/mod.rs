//! A gateway with one API, functions in this process, and clients that read handshakes byte by byte.

mod backends;
mod client;
mod functions;
mod test_api;

pub(crate) use backends::{BackendReply, Backends};
pub(crate) use client::{ACCEPT, Client, RefusedHandshake, Response, request, send, upgrade};
pub(crate) use functions::{Functions, Reply};
pub(crate) use test_api::TestApi;

use std::sync::Arc;
use std::time::Duration;

use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::connections::OpenConnections;
use stackgen_gateway_apis::management;
use stackgen_gateway_apis::server::{ServerRoutes, listen, serve};
use stackgen_gateway_apis::websocket::WebSocketApi;
use stackgen_gateway_common::invoke::Invoke;
use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::{
    EpochMillis, Event, EventReceiver, Events, FederatedCaller, Grants, MessageOutcome, Settings,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Maximum time that a test waits for anything.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Waits for something that must happen soon.
pub(crate) async fn within_timeout<T>(what: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(TIMEOUT, what).await else {
        panic!("waited for {TIMEOUT:?}");
    };
    done
}

/// A gateway with one API.
pub(crate) struct TestGateway {
    pub(crate) port: u16,
    pub(crate) plane: Arc<DataPlane>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) backends: Arc<Backends>,
    pub(crate) shutdown: CancellationToken,
    events: EventReceiver,
    lines: UnboundedReceiver<String>,
    served: JoinHandle<()>,
}

struct Lines(UnboundedSender<String>);

impl PutLogs for Lines {
    fn put(&self, group: &str, _stream: &str, _at: EpochMillis, lines: Vec<String>) {
        for line in lines {
            let _ = self.0.send(format!("{group}: {line}"));
        }
    }
}

/// Allows everything, except for the access key `NOBODY`.
struct AllExceptNobody;

impl Grants for AllExceptNobody {
    fn allows(&self, access_key: &str, _action: &str, _resource: &str) -> bool {
        access_key != "NOBODY"
    }

    fn federated(&self, access_key: &str) -> Option<FederatedCaller> {
        (access_key == "GUEST").then(|| FederatedCaller {
            cognito_identity_pool_id: "us-east-1:pool".to_owned(),
            cognito_identity_id: "us-east-1:guest".to_owned(),
            cognito_authentication_type: "unauthenticated",
            cognito_authentication_provider: None,
            account_id: "000000000000".to_owned(),
            access_key: access_key.to_owned(),
            caller: "AROA:CognitoIdentityCredentials".to_owned(),
            user: "AROA:CognitoIdentityCredentials".to_owned(),
            user_arn: "arn:aws:sts::000000000000:assumed-role/guest/CognitoIdentityCredentials"
                .to_owned(),
        })
    }
}

/// Returns the `Authorization` header of a request that this access key signed.
pub(crate) fn signature(access_key: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/20240209/us-east-1/execute-api/aws4_request, \
         SignedHeaders=host, Signature=ab"
    )
}

impl TestGateway {
    /// Serves a stack with functions in this process.
    pub(crate) async fn start(test_api: TestApi, settings: Settings) -> Self {
        let functions = Arc::new(Functions::default());
        let invoke = Arc::clone(&functions) as Arc<dyn Invoke>;
        TestGateway::start_with(test_api, settings, functions, invoke).await
    }

    /// Serves a stack with these functions.
    pub(crate) async fn start_with(
        test_api: TestApi,
        settings: Settings,
        functions: Arc<Functions>,
        invoke: Arc<dyn Invoke>,
    ) -> Self {
        let (sender, lines) = unbounded_channel();
        let backends = Arc::new(Backends::default());
        let plane = Arc::new(DataPlane {
            settings: Arc::new(settings),
            apis: Arc::default(),
            functions: invoke,
            services: Arc::clone(&backends) as _,
            endpoints: Arc::clone(&backends) as _,
            connections: Arc::new(OpenConnections::default()),
            logs: Arc::new(Lines(sender)),
            events: Events::default(),
            traffic: stackgen_gateway_common::Traffic::default(),
            failures: stackgen_gateway_common::FailureLog::default(),
        });
        let api = test_api.api();
        test_api.serve(&plane);
        let listener = listen(None).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shutdown = CancellationToken::new();
        let events = plane.events.subscribe();
        let grants = Arc::new(AllExceptNobody) as Arc<dyn Grants>;
        let websocket = WebSocketApi::new(Arc::clone(&plane), api.clone(), Arc::clone(&grants));
        let http = management::router(api, Arc::clone(&plane), grants);
        let served = tokio::spawn(serve(
            listener,
            shutdown.clone(),
            None,
            ServerRoutes {
                websocket: Some(websocket),
                http,
            },
        ));
        TestGateway {
            port,
            plane,
            functions,
            backends,
            shutdown,
            events,
            lines,
            served,
        }
    }

    /// Connects to the stage `prod`, which must accept the handshake.
    pub(crate) async fn connect(&self) -> Client {
        self.handshake("/prod", &[]).await.unwrap()
    }

    /// Performs a handshake.
    pub(crate) async fn handshake(
        &self,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Client, RefusedHandshake> {
        client::handshake(self.port, target, headers).await
    }

    /// Returns the status of a handshake.
    pub(crate) async fn status(&self, target: &str, headers: &[(&str, &str)]) -> u16 {
        match self.handshake(target, headers).await {
            Ok(_) => 101,
            Err(refused) => refused.status,
        }
    }

    /// Sends bytes and reads the response.
    pub(crate) async fn raw(&self, request: &[u8]) -> Response {
        client::raw(self.port, request).await
    }

    /// Waits for the next event that matches.
    pub(crate) async fn event<T>(&mut self, fits: impl Fn(&Event) -> Option<T>) -> T {
        within_timeout(async {
            loop {
                if let Some(found) = fits(&self.events.recv().await.unwrap()) {
                    return found;
                }
            }
        })
        .await
    }

    /// Waits for the next refusal, and returns its status, row and reason.
    pub(crate) async fn refusal(&mut self) -> (u16, &'static str, String) {
        self.event(|event| match event {
            Event::Refused {
                status,
                row,
                reason,
                ..
            } => Some((*status, *row, reason.clone())),
            _ => None,
        })
        .await
    }

    /// Waits for the next message that failed, and returns the reason.
    pub(crate) async fn message_error(&mut self) -> String {
        self.event(|event| match event {
            Event::Message {
                outcome: MessageOutcome::Error { reason, .. },
                ..
            } => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for the next close, and returns its code, reason and row.
    pub(crate) async fn closed(&mut self) -> (u16, String, &'static str) {
        self.event(|event| match event {
            Event::Closed {
                code, reason, row, ..
            } => Some((*code, reason.clone(), *row)),
            _ => None,
        })
        .await
    }

    /// Waits for the next line of an access log.
    pub(crate) async fn line(&mut self) -> String {
        within_timeout(self.lines.recv()).await.unwrap()
    }

    /// Stops the gateway and waits until it ends.
    pub(crate) async fn stop(self) -> Arc<Functions> {
        self.shutdown.cancel();
        within_timeout(self.served).await.unwrap();
        self.functions
    }
}
