//! Data plane of WebSocket APIs: handshakes, messages, disconnects.

mod answer;
mod authorizer;
mod call_trace;
mod client;
mod close;
mod endpoint;
mod error_frame;
mod evidence;
mod failure;
mod failure_records;
mod frames;
mod handshake;
mod integration;
mod log;
mod mapping;
mod message;
mod models;
mod payloads;
mod principal;
mod proxy_response;
mod refusal;
mod request;
mod selection;
mod session;
mod socket;

pub use evidence::InvocationLog;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use stackgen_gateway_common::{
    ApiId, ClientEventKind, ConnectionId, EpochMillis, Event, Grants, HandshakeDetails, RouteKey,
    StageName,
};
use tokio::io::AsyncWriteExt;

use crate::DataPlane;
use crate::apis::StoredStage;
use crate::connections::OpenConnection;
use crate::server::{self, Upgrade, UpgradeHandler};
use crate::throttle::Throttles;
use client::Client;
use handshake::{AcceptedHandshake, HandshakeDecision};
use log::LoggedStatus;
use models::ModelValidators;
use payloads::{EventType, RequestContext, RequestStamp};
use refusal::WebSocketRefusal;
use request::HandshakeRequest;
use socket::Socket;

/// A WebSocket API on its port.
pub struct WebSocketApi {
    plane: Arc<DataPlane>,
    api: ApiId,
    grants: Arc<dyn Grants>,
    throttles: Throttles,
    models: ModelValidators,
}

impl UpgradeHandler for WebSocketApi {
    fn serve(self: Arc<Self>, upgrade: Box<Upgrade>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Boxed, so that an open connection does not hold the memory of its handshake.
            let accepted = Box::pin(self.accept(upgrade)).await;
            if let Some((client, socket)) = accepted {
                session::run(self, client, socket).await;
            }
        })
    }

    fn stop(&self) {
        self.plane.connections.stop(&self.api);
    }
}

impl WebSocketApi {
    /// Creates the data plane of an API. `grants` authorizes callers if `$connect` has IAM authorization (row A14).
    pub fn new(plane: Arc<DataPlane>, api: ApiId, grants: Arc<dyn Grants>) -> Arc<Self> {
        Arc::new(WebSocketApi {
            plane,
            api,
            grants,
            throttles: Throttles::default(),
            models: ModelValidators::default(),
        })
    }

    async fn accept(&self, upgrade: Box<Upgrade>) -> Option<(Arc<Client>, Box<Socket>)> {
        let started = Instant::now();
        let Upgrade {
            head,
            mut stream,
            rest,
            peer,
            shutdown,
        } = *upgrade;
        let request = HandshakeRequest::new(head, peer, stream.local_addr().ok()?, stream.scheme());
        let stamp = RequestStamp::now();
        let mut client = self.client(&request, &stamp);
        let stage = client.connection.stage.as_str();
        let served = self.plane.apis.served(&self.api, stage);
        let HandshakeDecision { mut trace, answer } =
            handshake::decide(self, served.as_deref(), &request, &client, &stamp).await;
        client.principal = trace.principal.take();
        client.federated = trace.federated.take();
        self.log(
            served.as_deref().map(|it| &*it.stage),
            &client,
            &stamp,
            answer.as_ref().err(),
        );
        self.record_handshake(&request, &client, &answer);
        let details = Box::new(HandshakeDetails {
            request_id: stamp.request_id.clone(),
            connect: trace.call.take(),
            ..request.into_details(served.as_deref())
        });
        let accepted = match answer {
            Ok(accepted) => accepted,
            Err(refusal) => {
                // Recorded before the answer is sent, because the client may look it up at once.
                failure_records::handshake(self, served.as_deref(), &client, trace, &refusal);
                let answer = refusal.render(client.connection.id.as_str(), &stamp.request_id);
                self.report_refused(&client, refusal, details, started);
                let _ = stream.write_all(answer.as_bytes()).await;
                server::close_gracefully(&mut stream).await;
                return None;
            }
        };
        let client = Arc::new(client);
        let connection = &client.connection;
        // Inserted before the answer is sent, because the client may pass its connection ID on at once (row C11).
        self.plane.connections.insert(Arc::clone(connection));
        if shutdown.is_cancelled() {
            connection.stop();
        }
        let accepted = accepted.render(&stamp.request_id);
        // If the client is gone by now, the session notices it and calls `$disconnect`.
        let _ = stream.write_all(accepted.as_bytes()).await;
        self.report_connected(&client, details, started);
        let limits = &self.plane.settings.limits;
        let traffic = self.plane.traffic.clone();
        let socket = Socket::new(stream, rest, Arc::clone(connection), traffic, limits).await;
        Some((client, Box::new(socket)))
    }

