//! Tunnels through HTTP proxies.

use http::StatusCode;
use stackgen_network::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connect_error::ConnectError;
use crate::stream::{Stream, error_text};
use crate::target::ProbeTarget;

/// Maximum size of the proxy's answer.
const MAX_ANSWER: usize = 16 * 1024;

/// Asks a proxy to connect to the target. Afterwards, the stream leads to the target.
pub(crate) async fn open_tunnel(
    stream: &mut Stream,
    proxy: &Proxy,
    target: &ProbeTarget,
) -> Result<(), ConnectError> {
    let failed = |reason: String| ConnectError::ProxyFailed {
        proxy: proxy.to_string(),
        reason,
    };
    let request = connect_request(proxy, target);
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|error| failed(error_text(&error)))?;
    let flushed = stream.flush().await;
    flushed.map_err(|error| failed(error_text(&error)))?;
    let mut answer = Vec::new();
    loop {
        if let Some(status) = parse_status(&answer).map_err(&failed)? {
            return match status.is_success() {
                true => Ok(()),
                false => Err(ConnectError::ProxyRefused {
                    proxy: proxy.to_string(),
                    status: status.as_u16(),
                }),
            };
        }
        let read = stream.read_buf(&mut answer).await;
        if read.map_err(|error| failed(error_text(&error)))? == 0 {
            return Err(failed("it closed the connection".to_owned()));
        }
    }
}

fn connect_request(proxy: &Proxy, target: &ProbeTarget) -> String {
    let authority = match target.host.contains(':') {
        true => format!("[{}]:{}", target.host, target.port),
        false => format!("{}:{}", target.host, target.port),
    };
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    request.push_str("\r\n");
    request
}

/// Returns the status of an answer; `None` if its head is incomplete. Nothing follows the head: the client speaks first.
fn parse_status(answer: &[u8]) -> Result<Option<StatusCode>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Complete(_)) => {
            let status = StatusCode::from_u16(response.code.unwrap_or_default());
            status.map(Some).map_err(|error| error.to_string())
        }
        Ok(httparse::Status::Partial) if answer.len() > MAX_ANSWER => {
            Err(format!("its answer is longer than {MAX_ANSWER} bytes"))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(format!("its answer is not HTTP: {error}")),
    }
}
