//! Test doubles of functions in this process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use stackgen_gateway_common::invoke::{
    Invocation, InvocationCaller, InvocationOutcome, Invoke, InvokeError, InvokeErrorKind,
};
use stackgen_gateway_common::uuid;
use tokio::sync::Notify;

use super::within_timeout;

/// Reaction of a function to an event.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Returns this value.
    Json(Value),
    /// Returns these bytes.
    Bytes(Vec<u8>),
    /// Fails with this message.
    Throw(&'static str),
    /// Never returns.
    Hang,
    /// Returns this after [`Functions::release`].
    Held(Value),
    /// Cannot be called.
    Unreachable(InvokeErrorKind),
}

type Handler = Box<dyn Fn(&Value) -> Reply + Send + Sync>;

/// Functions by name. A function without a handler returns `{"statusCode": 200}`.
#[derive(Default)]
pub(crate) struct Functions {
    handlers: Mutex<HashMap<String, Handler>>,
    calls: Mutex<Vec<(String, Value, InvocationCaller)>>,
    lines: Mutex<HashMap<String, Vec<String>>>,
    called: Notify,
    released: tokio::sync::watch::Sender<usize>,
}

impl Functions {
    /// Sets the handler of a function.
    pub(crate) fn on(&self, name: &str, handler: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        let mut handlers = self.handlers.lock().unwrap();
        handlers.insert(name.to_owned(), Box::new(handler));
    }

    /// Sets the constant reply of a function.
    pub(crate) fn always(&self, name: &str, reply: Reply) {
        self.on(name, move |_| reply.clone());
    }

    /// Lets held functions return.
    pub(crate) fn release(&self, count: usize) {
        self.released.send_modify(|released| *released += count);
    }

    /// Waits for the next call of a function, removes it and returns its event and its caller.
    pub(crate) async fn call(&self, name: &str) -> (Value, InvocationCaller) {
        within_timeout(async {
            loop {
                let called = self.called.notified();
                {
                    let mut calls = self.calls.lock().unwrap();
                    if let Some(at) = calls.iter().position(|(it, ..)| it == name) {
                        let (_, event, caller) = calls.remove(at);
                        return (event, caller);
                    }
                }
                called.await;
            }
        })
        .await
    }

    /// Waits for the next call of a function, removes it and returns its event.
    pub(crate) async fn event(&self, name: &str) -> Value {
        self.call(name).await.0
    }

    /// Sets the log lines of all later invocations of a function.
    pub(crate) fn log(&self, name: &str, lines: &[&str]) {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.lines.lock().unwrap().insert(name.to_owned(), lines);
    }

    /// Returns the number of calls of a function that were not removed.
    pub(crate) fn calls(&self, name: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(it, ..)| it == name).count()
    }
}

impl Invoke for Functions {
    fn invoke(
        &self,
        invocation: Invocation,
    ) -> BoxFuture<'_, Result<InvocationOutcome, InvokeError>> {
        let name = invocation.function.name.clone();
        let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
        let reply = match self.handlers.lock().unwrap().get(&name) {
            Some(handler) => handler(&event),
            None => Reply::Json(json!({"statusCode": 200})),
        };
        if let Some(log) = &invocation.log {
            let lines = self.lines.lock().unwrap().get(&name).cloned();
            let _ = log.send(lines.unwrap_or_default());
        }
        let mut calls = self.calls.lock().unwrap();
        calls.push((name, event, invocation.caller));
        drop(calls);
        self.called.notify_waiters();
        let mut released = self.released.subscribe();
        async move {
            let (payload, failed) = match reply {
                Reply::Json(value) => (value.to_string().into_bytes(), false),
                Reply::Bytes(bytes) => (bytes, false),
                Reply::Throw(message) => {
                    let thrown = json!({"errorMessage": message, "errorType": "Error"});
                    (thrown.to_string().into_bytes(), true)
                }
                Reply::Hang => std::future::pending().await,
                Reply::Held(value) => {
                    released.wait_for(|released| *released > 0).await.unwrap();
                    self.released.send_modify(|released| *released -= 1);
                    (value.to_string().into_bytes(), false)
                }
                Reply::Unreachable(kind) => {
                    return Err(InvokeError {
                        kind,
                        message: format!("{kind:?}"),
                    });
                }
            };
            Ok(InvocationOutcome {
                payload: payload.into(),
                failed,
                executed_version: "$LATEST".to_owned(),
                request_id: uuid(),
                duration: Duration::ZERO,
            })
        }
        .boxed()
    }
}
