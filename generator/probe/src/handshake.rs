//! The handshake: what browsers hide.

use std::net::SocketAddr;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::body;
use crate::connection::Connection;
use crate::dial::{ConnectError, Dialled, Step, Stream, Timings, dial, reason};
use crate::secret::HIDDEN;
use crate::target::Target;

/// The largest head of an answer.
const HEAD: usize = 64 * 1024;

/// The answer to a handshake. No secret is in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake {
    /// `101` when there is a connection.
    pub status: u16,
    /// What stands behind the status.
    pub reason: String,
    /// In the order of the answer, names as they came.
    pub headers: Vec<Header>,
    /// The body's beginning; empty behind 101.
    pub body: String,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<String>,
    /// What is wrong with an answer that says 101; then there is no connection.
    pub violations: Vec<Violation>,
    /// Where the server is.
    pub peer: SocketAddr,
    /// The version of TLS.
    pub tls: Option<String>,
    /// How long it took.
    pub timings: Timings,
}

/// A header of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// As it came.
    pub name: String,
    /// As it came; cookies are hidden.
    pub value: String,
}

/// Why an answer with 101 is none: RFC 6455, section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Violation {
    /// `Upgrade: websocket` is missing.
    Upgrade,
    /// `Connection: Upgrade` is missing.
    Connection,
    /// `Sec-WebSocket-Accept` is missing or answers another key.
    Accept,
    /// A subprotocol that was not offered.
    Subprotocol,
    /// An extension; none is offered.
    Extension,
}

impl Violation {
    /// What is wrong, in words.
    pub fn says(self) -> &'static str {
        match self {
            Violation::Upgrade => "it lacks `Upgrade: websocket`",
            Violation::Connection => "it lacks `Connection: Upgrade`",
            Violation::Accept => "its Sec-WebSocket-Accept does not answer the key",
            Violation::Subprotocol => "it chose a subprotocol that was not offered",
            Violation::Extension => "it chose an extension, and none was offered",
        }
    }
}

impl Handshake {
    /// The header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&found.value)
    }

    /// True when there is a connection.
    pub fn accepted(&self) -> bool {
        self.status == 101 && self.violations.is_empty()
    }
}

/// A handshake that was answered, and the connection if it was accepted.
#[derive(Debug)]
pub struct Attempt {
    /// The answer.
    pub handshake: Handshake,
    /// The open connection.
    pub connection: Option<Connection>,
}

/// Connects and shakes hands. An answer that refuses is no error.
///
/// Proxies are not supported: the connection goes to the target's host.
///
/// # Errors
///
/// If there is no answer: no address, no listener, no TLS, no HTTP, or not in time.
pub async fn connect(target: &Target) -> Result<Attempt, ConnectError> {
    let mut dialled = dial(target).await?;
    let key = generate_key();
    let began = Instant::now();
    let request = target.request(&key);
    let answer = timeout(
        target.timeout,
        exchange(&mut dialled.stream, target, &request),
    );
    let (head, rest) = answer.await.map_err(|_| ConnectError::TimedOut {
        step: Step::Upgrade,
        after: target.timeout,
    })??;
    dialled.timings.upgrade = began.elapsed();
    Ok(settle(target, &key, dialled, head, rest).await)
}

/// Makes one HTTP request without a body, and returns the status of the answer.
///
/// # Errors
///
/// As those of [`connect`].
pub async fn request(target: &Target, method: &str) -> Result<u16, ConnectError> {
    let mut dialled = dial(target).await?;
    let request = target.plain_request(method);
    let answer = exchange(&mut dialled.stream, target, &request);
    let answer = timeout(target.timeout, answer).await;
    let (head, _) = answer.map_err(|_| ConnectError::TimedOut {
        step: Step::Upgrade,
        after: target.timeout,
    })??;
    Ok(head.status)
}

/// The head of an answer.
struct Head {
    status: u16,
    reason: String,
    headers: Vec<Header>,
}

