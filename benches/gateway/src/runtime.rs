//! Limit of functions that are processes: a Runtime API that always has an event, without a gateway. A gateway adds to
//! that.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::sleep;

use crate::Result;
use crate::measure::message;

/// Measures invocations per second of several processes of a program, for `time` after a warm-up.
pub async fn invocations(
    program: &str,
    processes: usize,
    warm_up: Duration,
    time: Duration,
) -> Result<Value> {
    let answered = Arc::new(AtomicU64::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let mut children = Vec::new();
    for _ in 0..processes {
        let child = Command::new(program)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "echo"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", ""),
                ("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            ])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        children.push(child);
    }
    let counted = answered.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, counted.clone()));
        }
    });
    sleep(warm_up).await;
    let (before, began) = (answered.load(Ordering::Relaxed), Instant::now());
    sleep(time).await;
    let count = answered.load(Ordering::Relaxed) - before;
    Ok(json!({ "per_second": count as f64 / began.elapsed().as_secs_f64() }))
}

/// Serves one process: answers every GET with an event, and counts every POST.
async fn serve(mut stream: TcpStream, answered: Arc<AtomicU64>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (event, mut buffer) = (event(), Vec::new());
    loop {
        let Some(size) = request(&buffer) else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        if buffer.starts_with(b"GET ") {
            stream.write_all(&event).await?;
        } else {
            answered.fetch_add(1, Ordering::Relaxed);
            stream
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                .await?;
        }
        buffer.drain(..size);
    }
}

/// Returns the length of the first request in these bytes, if it is complete.
fn request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.split_once("content-length:").map(|(_, rest)| rest);
    let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
    let size = head + length.unwrap_or(0);
    (bytes.len() >= size).then_some(size)
}

/// Returns a response to `/invocation/next`, with a message in API Gateway's form.
fn event() -> Vec<u8> {
    let context = json!({
        "routeKey": "$default", "messageId": "QL2UwdlMPHcCEKw=", "eventType": "MESSAGE", "extendedRequestId": "QL2UwEoIPHcF8JA=",
        "requestTime": "22/Nov/2026:06:34:42 +0000", "messageDirection": "IN", "stage": "prod",
        "connectedAt": 1_763_793_282_000u64, "requestTimeEpoch": 1_763_793_282_123u64,
        "identity": { "sourceIp": "127.0.0.1" }, "requestId": "QL2UwEoIPHcF8JA=", "domainName": "127.0.0.1:4511",
        "connectionId": "QL2UwdlMPHcCEKw=", "apiId": "a1b2c3d4e5",
        "authorizer": { "principalId": "somebody", "integrationLatency": 3 },
    });
    let body = String::from_utf8_lossy(&message(1)).into_owned();
    let payload =
        json!({ "requestContext": context, "body": body, "isBase64Encoded": false }).to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: \
         8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\nlambda-runtime-deadline-ms: 4102444800000\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:echo\r\n\
         content-length: {}\r\n\r\n{payload}",
        payload.len()
    )
    .into_bytes()
}
