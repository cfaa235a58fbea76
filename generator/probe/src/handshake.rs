//! The WebSocket handshake and its answer, which browsers hide.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::body;
use crate::connect_error::{ConnectError, ConnectStep};
use crate::connection::ClientConnection;
use crate::response::{HandshakeResponse, Header, Violation};
use crate::secret::HIDDEN;
use crate::stream::{Stream, error_text};
use crate::target::ProbeTarget;
use crate::transport::{Transport, open_transport};

/// Maximum size of the head of an answer.
const MAX_HEAD: usize = 64 * 1024;

/// Answer to a handshake, and the connection if the server accepted.
#[derive(Debug)]
pub struct HandshakeAttempt {
    /// Answer of the server.
    pub handshake: HandshakeResponse,
    /// Open connection.
    pub connection: Option<ClientConnection>,
}

/// Connects and performs the handshake. A refusal is not an error.
///
/// # Errors
///
/// If DNS, TCP, the proxy or TLS fails, or no HTTP answer arrives in time.
pub async fn connect(target: &ProbeTarget) -> Result<HandshakeAttempt, ConnectError> {
    let mut transport = open_transport(target).await?;
    let key = generate_key();
    let began = Instant::now();
    let request = target.handshake_request(&key);
    let answer = timeout(
        target.timeout,
        exchange(&mut transport.stream, target, &request),
    );
    let (head, rest) = answer.await.map_err(|_| ConnectError::TimedOut {
        step: ConnectStep::Upgrade,
        after: target.timeout,
    })??;
    transport.timings.upgrade = began.elapsed();
    Ok(accept_or_read_body(target, &key, transport, head, rest).await)
}

/// Sends one HTTP request without a body and returns the status of the answer.
///
/// # Errors
///
/// As for [`connect`].
pub async fn request_status(target: &ProbeTarget, method: &str) -> Result<u16, ConnectError> {
    let mut transport = open_transport(target).await?;
    let request = target.plain_request(method);
    let answer = exchange(&mut transport.stream, target, &request);
    let answer = timeout(target.timeout, answer).await;
    let (head, _) = answer.map_err(|_| ConnectError::TimedOut {
        step: ConnectStep::Upgrade,
        after: target.timeout,
    })??;
    Ok(head.status)
}

/// Head of an HTTP answer.
struct ResponseHead {
    status: u16,
    reason: String,
    headers: Vec<Header>,
}

/// Sends the request. Returns the head of the answer and the bytes that arrived after it.
async fn exchange(
    stream: &mut Stream,
    target: &ProbeTarget,
    request: &str,
) -> Result<(ResponseHead, Vec<u8>), ConnectError> {
    let dropped = |error: &std::io::Error, after_bytes| ConnectError::Dropped {
        after_bytes,
        reason: error_text(error),
    };
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|error| dropped(&error, 0))?;
    stream.flush().await.map_err(|error| dropped(&error, 0))?;
    let mut bytes = Vec::new();
    loop {
        if let Some((head, length)) = parse_head(&bytes, target)? {
            let rest = bytes.split_off(length);
            // 100 Continue and 103 Early Hints precede the answer.
            if (100..200).contains(&head.status) && head.status != 101 {
                bytes = rest;
                continue;
            }
            return Ok((head, rest));
        }
        let read = stream.read_buf(&mut bytes).await;
        if read.map_err(|error| dropped(&error, bytes.len()))? == 0 {
            let reason = "the server closed the connection".to_owned();
            return Err(ConnectError::Dropped {
                after_bytes: bytes.len(),
                reason,
            });
        }
    }
}

/// Parses the head at the beginning of the bytes. Returns it with its length, or `None` if it is incomplete.
fn parse_head(
    bytes: &[u8],
    target: &ProbeTarget,
) -> Result<Option<(ResponseHead, usize)>, ConnectError> {
    let not_http = |reason: String| ConnectError::NotHttp { reason };
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => {
            let secrets = target.secrets();
            let header = |header: &httparse::Header<'_>| Header {
                name: header.name.to_owned(),
                value: match header.name.eq_ignore_ascii_case("set-cookie") {
                    true => HIDDEN.to_owned(),
                    false => secrets.hide(&String::from_utf8_lossy(header.value)),
                },
            };
            let head = ResponseHead {
                status: response.code.unwrap_or_default(),
                reason: secrets.hide(response.reason.unwrap_or_default()),
                headers: response.headers.iter().map(header).collect(),
            };
            Ok(Some((head, length)))
        }
        Ok(httparse::Status::Partial) if bytes.len() > MAX_HEAD => Err(not_http(format!(
            "its head is longer than {MAX_HEAD} bytes"
        ))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(not_http(error.to_string())),
    }
}

/// Opens the connection if the server accepted; otherwise reads the body of the answer.
async fn accept_or_read_body(
    target: &ProbeTarget,
    key: &str,
    transport: Transport,
    head: ResponseHead,
    rest: Vec<u8>,
) -> HandshakeAttempt {
    let Transport {
        mut stream,
        peer,
        tls,
        timings,
    } = transport;
    let mut handshake = HandshakeResponse {
        status: head.status,
        reason: head.reason,
        headers: head.headers,
        body: String::new(),
        subprotocol: None,
        violations: Vec::new(),
        peer,
        proxy: target.proxy.as_ref().map(ToString::to_string),
        tls,
        timings,
    };
    if handshake.status != 101 {
        let body = body::read(&mut stream, &handshake, rest, target.timeout).await;
        handshake.body = target.secrets().hide(&body);
        return HandshakeAttempt {
            handshake,
            connection: None,
        };
    }
    let chosen = handshake
        .header("sec-websocket-protocol")
        .map(str::to_owned);
    handshake.violations = violations(target, key, &handshake, chosen.as_deref());
    handshake.subprotocol = chosen;
    let connection = match handshake.is_accepted() {
        true => {
            let (secrets, small) = (target.secrets().clone(), target.has_small_buffers);
            Some(ClientConnection::new(stream, rest, secrets, small).await)
        }
        false => None,
    };
    HandshakeAttempt {
        handshake,
        connection,
    }
}

fn violations(
    target: &ProbeTarget,
    key: &str,
    handshake: &HandshakeResponse,
    chosen: Option<&str>,
) -> Vec<Violation> {
    let has_word = |name: &str, searched: &str| {
        let mut headers = handshake.headers.iter();
        headers.any(|header| {
            let mut words = header.value.split(',').map(str::trim);
            header.name.eq_ignore_ascii_case(name)
                && words.any(|word| word.eq_ignore_ascii_case(searched))
        })
    };
    let accept = derive_accept_key(key.as_bytes());
    // Secrets are hidden in `chosen`, so it is compared with the offers in the same form.
    let is_offered = |chosen: &str| {
        target
            .offered_subprotocols()
            .iter()
            .any(|offered| offered == chosen)
    };
    let rules = [
        (has_word("upgrade", "websocket"), Violation::Upgrade),
        (has_word("connection", "upgrade"), Violation::Connection),
        (
            handshake.header("sec-websocket-accept") == Some(accept.as_str()),
            Violation::Accept,
        ),
        (chosen.is_none_or(is_offered), Violation::Subprotocol),
        (
            handshake
                .header("sec-websocket-extensions")
                .is_none_or(|value| value.trim().is_empty()),
            Violation::Extension,
        ),
    ];
    rules
        .into_iter()
        .filter(|(is_met, _)| !is_met)
        .map(|(_, violation)| violation)
        .collect()
}
