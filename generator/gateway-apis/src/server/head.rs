//! The head of a request as the client wrote it: header names keep their case (row E1).

use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::ClientStream;

/// Maximum size of a head in bytes. API Gateway's limit for headers is 10,240.
const HEAD_BYTES: usize = 32 * 1024;

/// Maximum number of headers.
const HEAD_HEADERS: usize = 128;

/// Time for which a refused client may go on sending.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Request line and headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// Method, such as `GET`.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Minor version of HTTP/1.
    pub minor_version: u8,
    /// Headers in the client's order and case.
    pub headers: Vec<(String, String)>,
    /// True if the client named the API's host on AWS, its default endpoint (row D22).
    pub names_default_endpoint: bool,
    /// Bytes of the whole head.
    bytes: Vec<u8>,
}

/// Reason why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeadError {
    /// The head is not HTTP/1.
    #[error("the request is not an HTTP/1.1 request")]
    Malformed,
    /// The head is too large.
    #[error("the request's head is over {HEAD_BYTES} bytes or {HEAD_HEADERS} headers")]
    TooLarge,
    /// The head did not arrive in time.
    #[error("the request's head took too long")]
    Slow,
}

impl RequestHead {
    /// Parses a head at the start of `bytes`, and returns it with its length; `None` while it is incomplete.
    ///
    /// # Errors
    ///
    /// If the bytes are not a request, or there are too many.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadError> {
        let mut headers = [httparse::EMPTY_HEADER; HEAD_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let taken = match request.parse(bytes) {
            Ok(httparse::Status::Complete(taken)) if taken <= HEAD_BYTES => taken,
            Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
            Err(_) => return Err(HeadError::Malformed),
        };
        let headers = request.headers.iter().map(|header| {
            // Bytes over 127 are Latin-1 in HTTP; clients do not send them.
            let value = header.value.iter().map(|&byte| char::from(byte)).collect();
            (header.name.to_owned(), value)
        });
        let head = RequestHead {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            minor_version: request.version.unwrap_or_default(),
            headers: headers.collect(),
            names_default_endpoint: false,
            bytes: bytes[..taken].to_vec(),
        };
        Ok(Some((head, taken)))
    }

    /// Returns the first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// Returns all values of a header.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter();
        let named = named.filter(move |(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }

    /// Returns true if the client requests an upgrade to WebSocket. HTTP/1.0 has no upgrades and ignores the header.
    pub fn is_upgrade(&self) -> bool {
        self.minor_version >= 1
            && self.has_token("upgrade", "websocket")
            && self.has_token("connection", "upgrade")
    }

    fn has_token(&self, header: &str, token: &str) -> bool {
        self.values(header)
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(token))
    }

    /// Replaces the value of `Host`. The bytes of the head stay as they are.
    pub(super) fn set_host(&mut self, host: &str) {
        self.names_default_endpoint = true;
        for (name, value) in &mut self.headers {
            if name.eq_ignore_ascii_case("host") {
                host.clone_into(value);
            }
        }
    }

    /// Returns the bytes of the head, followed by `rest`.
    pub(super) fn into_bytes(self, rest: Vec<u8>) -> Vec<u8> {
        let mut bytes = self.bytes;
        bytes.extend(rest);
        bytes
    }
}

/// Reads a head and the bytes after it; `None` if the client disconnected before.
pub(super) async fn read(
    stream: &mut ClientStream,
) -> Result<Option<(RequestHead, Vec<u8>)>, HeadError> {
    let mut bytes = Vec::with_capacity(2048);
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
        if let Some((head, taken)) = RequestHead::parse(&bytes)? {
            bytes.drain(..taken);
            return Ok(Some((head, bytes)));
        }
    }
}

/// Responds to a head that cannot be served.
pub(super) async fn refuse(mut stream: ClientStream, bad: &HeadError) {
    let status = match bad {
        HeadError::Malformed => "400 Bad Request",
        HeadError::TooLarge => "431 Request Header Fields Too Large",
        HeadError::Slow => "408 Request Timeout",
    };
    let body = serde_json::json!({ "message": bad.to_string() }).to_string();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    close_gracefully(&mut stream).await;
}

/// Closes a connection after a response. If a socket with unread bytes were dropped, it would reset the connection, and
/// the client would lose the response.
pub(crate) async fn close_gracefully(stream: &mut ClientStream) {
    let drain = async {
        let _ = stream.shutdown().await;
        let mut rest = [0; 1024];
        while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain).await;
}
