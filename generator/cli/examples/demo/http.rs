//! Requests to the HTTP API.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::print::{DemoError, WithContext};

/// Posts JSON with a token. Returns status and body.
pub(crate) async fn post(
    url: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Result<(u16, Value), DemoError> {
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    let stream = TcpStream::connect(authority)
        .await
        .context("the HTTP API")?;
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.context("the HTTP API")?;
    tokio::spawn(connection);
    let request = Request::post(path)
        .header(header::HOST, authority)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .context("the request")?;
    let answer = sender.send_request(request).await.context("the HTTP API")?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.context("the answer")?;
    let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    Ok((status, body))
}
