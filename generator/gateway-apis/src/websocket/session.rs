//! A connection from its handshake to its `$disconnect`.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use stackgen_gateway_common::{ClientEventKind, EpochMillis, Event, Limits, RouteKey, trace_id};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::WebSocketApi;
use super::call_trace::CallTrace;
use super::client::Client;
use super::close::CloseCause;
use super::failure_records;
use super::integration::IntegrationCall;
use super::log::{self, LoggedStatus};
use super::message;
use super::payloads::{self, EventType, RequestContext, RequestStamp};
use super::socket::{CLOSE_TIMEOUT, Socket, SocketEvent};

/// Maximum number of messages that are read ahead while functions are busy.
const MAX_WAITING: usize = 32;

/// Maximum number of bytes that are read ahead.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// Messages of a connection that wait or are being handled.
struct PendingMessages {
    api: Arc<WebSocketApi>,
    client: Arc<Client>,
    waiting: VecDeque<Utf8Bytes>,
    waiting_bytes: usize,
    running: FuturesUnordered<BoxFuture<'static, Option<Bytes>>>,
}

impl PendingMessages {
    fn new(api: &Arc<WebSocketApi>, client: &Arc<Client>) -> Self {
        PendingMessages {
            api: Arc::clone(api),
            client: Arc::clone(client),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            running: FuturesUnordered::new(),
        }
    }

    fn push(&mut self, text: Utf8Bytes) {
        self.waiting_bytes += text.len();
        self.waiting.push_back(text);
    }

    /// Starts waiting messages in order, as far as the limit allows.
    fn start(&mut self) {
        let at_a_time = self.api.plane.settings.limits.messages_at_a_time.max(1);
        while self.running.len() < at_a_time {
            let Some(text) = self.waiting.pop_front() else {
                // An idle connection does not keep the memory of a burst.
                if self.waiting.capacity() > MAX_WAITING {
                    self.waiting = VecDeque::new();
                }
                return;
            };
            self.waiting_bytes -= text.len();
            let handled = message::handle(Arc::clone(&self.api), Arc::clone(&self.client), text);
            self.running.push(Box::pin(handled));
        }
    }

    fn can_read(&self) -> bool {
        self.waiting.len() < MAX_WAITING && self.waiting_bytes < MAX_WAITING_BYTES
    }