    /// Sends the handshake and its answer to a recorder.
    fn record_handshake(
        &self,
        request: &HandshakeRequest,
        client: &Client,
        answer: &Result<AcceptedHandshake, WebSocketRefusal>,
    ) {
        let traffic = &self.plane.traffic;
        traffic.send(&client.connection.id, || {
            let mut handshake = request.observed(&self.api);
            match answer {
                Ok(accepted) => handshake.subprotocol = accepted.protocol.clone(),
                Err(refusal) => handshake.status = refusal.status,
            }
            ClientEventKind::Handshake(handshake)
        });
    }

    /// Returns the client of a handshake, which is not connected yet.
    fn client(&self, request: &HandshakeRequest, stamp: &RequestStamp) -> Client {
        let (stage, _) = request.stage();
        let connection = OpenConnection::new(
            ConnectionId::generate(),
            self.api.clone(),
            StageName::new(stage),
            request.peer.ip(),
            request.header("user-agent").map(str::to_owned),
            EpochMillis::now(),
            self.plane.settings.limits.client_buffer,
        );
        Client {
            connection: Arc::new(connection),
            handshake_id: stamp.request_id.clone(),
            domain: request.local.to_string(),
            federated: None,
            principal: None,
        }
    }

    fn report_connected(
        &self,
        client: &Client,
        handshake: Box<HandshakeDetails>,
        started: Instant,
    ) {
        let connection = &client.connection;
        self.plane.events.send(Event::Connected {
            api: self.api.clone(),
            stage: connection.stage.clone(),
            connection: connection.id.clone(),
            principal: client.principal.as_ref().map(|it| it.id.clone()),
            handshake,
            took: started.elapsed(),
        });
    }

    fn report_refused(
        &self,
        client: &Client,
        refusal: WebSocketRefusal,
        handshake: Box<HandshakeDetails>,
        started: Instant,
    ) {
        let connection = &client.connection;
        self.plane.events.send(Event::Refused {
            api: self.api.clone(),
            stage: connection.stage.clone(),
            connection: connection.id.clone(),
            status: refusal.status,
            reason: refusal.reason,
            row: refusal.row,
            evidence: refusal.evidence.map(|it| *it),
            handshake,
            took: started.elapsed(),
        });
    }

    fn log(
        &self,
        stage: Option<&StoredStage>,
        client: &Client,
        stamp: &RequestStamp,
        error: Option<&WebSocketRefusal>,
    ) {
        let Some(stage) = stage else { return };
        let key = RouteKey::CONNECT;
        let context = RequestContext::new(client, EventType::Connect, key, stamp.clone());
        let status = LoggedStatus {
            code: error.map_or(200, |it| it.status),
            error: error.map(|it| it.message.as_str()),
        };
        log::write(self, stage, &context, status);
    }

    /// Returns the ARN `arn:…:execute-api:…:{api}/{path}`.
    fn arn(&self, path: impl fmt::Display) -> String {
        let scope = &self.plane.settings.scope;
        scope.execute_api(format_args!("{}/{path}", self.api))
    }

    /// Returns the ARN of a stage's route (row A13).
    fn route_arn(&self, stage: &StageName, route: impl fmt::Display) -> String {
        self.arn(format_args!("{stage}/{route}"))
    }
}
