//! Helpers for tests with real function processes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use stackgen_gateway_common::invoke::{
    Invocation, InvocationCaller, InvocationOutcome, Invoke, InvokeError,
};
use stackgen_gateway_common::logs::{LogQuery, Logs};
use stackgen_gateway_common::{
    ArnScope, Event, EventReceiver, Events, FunctionSettings, RoleStore, Settings,
};
use stackgen_gateway_lambda::functions::{Code, Configuration, Functions};

pub(crate) use crate::puppet::puppet;

/// Local Lambda with the services that it needs.
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

/// Creates a local Lambda service with the function `puppet`.
pub(crate) async fn lambda_with_puppet() -> Lambda {
    let lambda = lambda();
    lambda.create_puppet("puppet", &[]).await;
    lambda
}

impl Lambda {
    /// Creates or updates a puppet function with these environment variables.
    pub(crate) async fn create_puppet(&self, name: &str, variables: &[(&str, &str)]) {
        self.create_puppet_with(name, configuration(variables))
            .await;
    }

    pub(crate) async fn create_puppet_with(&self, name: &str, configuration: Configuration) {
        let code = Code::Bootstrap(puppet());
        let put = self
            .functions
            .create_or_update(name, configuration, code)
            .await;
        put.expect("a function");
    }

    /// Invokes the function with this command.
    pub(crate) async fn invoke(
        &self,
        name: &str,
        what: &str,
    ) -> Result<InvocationOutcome, InvokeError> {
        self.functions.invoke(invocation(name, what)).await
    }

    /// Invokes the function with this command and returns the body of its answer.
    pub(crate) async fn invoke_for_body(&self, name: &str, what: &str) -> String {
        let outcome = self.invoke(name, what).await.expect("an outcome");
        body(&outcome)
    }

    /// Returns the lines of the function's log.
    pub(crate) fn log(&self, name: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{name}");
        let events = self.logs.events(&group, &LogQuery::default());
        let events = events.unwrap_or_default();
        events
            .iter()
            .map(|event| event.message.to_string())
            .collect()
    }

    /// Returns how often the function's log contains this line.
    pub(crate) fn count_lines(&self, name: &str, line: &str) -> usize {
        self.log(name)
            .iter()
            .filter(|logged| *logged == line)
            .count()
    }

    /// Waits for the next event for which `find` returns a value.
    pub(crate) async fn wait_for_event<T>(
        events: &mut EventReceiver,
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

/// Returns an invocation by the account of `name` or `name:qualifier`.
pub(crate) fn invocation(name: &str, what: &str) -> Invocation {
    let (name, qualifier) = match name.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
        None => (name, None),
    };
    let mut function = ArnScope::default().function(name);
    function.qualifier = qualifier;
    Invocation {
        function,
        payload: Bytes::from(json!({ "do": what }).to_string()),
        caller: InvocationCaller::Account,
        trace_id: "Root=1-65c66edf-000000000000000000000001".to_owned(),
        log: None,
    }
}

pub(crate) fn body(outcome: &InvocationOutcome) -> String {
    let answer = payload(outcome);
    answer["body"]
        .as_str()
        .map_or_else(|| answer.to_string(), str::to_owned)
}

pub(crate) fn payload(outcome: &InvocationOutcome) -> Value {
    serde_json::from_slice(&outcome.payload).expect("JSON")
}

/// Polls until the condition is true.
pub(crate) async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    assert!(waited.is_ok(), "after 20 s this is still not true: {what}");
}

/// Returns true if the process with this ID is alive.
pub(crate) fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}