/// Sends the request, reads the head, and returns what came behind it.
async fn exchange(
    stream: &mut Stream,
    target: &Target,
    request: &str,
) -> Result<(Head, Vec<u8>), ConnectError> {
    let dropped = |error: &std::io::Error, after_bytes| ConnectError::Dropped {
        after_bytes,
        reason: reason(error),
    };
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|error| dropped(&error, 0))?;
    stream.flush().await.map_err(|error| dropped(&error, 0))?;
    let mut bytes = Vec::new();
    loop {
        if let Some((head, length)) = parse(&bytes, target)? {
            let rest = bytes.split_off(length);
            // 100 Continue and 103 Early Hints come before the answer.
            if (100..200).contains(&head.status) && head.status != 101 {
                bytes = rest;
                continue;
            }
            return Ok((head, rest));
        }
        let read = stream.read_buf(&mut bytes).await;
        if read.map_err(|error| dropped(&error, bytes.len()))? == 0 {
            let reason = "the server closed it".to_owned();
            return Err(ConnectError::Dropped {
                after_bytes: bytes.len(),
                reason,
            });
        }
    }
}

/// The head at the beginning of these bytes and its length; `None` when more are needed.
fn parse(bytes: &[u8], target: &Target) -> Result<Option<(Head, usize)>, ConnectError> {
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
            let head = Head {
                status: response.code.unwrap_or_default(),
                reason: secrets.hide(response.reason.unwrap_or_default()),
                headers: response.headers.iter().map(header).collect(),
            };
            Ok(Some((head, length)))
        }
        Ok(httparse::Status::Partial) if bytes.len() > HEAD => {
            Err(not_http(format!("its head has more than {HEAD} bytes")))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(not_http(error.to_string())),
    }
}

async fn settle(
    target: &Target,
    key: &str,
    dialled: Dialled,
    head: Head,
    rest: Vec<u8>,
) -> Attempt {
    let Dialled {
        mut stream,
        peer,
        tls,
        timings,
    } = dialled;
    let mut handshake = Handshake {
        status: head.status,
        reason: head.reason,
        headers: head.headers,
        body: String::new(),
        subprotocol: None,
        violations: Vec::new(),
        peer,
        tls,
        timings,
    };
    if handshake.status != 101 {
        let body = body::read(&mut stream, &handshake, rest, target.timeout).await;
        handshake.body = target.secrets().hide(&body);
        return Attempt {
            handshake,
            connection: None,
        };
    }
    let chosen = handshake
        .header("sec-websocket-protocol")
        .map(str::to_owned);
    handshake.violations = violations(target, key, &handshake, chosen.as_deref());
    handshake.subprotocol = chosen;
    let connection = match handshake.accepted() {
        true => Some(Connection::new(stream, rest, target.secrets().clone()).await),
        false => None,
    };
    Attempt {
        handshake,
        connection,
    }
}

fn violations(
    target: &Target,
    key: &str,
    handshake: &Handshake,
    chosen: Option<&str>,
) -> Vec<Violation> {
    let has = |name: &str, wanted: &str| {
        let mut headers = handshake.headers.iter();
        headers.any(|header| {
            let mut words = header.value.split(',').map(str::trim);
            header.name.eq_ignore_ascii_case(name)
                && words.any(|word| word.eq_ignore_ascii_case(wanted))
        })
    };
    let accept = derive_accept_key(key.as_bytes());
    // Headers of an answer show no secret, and neither does what was offered.
    let offered = |chosen: &str| target.offered().iter().any(|offered| offered == chosen);
    let rules = [
        (has("upgrade", "websocket"), Violation::Upgrade),
        (has("connection", "upgrade"), Violation::Connection),
        (
            handshake.header("sec-websocket-accept") == Some(accept.as_str()),
            Violation::Accept,
        ),
        (chosen.is_none_or(offered), Violation::Subprotocol),
        (
            handshake
                .header("sec-websocket-extensions")
                .is_none_or(|value| value.trim().is_empty()),
            Violation::Extension,
        ),
    ];
    rules
        .into_iter()
        .filter(|(kept, _)| !kept)
        .map(|(_, violation)| violation)
        .collect()
}
