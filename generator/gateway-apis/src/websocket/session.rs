//! A connection from its handshake to its `$disconnect`.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use stackgen_gateway_common::{Event, Limits, RouteKey, Timestamp, trace_id};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::WebSocketApi;
use super::client::Client;
use super::close::Ending;
use super::failure;
use super::integration::Call;
use super::log::{self, Status};
use super::message;
use super::payloads::{self, EventType, Moment, RequestContext};
use super::socket::{GOODBYE, Happened, Socket};

/// Maximum number of messages that are read ahead while functions are busy.
const AHEAD: usize = 32;

/// Maximum number of bytes that are read ahead.
const AHEAD_BYTES: usize = 256 * 1024;

/// Messages of a connection that wait or are being handled.
struct Messages {
    api: Arc<WebSocketApi>,
    client: Arc<Client>,
    waiting: VecDeque<Utf8Bytes>,
    waiting_bytes: usize,
    running: FuturesUnordered<BoxFuture<'static, Option<Bytes>>>,
}

impl Messages {
    fn new(api: &Arc<WebSocketApi>, client: &Arc<Client>) -> Self {
        Messages {
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
                if self.waiting.capacity() > AHEAD {
                    self.waiting = VecDeque::new();
                }
                return;
            };
            self.waiting_bytes -= text.len();
            let handled = message::handle(Arc::clone(&self.api), Arc::clone(&self.client), text);
            self.running.push(Box::pin(handled));
        }
    }

    fn may_read(&self) -> bool {
        self.waiting.len() < AHEAD && self.waiting_bytes < AHEAD_BYTES
    }

    /// Waits for the next handled message, and returns its answer. Never returns while no message is being handled.
    async fn done(&mut self) -> Option<Bytes> {
        match self.running.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Handles all received messages. The client is gone, so answers are dropped.
    async fn finish(&mut self) {
        self.start();
        while self.running.next().await.is_some() {
            self.start();
        }
    }
}

/// Serves a connection until it ends.
pub(super) async fn run(api: Arc<WebSocketApi>, client: Arc<Client>, mut socket: Box<Socket>) {
    let mut messages = Messages::new(&api, &client);
    let ending = converse(&api, &client, &mut socket, &mut messages).await;
    api.plane.connections.remove(&client.connection.id);
    // Recorded before the client gets the close frame, because it may look it up at once.
    failure::ending(&api, &client, &ending);
    Box::pin(socket.goodbye(&ending)).await;
    let told = ending.told();
    let connection = &client.connection;
    api.plane.events.tell(|| Event::Closed {
        connection: connection.id.clone(),
        code: told.code,
        reason: told.reason.clone(),
        meaning: told.meaning,
        row: told.row,
        age: Timestamp::now().since(connection.connected_at),
    });
    // `$disconnect` runs after the connection's messages.
    Box::pin(messages.finish()).await;
    Box::pin(disconnect(&api, &client, &ending)).await;
}

/// Transfers messages in both directions until the connection ends.
async fn converse(
    api: &WebSocketApi,
    client: &Client,
    socket: &mut Socket,
    messages: &mut Messages,
) -> Ending {
    let limits = &api.plane.settings.limits;
    let born = Instant::now();
    let mut active = born;
    let mut leaving = None;
    let mut alarm = pin!(sleep_until(born + limits.idle.min(limits.connection)));
    loop {
        // A client that does not read its answers gets no more of them, and in the end cannot send messages either
        // (row K7).
        if client.connection.has_room() {
            messages.start();
        }
        let reading = messages.may_read();
        tokio::select! {
            happened = poll_fn(|cx| socket.poll(cx, reading)) => match happened {
                Happened::Text(text) => {
                    client.connection.touch(Timestamp::now());
                    active = Instant::now();
                    messages.push(text);
                }
                Happened::Flushed => active = Instant::now(),
                Happened::Leaves(ending) => {
                    leaving = Some(ending);
                    alarm.as_mut().reset(Instant::now() + GOODBYE);
                }
                Happened::Ends(ending) => return ending,
            },
            answer = messages.done() => {
                if let Some(answer) = answer {
                    client.connection.answer(answer);
                }
            }
            () = alarm.as_mut() => match leaving.take() {
                Some(ending) => return ending,
                None => match next_alarm(limits, born, active) {
                    Ok(next) => alarm.as_mut().reset(next),
                    Err(ending) => return ending,
                },
            },
        }
    }
}

/// Returns the time of the next check for idle or old connections (rows M13, M14).
fn next_alarm(limits: &Limits, born: Instant, active: Instant) -> Result<Instant, Ending> {
    let now = Instant::now();
    let (old, idle) = (born + limits.connection, active + limits.idle);
    if now >= old {
        return Err(Ending::Old);
    }
    if now >= idle {
        return Err(Ending::Idle);
    }
    Ok(old.min(idle))
}

/// Calls the `$disconnect` function, if there is one (row M18). A failure has no effect on the connection.
async fn disconnect(api: &WebSocketApi, client: &Client, ending: &Ending) {
    let stage = client.connection.stage.as_str();
    let Some(served) = api.plane.apis.served(&api.api, stage) else {
        return;
    };
    let told = ending.told();
    let moment = Moment::now();
    let trace_id = trace_id(moment.at.as_millis() / 1000);
    let mut context =
        RequestContext::new(client, EventType::Disconnect, RouteKey::DISCONNECT, moment);
    context.disconnect_status_code = Some(told.code);
    context.disconnect_reason = Some(told.reason);
    let snapshot = served.snapshot.as_deref();
    let found = snapshot.and_then(|it| Some((it, it.route(RouteKey::DISCONNECT)?)));
    let mut code = 200;
    if let Some((snapshot, route)) = found {
        let event = payloads::disconnect(&context, &served.stage.stage_variables);
        let call = Call {
            api,
            served: &served,
            snapshot,
            route,
            context: &context,
            body: "",
        };
        if let Err(failure) = call.run(event, trace_id).await {
            code = 500;
            api.plane.events.tell(|| Event::DisconnectFailed {
                connection: client.connection.id.clone(),
                reason: failure.reason,
            });
        }
    }
    log::write(api, &served.stage, &context, Status { code, error: None });
}