    /// Waits for the next handled message, and returns its answer. Never returns while no message is being handled.
    async fn next_answer(&mut self) -> Option<Bytes> {
        match self.running.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Handles all received messages. The client is gone, so answers are dropped.
    async fn handle_remaining(&mut self) {
        self.start();
        while self.running.next().await.is_some() {
            self.start();
        }
    }
}

/// Serves a connection until it ends.
pub(super) async fn run(api: Arc<WebSocketApi>, client: Arc<Client>, mut socket: Box<Socket>) {
    let mut messages = PendingMessages::new(&api, &client);
    let cause = transfer(&api, &client, &mut socket, &mut messages).await;
    record_close(&api, &client, &cause);
    api.plane.connections.remove(&client.connection.id);
    // Recorded before the client gets the close frame, because it may look it up at once.
    failure_records::close(&api, &client, &cause);
    Box::pin(socket.close(&cause)).await;
    let details = cause.details();
    let connection = &client.connection;
    api.plane.events.send(Event::Closed {
        connection: connection.id.clone(),
        code: details.code,
        reason: details.reason.clone(),
        meaning: details.meaning,
        row: details.row,
        age: EpochMillis::now().since(connection.connected_at),
    });
    // `$disconnect` runs after the connection's messages.
    Box::pin(messages.handle_remaining()).await;
    Box::pin(disconnect(&api, &client, &cause)).await;
}

/// Sends the end of the connection to a recorder. The end of the gateway is no event of the client.
fn record_close(api: &WebSocketApi, client: &Client, cause: &CloseCause) {
    if *cause == CloseCause::Stopped {
        return;
    }
    let traffic = &api.plane.traffic;
    traffic.send(&client.connection.id, || {
        let details = cause.details();
        let by_client = matches!(cause, CloseCause::Client(_) | CloseCause::Lost);
        ClientEventKind::Closed {
            by_client,
            code: details.code,
            reason: details.reason,
        }
    });
}

/// Transfers messages in both directions until the connection ends.
async fn transfer(
    api: &WebSocketApi,
    client: &Client,
    socket: &mut Socket,
    messages: &mut PendingMessages,
) -> CloseCause {
    let limits = &api.plane.settings.limits;
    let opened = Instant::now();
    let mut active = opened;
    let mut closing = None;
    let mut timer = pin!(sleep_until(opened + limits.idle.min(limits.connection)));
    loop {
        // A client that does not read its answers gets no more of them, and in the end cannot send messages either
        // (row K7).
        if client.connection.has_room() {
            messages.start();
        }
        let reading = messages.can_read();
        tokio::select! {
            event = poll_fn(|cx| socket.poll(cx, reading)) => match event {
                SocketEvent::Text(text) => {
                    client.connection.touch(EpochMillis::now());
                    active = Instant::now();
                    messages.push(text);
                }
                SocketEvent::Flushed => active = Instant::now(),
                SocketEvent::CloseRequested(cause) => {
                    closing = Some(cause);
                    timer.as_mut().reset(Instant::now() + CLOSE_TIMEOUT);
                }
                SocketEvent::Ended(cause) => return cause,
            },
            answer = messages.next_answer() => {
                if let Some(answer) = answer {
                    client.connection.answer(answer);
                }
            }
            () = timer.as_mut() => match closing.take() {
                Some(cause) => return cause,
                None => match next_check(limits, opened, active) {
                    Ok(next) => timer.as_mut().reset(next),
                    Err(cause) => return cause,
                },
            },
        }
    }
}

/// Returns the time of the next check for idle or old connections (rows M13, M14).
fn next_check(limits: &Limits, opened: Instant, active: Instant) -> Result<Instant, CloseCause> {
    let now = Instant::now();
    let (old, idle) = (opened + limits.connection, active + limits.idle);
    if now >= old {
        return Err(CloseCause::TooOld);
    }
    if now >= idle {
        return Err(CloseCause::Idle);
    }
    Ok(old.min(idle))
}

/// Calls the `$disconnect` function, if there is one (row M18). A failure has no effect on the connection.
async fn disconnect(api: &WebSocketApi, client: &Client, cause: &CloseCause) {
    let stage = client.connection.stage.as_str();
    let Some(served) = api.plane.apis.served(&api.api, stage) else {
        return;
    };
    let details = cause.details();
    let stamp = RequestStamp::now();
    let trace_id = trace_id(stamp.at.as_millis() / 1000);
    let mut context =
        RequestContext::new(client, EventType::Disconnect, RouteKey::DISCONNECT, stamp);
    context.disconnect_status_code = Some(details.code);
    context.disconnect_reason = Some(details.reason);
    let snapshot = served.snapshot.as_deref();
    let found = snapshot.and_then(|it| Some((it, it.route(RouteKey::DISCONNECT)?)));
    let mut code = 200;
    let started = Instant::now();
    if let Some((snapshot, route)) = found {
        let event = payloads::disconnect(&context, &served.stage.stage_variables);
        let called = CallTrace::default();
        let call = IntegrationCall {
            api,
            served: &served,
            snapshot,
            route,
            context: &context,
            handshake: None,
            body: "",
            trace: &called,
        };
        let failed = match call.run(event, trace_id).await {
            Ok(answer) => {
                let (_, reported) = answer.into_body().await;
                reported.map(|failure| (failure.reason(), Some(failure.evidence)))
            }
            Err(failure) => {
                code = 500;
                Some((failure.reason, failure.evidence.map(|it| *it)))
            }
        };
        let connection = client.connection.id.clone();
        api.plane.events.send(match failed {
            Some((reason, evidence)) => Event::DisconnectFailed {
                connection,
                reason,
                evidence,
            },
            None => Event::Disconnected {
                connection,
                call: called.into_call(),
                took: started.elapsed(),
            },
        });
    }
    log::write(
        api,
        &served.stage,
        &context,
        LoggedStatus { code, error: None },
    );
}
