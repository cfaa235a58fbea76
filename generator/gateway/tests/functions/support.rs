//! Functions over real processes, and what tests ask of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use stackgen_gateway_common::invoke::{Caller, Invocation, Invoke, InvokeError, Outcome};
use stackgen_gateway_common::logs::{LogQuery, Logs};
use stackgen_gateway_common::{ArnScope, Event, Events, FunctionSettings, RoleStore, Settings};
use stackgen_gateway_lambda::functions::{Code, Configuration, Functions};

pub(crate) use crate::puppet::puppet;

/// A Lambda of its own, with what it stands on.
pub(crate) struct Lambda {
    pub(crate) functions: Arc<Functions>,
    pub(crate) roles: Arc<RoleStore>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) events: Events,
}

pub(crate) fn lambda() -> Lambda {
    lambda_with(FunctionSettings::default())
}

pub(crate) fn lambda_with(functions: FunctionSettings) -> Lambda {
    let settings = Settings {
        functions,
        ..Settings::default()
    };
    let roles = Arc::new(RoleStore::default());
    let logs = Arc::new(Logs::default());
    let events = Events::default();
    let functions = Functions::new(settings.into(), roles.clone(), logs.clone(), events.clone());
    Lambda {
        functions: Arc::new(functions.expect("a store for code")),
        roles,
        logs,
        events,
    }
}

/// A Lambda with the function `puppet`.
pub(crate) async fn with_puppet() -> Lambda {
    let lambda = lambda();
    lambda.put("puppet", &[]).await;
    lambda
}

impl Lambda {
    /// Puts a puppet with these variables.
    pub(crate) async fn put(&self, name: &str, variables: &[(&str, &str)]) {
        self.put_as(name, configuration(variables)).await;
    }

    pub(crate) async fn put_as(&self, name: &str, configuration: Configuration) {
        let code = Code::Bootstrap(puppet());
        let put = self.functions.put(name, configuration, code).await;
        put.expect("a function");
    }

    /// Tells the function what to do.
    pub(crate) async fn tell(&self, name: &str, what: &str) -> Result<Outcome, InvokeError> {
        self.functions.invoke(order(name, what)).await
    }

    /// The body of what the function answers.
    pub(crate) async fn ask(&self, name: &str, what: &str) -> String {
        let outcome = self.tell(name, what).await.expect("an outcome");
        body(&outcome)
    }

    /// What the function's log says.
    pub(crate) fn log(&self, name: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{name}");
        let events = self.logs.events(&group, &LogQuery::default());
        let events = events.unwrap_or_default();
        events
            .iter()
            .map(|event| event.message.to_string())
            .collect()
    }

    /// How often the function's log has this line.
    pub(crate) fn said(&self, name: &str, line: &str) -> usize {
        self.log(name).iter().filter(|said| *said == line).count()
    }

    /// The next event that this finds something in.
    pub(crate) async fn event<T>(
        events: &mut tokio::sync::broadcast::Receiver<Event>,
        mut find: impl FnMut(Event) -> Option<T>,
    ) -> T {
        let found = async {
            loop {
                if let Some(found) = find(events.recv().await.expect("an event")) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found)
            .await
            .expect("the event did not come")
    }
}

pub(crate) fn configuration(variables: &[(&str, &str)]) -> Configuration {
    let variables = variables.iter();
    Configuration {
        role: ArnScope::default().role("puppet"),
        environment: variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        timeout: Duration::from_secs(20),
        ..Configuration::default()
    }
}

/// An invocation by the account: `name`, or `name:qualifier`.
pub(crate) fn order(name: &str, what: &str) -> Invocation {
    let (name, qualifier) = match name.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
        None => (name, None),
    };
    let mut function = ArnScope::default().function(name);
    function.qualifier = qualifier;
    Invocation {
        function,
        payload: Bytes::from(json!({ "do": what }).to_string()),
        caller: Caller::Account,
        trace_id: "Root=1-65c66edf-000000000000000000000001".to_owned(),
    }
}

pub(crate) fn body(outcome: &Outcome) -> String {
    let answer = payload(outcome);
    answer["body"]
        .as_str()
        .map_or_else(|| answer.to_string(), str::to_owned)
}

pub(crate) fn payload(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.payload).expect("JSON")
}

/// Waits until something holds that nothing tells of.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    assert!(waited.is_ok(), "in 20 s it never held that {what}");
}

/// True when a process of that number is alive.
pub(crate) fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}
