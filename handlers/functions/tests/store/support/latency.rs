//! A network with latency, on a simulated clock, and the conflicts of transactions that it causes.
//!
//! A test with Tokio's paused clock measures time as if the machine had nothing else to do. Requests run in blocking tasks,
//! which keep the paused clock from advancing.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_sdk_dynamodb::error::ConnectorError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use serde_json::Value;
use tokio::time::sleep;

use super::faults::conflict;

/// Latency of every request, and the locks of the transactions in progress.
///
/// DynamoDB refuses a write, alone or in a transaction, if a transaction in progress writes or checks the same item
/// (`TransactionConflict`). Reads are never refused. Here a transaction takes the latency of its request.
#[derive(Clone, Debug)]
pub(crate) struct Latency(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    latency: Duration,
    locked: Mutex<HashSet<String>>,
    conflicts: Mutex<u32>,
}

impl Latency {
    pub(crate) fn new(latency: Duration) -> Self {
        Latency(Arc::new(Settings {
            latency,
            locked: Mutex::default(),
            conflicts: Mutex::default(),
        }))
    }

    /// Returns the number of requests that were refused because of a transaction in progress.
    pub(crate) fn conflicts(&self) -> u32 {
        *self.0.conflicts.lock().unwrap()
    }

    /// Locks items. Returns false if one of them is locked.
    fn lock(&self, items: &[String]) -> bool {
        let mut locked = self.0.locked.lock().unwrap();
        let free = !items.iter().any(|item| locked.contains(item));
        match free {
            true => locked.extend(items.iter().cloned()),
            false => *self.0.conflicts.lock().unwrap() += 1,
        }
        free
    }

    fn unlock(&self, items: &[String]) {
        let mut locked = self.0.locked.lock().unwrap();
        for item in items {
            locked.remove(item);
        }
    }
}

impl HttpClient for Latency {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Latency {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let is_transaction = target.ends_with(".TransactWriteItems");
            let items = written_items(&request);
            let free = this.lock(&items);
            if free && !is_transaction {
                // A single write takes no time at the item, and does not make others wait.
                this.unlock(&items);
            }
            sleep(this.0.latency).await;
            if !free {
                return conflict(&request).await;
            }
            let response = exchange(request).await;
            if is_transaction {
                this.unlock(&items);
            }
            response
        })
    }
}

/// Sends the request in a blocking task, during which the simulated clock stands still.
async fn exchange(request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let sent = tokio::task::spawn_blocking(move || blocking_exchange(&request)).await;
    let failed = |error: std::io::Error| ConnectorError::io(error.into());
    let (status, body) = sent.expect("it does not panic").map_err(failed)?;
    let status = status.try_into().expect("it is a status");
    Ok(HttpResponse::new(status, body.into()))
}

/// Sends the request over a connection of its own. Returns status and body.
fn blocking_exchange(request: &HttpRequest) -> std::io::Result<(u16, Vec<u8>)> {
    let (_, rest) = request.uri().split_once("://").expect("it is a URL");
    let authority = rest.split('/').next().unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let mut stream = TcpStream::connect(authority)?;
    let mut head = format!("POST / HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    head += &format!("content-length: {}\r\n", body.len());
    for (name, value) in request.headers() {
        if !["host", "content-length"].contains(&name) {
            head += &format!("{name}: {value}\r\n");
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("it has headers") + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding"), "{head}");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok((status.expect("it has a status"), body.to_vec()))
}

/// Returns the items that a request writes or checks, as table and key.
fn written_items(request: &HttpRequest) -> Vec<String> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (_, operation) = target.rsplit_once('.').unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match operation {
        "TransactWriteItems" => {
            let writes = body["TransactItems"].as_array().expect("it has items");
            let writes = writes
                .iter()
                .flat_map(|write| write.as_object().unwrap().values());
            writes.map(item).collect()
        }
        "UpdateItem" | "PutItem" | "DeleteItem" => vec![item(&body)],
        _ => Vec::new(),
    }
}

fn item(write: &Value) -> String {
    let table = write["TableName"].as_str().expect("it has a table");
    let attributes = match write.get("Key") {
        Some(key) => key,
        None => &write["Item"],
    };
    // In this order: a connection's item has the ID of its session, too.
    let keys = ["connectionId", "identifier", "sessionId"];
    let key = keys.iter().find_map(|key| attributes[key]["S"].as_str());
    format!("{table}/{}", key.expect("it has a key"))
}
