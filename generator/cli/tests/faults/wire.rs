//! HTTP/1.1 messages as bytes, for a proxy that has to break them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::operation::{Operation, Service};

/// A request: its first line, and all its bytes.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    bytes: Vec<u8>,
    /// Offset of the end of the first line.
    line: usize,
}

impl Request {
    pub(crate) fn body(&self) -> &[u8] {
        body(&self.bytes)
    }
}

/// Reads one request; `None` if the connection ends before it.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let length = header(&text, "content-length").map_or(0, |value| value.parse().unwrap());
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let line = text.find("\r\n").unwrap();
    let mut words = text[..line].split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    Ok(Some(Request {
        method,
        target,
        bytes,
        line: line + 2,
    }))
}

/// Forwards a request on a connection of its own, and returns all bytes of the answer.
pub(crate) async fn forward(upstream: &str, request: &Request) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (line, rest) = request.bytes.split_at(request.line);
    let message = [line, b"connection: close\r\n", rest].concat();
    stream.write_all(&message).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// An answer whose last bytes are missing: half of the body, or of the head where there is no body.
pub(crate) fn cut(answer: &[u8]) -> &[u8] {
    let body = find(answer, b"\r\n\r\n").map_or(0, |end| end + 4);
    match answer.len() - body {
        0 => &answer[..body / 2],
        length => &answer[..body + length / 2],
    }
}

/// The body of a message.
pub(crate) fn body(message: &[u8]) -> &[u8] {
    let start = find(message, b"\r\n\r\n").map_or(0, |end| end + 4);
    &message[start..]
}

pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Answer of a proxy in place of AWS.
pub(crate) fn html() -> Vec<u8> {
    let page = "<!DOCTYPE html><html><body><h1>Sign in to continue</h1></body></html>";
    answer(200, "content-type: text/html\r\n", page)
}

/// An error in the form of the operation's service.
pub(crate) fn refusal(operation: &Operation, status: u16) -> Vec<u8> {
    let service = operation.service();
    let code = match (status, service) {
        (400, Service::Lambda) => "InvalidParameterValueException",
        (400, _) => "BadRequestException",
        (403, Service::Sts) => "AccessDenied",
        (403, _) => "AccessDeniedException",
        (404, Service::Lambda) => "ResourceNotFoundException",
        (404, _) => "NotFoundException",
        (409, Service::Lambda) => "ResourceConflictException",
        (409, _) => "ConflictException",
        (429, Service::Sts) => "Throttling",
        (429, _) => "TooManyRequestsException",
        (503, _) => "ServiceUnavailableException",
        _ => "InternalFailure",
    };
    let message = format!("injected {status}");
    if service == Service::Sts {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        return answer(status, "content-type: text/xml\r\n", &body);
    }
    let headers = format!("content-type: application/json\r\nx-amzn-errortype: {code}\r\n");
    let body = serde_json::json!({ "message": message }).to_string();
    answer(status, &headers, &body)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
