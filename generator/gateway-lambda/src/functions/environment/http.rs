//! HTTP/1.1 as runtime interface clients speak it to the Runtime API: one request after another on a connection.
//!
//! Every message of a WebSocket passes here twice, so bodies are bytes that nothing looks into, and heads are the few headers
//! that the Runtime API knows.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How many bytes a head may have.
const LARGEST_HEAD: usize = 64 * 1024;
/// How many headers it may have.
const MOST_HEADERS: usize = 64;

/// A request, as far as the Runtime API asks for it.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// The body; what was over the limit is read and thrown away.
    pub(super) body: Bytes,
    /// The body's size, which is over the limit if the body is cut.
    pub(super) size: usize,
    /// `Lambda-Runtime-Function-Error-Type`, of the head or the trailer.
    pub(super) error_type: Option<String>,
    /// `Lambda-Runtime-Function-Error-Body` of the trailer: an error after a stream began.
    pub(super) error_body: Option<String>,
    /// The client closes the connection after this one.
    pub(super) close: bool,
}

#[derive(Debug)]
enum Length {
    Bytes(usize),
    Chunked,
}

/// Reads the next request; `None` when the connection ended between two. Bodies are kept up to `limit` bytes.
pub(super) async fn read(
    stream: &mut OwnedReadHalf,
    writer: &OwnedWriteHalf,
    buffer: &mut BytesMut,
    limit: usize,
) -> io::Result<Option<Request>> {
    let (mut request, length, expects) = loop {
        if let Some(parsed) = head(buffer)? {
            break parsed;
        }
        if buffer.len() > LARGEST_HEAD {
            return Err(invalid("a head that is too large"));
        }
        if !more(stream, buffer).await? {
            return Ok(None);
        }
    };
    if expects {
        write(writer, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    match length {
        Length::Bytes(size) => {
            request.size = size;
            request.body = sized(stream, buffer, size, limit).await?;
        }
        Length::Chunked => chunked(stream, buffer, limit, &mut request).await?,
    }
    Ok(Some(request))
}

/// Writes all of it.
pub(super) async fn write(stream: &OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes a whole head off the buffer, if it is there.
fn head(buffer: &mut BytesMut) -> io::Result<Option<(Request, Length, bool)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(buffer).map_err(invalid)?;
    let httparse::Status::Complete(taken) = status else {
        return Ok(None);
    };
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        close: parsed.version == Some(0),
        ..Request::default()
    };
    let mut length = Length::Bytes(0);
    let mut expects = false;
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let size = value.parse().map_err(invalid)?;
            if !matches!(length, Length::Chunked) {
                length = Length::Bytes(size);
            }
        } else if is("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            length = Length::Chunked;
        } else if is("expect") {
            expects = value.eq_ignore_ascii_case("100-continue");
        } else if is("connection") {
            request.close |= value.eq_ignore_ascii_case("close");
        } else {
            note(&mut request, header);
        }
    }
    buffer.advance(taken);
    Ok(Some((request, length, expects)))
}

/// Keeps what a header or a trailer says of an error.
fn note(request: &mut Request, header: &httparse::Header<'_>) {
    let value = || Some(String::from_utf8_lossy(header.value).trim().to_owned());
    if header
        .name
        .eq_ignore_ascii_case("lambda-runtime-function-error-type")
    {
        request.error_type = value();
    } else if header
        .name
        .eq_ignore_ascii_case("lambda-runtime-function-error-body")
    {
        request.error_body = value();
    }
}

async fn sized(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    size: usize,
    limit: usize,
) -> io::Result<Bytes> {
    let kept = size.min(limit);
    buffer.reserve(kept.saturating_sub(buffer.len()));
    while buffer.len() < kept {
        must(stream, buffer).await?;
    }
    let body = buffer.split_to(kept).freeze();
    skip(stream, buffer, size - kept).await?;
    Ok(body)
}

async fn chunked(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    limit: usize,
    request: &mut Request,
) -> io::Result<()> {
    let mut body = BytesMut::new();
    loop {
        let size = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((taken, size))) => {
                    buffer.advance(taken);
                    break usize::try_from(size).map_err(invalid)?;
                }
                Ok(httparse::Status::Partial) if buffer.len() < LARGEST_HEAD => {
                    must(stream, buffer).await?;
                }
                _ => return Err(invalid("a chunk without a size")),
            }
        };
        if size == 0 {
            break;
        }
        request.size = request.size.saturating_add(size);
        let room = limit.saturating_sub(body.len());
        body.extend_from_slice(&sized(stream, buffer, size, room).await?);
        skip(stream, buffer, 2).await?;
    }
    request.body = body.freeze();
    trailer(stream, buffer, request).await
}

