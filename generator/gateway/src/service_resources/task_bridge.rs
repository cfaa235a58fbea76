//! Function of the emulator that calls the gateway back, for tasks of state machines. The emulator permits that if it runs
//! functions on this machine, which needs Python; the function is invoked once to find out.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::outbound::service_client::{CallError, ServiceClient, read_json};

/// Source of the function.
const SOURCE: &str = include_str!("task_bridge.py");

/// Description of the function, by which it is recognized.
const DESCRIPTION: &str = "Calls stackgen dev back, for tasks of state machines";

const NO_ANSWER: &str = "a function of the emulator does not answer";

/// Pauses between the attempts to invoke the function, which an emulator may prepare first.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// Longest time of an attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Longest time of all attempts. It is shorter than what a state machine may take to be created.
const ATTEMPTS: Duration = Duration::from_secs(25);

/// Creates the functions, one per stack.
pub(super) struct TaskBridge {
    client: ServiceClient,
    /// Control endpoint of the gateway.
    endpoint: String,
    /// ARNs of the functions that reach the gateway, or the reasons why they do not, by stack.
    functions: Mutex<BTreeMap<String, Result<String, String>>>,
}

impl TaskBridge {
    pub(super) fn new(client: ServiceClient, endpoint: &str) -> Self {
        TaskBridge {
            client,
            endpoint: endpoint.to_owned(),
            functions: Mutex::default(),
        }
    }

    /// Returns the ARN of the function for a stack, which is created first.
    ///
    /// # Errors
    ///
    /// If the emulator does not create it, or the function does not reach the gateway. The text says why.
    pub(super) async fn function(&self, stack: &str) -> Result<String, String> {
        let mut functions = self.functions.lock().await;
        let name = function_name(stack);
        match functions.get(stack) {
            // An emulator that was restarted has it no more.
            Some(Ok(arn)) if self.recognize(&name).await.is_ok() => return Ok(arn.clone()),
            Some(Err(reason)) => return Err(reason.clone()),
            _ => {}
        }
        let created = self.create(&name).await;
        created.map_err(|error| error.to_string())?;
        let checked = tokio::time::timeout(ATTEMPTS, self.check(&name)).await;
        let checked = checked.unwrap_or_else(|_| Err(NO_ANSWER.to_owned()));
        let arn = || self.client.scope.function(&name).to_string();
        let function = checked.map(|()| arn());
        functions.insert(stack.to_owned(), function.clone());
        function
    }

    async fn create(&self, name: &str) -> Result<(), CallError> {
        let zip = self.archive().map_err(|error| {
            CallError::NotCalled(format!("cannot pack a function for the emulator: {error}"))
        })?;
        let zip = STANDARD.encode(zip);
        let body = json!({
            "FunctionName": name,
            "Description": DESCRIPTION,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": self.client.scope.role(name),
            "Timeout": 900,
            "Code": { "ZipFile": zip },
        });
        let created = self.lambda(Method::POST, "", &body).await?;
        match read_json("lambda CreateFunction", &created) {
            Ok(_) => Ok(()),
            Err(error) if error.is("ResourceConflictException") => {
                self.recognize(name).await?;
                // The port of the gateway may be another one than at the last start.
                let path = format!("/{name}/code");
                let body = json!({ "ZipFile": zip });
                let updated = self.lambda(Method::PUT, &path, &body).await?;
                read_json("lambda UpdateFunctionCode", &updated).map(drop)
            }
            Err(error) => Err(error),
        }
    }

    /// Checks that a function is one that an earlier start created.
    async fn recognize(&self, name: &str) -> Result<(), CallError> {
        let path = format!("/2015-03-31/functions/{name}");
        let found = self.client.request("lambda", Method::GET, &path, "");
        let found = read_json("lambda GetFunction", &found.await?)?;
        match found["Configuration"]["Description"] == DESCRIPTION {
            true => Ok(()),
            false => Err(CallError::NotCalled(format!(
                "the emulator has another function with the name {name}: delete or rename it"
            ))),
        }
    }

    /// Invokes the function, which then calls the gateway.
    async fn check(&self, name: &str) -> Result<(), String> {
        let mut reason = String::new();
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let path = format!("/{name}/invocations");
            let body = json!({ "task": "ping" });
            let attempt = self.lambda(Method::POST, &path, &body);
            reason = match tokio::time::timeout(ATTEMPT, attempt).await {
                Err(_) => return Err(NO_ANSWER.to_owned()),
                Ok(Err(error)) => return Err(error.to_string()),
                Ok(Ok(response)) => match reached(&response) {
                    Ok(()) => return Ok(()),
                    Err(reason) => reason,
                },
            };
        }
        Err(format!(
            "a function of the emulator does not reach {}: {reason}",
            self.endpoint
        ))
    }

    async fn lambda(
        &self,
        method: Method,
        path: &str,
        body: &Json,
    ) -> Result<Response<Bytes>, CallError> {
        let path = format!("/2015-03-31/functions{path}");
        self.client
            .request("lambda", method, &path, body.to_string())
            .await
    }

    fn archive(&self) -> zip::result::ZipResult<Vec<u8>> {
        let source = SOURCE
            .replace("{endpoint}", &self.endpoint)
            .replace("{region}", &self.client.scope.region);
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let executable = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", executable)?;
        zip.write_all(source.as_bytes())?;
        Ok(zip.finish()?.into_inner())
    }
}

/// Returns the name of the function for a stack. Names have at most 64 characters.
fn function_name(stack: &str) -> String {
    let digest = Sha256::digest(stack);
    let head: String = stack.chars().take(40).collect();
    format!(
        "stackgen-{head}-{:02x}{:02x}{:02x}",
        digest[0], digest[1], digest[2]
    )
}

/// Checks that the function got an answer from the gateway. The error says what it got.
fn reached(response: &Response<Bytes>) -> Result<(), String> {
    let answer: Json = serde_json::from_slice(response.body()).unwrap_or_default();
    match answer.as_u64() {
        Some(200) => Ok(()),
        _ => {
            let named = ["errorMessage", "message", "Message"].iter();
            let message = named.filter_map(|name| answer[*name].as_str()).next();
            let text = String::from_utf8_lossy(response.body());
            let text: String = message.unwrap_or(&text).chars().take(200).collect();
            Err(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_stacks_function_is_short_and_its_own() {
        assert_eq!(function_name("chat"), "stackgen-chat-31e06f");
        let long = function_name(&"a".repeat(128));
        assert!(long.len() <= 64, "{long}");
        assert_ne!(long, function_name(&"a".repeat(127)));
    }

    #[test]
    fn a_function_that_does_not_reach_the_gateway_says_why() {
        for (body, expected) in [
            ("200", Ok(())),
            (
                r#"{"errorMessage":"Connection refused","errorType":"URLError"}"#,
                Err("Connection refused"),
            ),
            (r#"{"message":"no Docker"}"#, Err("no Docker")),
            ("403", Err("403")),
            ("no answer", Err("no answer")),
        ] {
            let response = Response::new(Bytes::from(body));
            assert_eq!(
                reached(&response),
                expected.map_err(str::to_owned),
                "{body}"
            );
        }
    }
}