async fn trailer(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    request: &mut Request,
) -> io::Result<()> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        match httparse::parse_headers(buffer, &mut headers).map_err(invalid)? {
            httparse::Status::Complete((taken, headers)) => {
                headers.iter().for_each(|header| note(request, header));
                buffer.advance(taken);
                return Ok(());
            }
            httparse::Status::Partial if buffer.len() > LARGEST_HEAD => {
                return Err(invalid("a trailer that is too large"));
            }
            httparse::Status::Partial => must(stream, buffer).await?,
        }
    }
}

/// Throws that many bytes away.
async fn skip(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    mut size: usize,
) -> io::Result<()> {
    loop {
        let here = size.min(buffer.len());
        buffer.advance(here);
        size -= here;
        if size == 0 {
            return Ok(());
        }
        must(stream, buffer).await?;
    }
}

/// Reads more, which has to be there.
async fn must(stream: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<()> {
    match more(stream, buffer).await? {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads more; false when there is no more.
async fn more(stream: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<bool> {
    // More room than there is to read, so that nobody has to ask whether there is more.
    buffer.reserve(8 * 1024);
    Ok(stream.read_buf(buffer).await? > 0)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What is read when a client writes these pieces one by one.
    async fn reads(pieces: &[&str], limit: usize) -> io::Result<Vec<Request>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        client.set_nodelay(true)?;
        let (server, _) = listener.accept().await?;
        let (mut server, writer) = server.into_split();
        let pieces: Vec<String> = pieces.iter().map(|&piece| piece.to_owned()).collect();
        let writes = tokio::spawn(async move {
            for piece in pieces {
                client.write_all(piece.as_bytes()).await?;
                tokio::task::yield_now().await;
            }
            client.shutdown().await?;
            io::Result::Ok(client)
        });
        let mut buffer = BytesMut::new();
        let mut requests = Vec::new();
        while let Some(request) = read(&mut server, &writer, &mut buffer, limit).await? {
            requests.push(request);
        }
        writes.await.expect("a client")?;
        Ok(requests)
    }

    #[tokio::test]
    async fn requests_follow_each_other_however_they_are_cut() {
        let text = "GET /next HTTP/1.1\r\nHost: x\r\n\r\nPOST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello\
                    POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\
                    Lambda-Runtime-Function-Error-Type: Bad\r\n\r\nGET /last HTTP/1.0\r\n\r\n";
        let bytes: Vec<&str> = text.split_inclusive("").collect();
        for pieces in [vec![text], bytes] {
            let requests = reads(&pieces, 100).await.expect("requests");
            let seen: Vec<_> = requests
                .iter()
                .map(|one| (&*one.path, &*one.body))
                .collect();
            let expected: [(&str, &[u8]); 4] = [
                ("/next", b""),
                ("/a", b"hello"),
                ("/b", b"abcde"),
                ("/last", b""),
            ];
            assert_eq!(seen, expected);
            assert_eq!(requests[2].error_type.as_deref(), Some("Bad"));
            assert_eq!((requests[0].close, requests[3].close), (false, true));
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_cut_and_the_next_request_is_read() {
        let requests = reads(
            &[
                "POST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
                "POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
                "GET /c HTTP/1.1\r\n\r\n",
            ],
            3,
        );
        let requests = requests.await.expect("requests");
        let seen: Vec<_> = requests
            .iter()
            .map(|one| (&*one.path, one.size, &*one.body))
            .collect();
        let expected: [(&str, usize, &[u8]); 3] =
            [("/a", 5, b"hel"), ("/b", 5, b"abc"), ("/c", 0, b"")];
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn what_is_not_http_is_an_error() {
        assert!(reads(&["\0\0\r\n\r\n"], 10).await.is_err());
        assert!(
            reads(&["POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"], 10)
                .await
                .is_err()
        );
        assert!(
            reads(&["POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nshort"], 10)
                .await
                .is_err()
        );
        let chunk = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
        assert!(reads(&[chunk], 10).await.is_err());
    }
}
