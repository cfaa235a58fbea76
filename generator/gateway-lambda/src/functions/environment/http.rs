//! Minimal HTTP/1.1 server for the Runtime API: sequential requests on a connection.
//!
//! Every WebSocket message passes through here twice. For speed, bodies are opaque bytes, and only the headers of the Runtime
//! API are read.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Maximum size of a head in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Maximum number of headers.
const MAX_HEADERS: usize = 64;

/// Request, as far as the Runtime API needs it.
#[derive(Debug, Default)]
pub(super) struct RuntimeRequest {
    pub(super) method: String,
    pub(super) path: String,
    /// Body up to the limit. The rest was read and discarded.
    pub(super) body: Bytes,
    /// Size of the whole body.
    pub(super) size: usize,
    /// `Lambda-Runtime-Function-Error-Type` of the head or the trailer.
    pub(super) error_type: Option<String>,
    /// `Lambda-Runtime-Function-Error-Body` of the trailer: an error after the stream had begun.
    pub(super) error_body: Option<String>,
    /// True if the client closes the connection after this request.
    pub(super) close: bool,
}

#[derive(Debug)]
enum BodyLength {
    Bytes(usize),
    Chunked,
}

/// Reads the next request, with up to `limit` bytes of its body. Returns `None` if the connection ended between two
/// requests.
pub(super) async fn read(
    stream: &mut OwnedReadHalf,
    writer: &OwnedWriteHalf,
    buffer: &mut BytesMut,
    limit: usize,
) -> io::Result<Option<RuntimeRequest>> {
    let (mut request, length, expects_continue) = loop {
        if let Some(parsed) = parse_head(buffer)? {
            break parsed;
        }
        if buffer.len() > MAX_HEAD {
            return Err(invalid("the head is too large"));
        }
        if !read_more(stream, buffer).await? {
            return Ok(None);
        }
    };
    if expects_continue {
        write(writer, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    match length {
        BodyLength::Bytes(size) => {
            request.size = size;
            request.body = read_sized(stream, buffer, size, limit).await?;
        }
        BodyLength::Chunked => read_chunked(stream, buffer, limit, &mut request).await?,
    }
    Ok(Some(request))
}

/// Writes all bytes.
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

/// Removes the head from the buffer, if it is complete.
fn parse_head(buffer: &mut BytesMut) -> io::Result<Option<(RuntimeRequest, BodyLength, bool)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(buffer).map_err(invalid)?;
    let httparse::Status::Complete(taken) = status else {
        return Ok(None);
    };
    let mut request = RuntimeRequest {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        close: parsed.version == Some(0),
        ..RuntimeRequest::default()
    };
    let mut length = BodyLength::Bytes(0);
    let mut expects_continue = false;
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let size = value.parse().map_err(invalid)?;
            if !matches!(length, BodyLength::Chunked) {
                length = BodyLength::Bytes(size);
            }
        } else if is("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            length = BodyLength::Chunked;
        } else if is("expect") {
            expects_continue = value.eq_ignore_ascii_case("100-continue");
        } else if is("connection") {
            request.close |= value.eq_ignore_ascii_case("close");
        } else {
            store_error_header(&mut request, header);
        }
    }
    buffer.advance(taken);
    Ok(Some((request, length, expects_continue)))
}

/// Stores the error headers of a head or a trailer.
fn store_error_header(request: &mut RuntimeRequest, header: &httparse::Header<'_>) {
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

async fn read_sized(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    size: usize,
    limit: usize,
) -> io::Result<Bytes> {
    let stored = size.min(limit);
    buffer.reserve(stored.saturating_sub(buffer.len()));
    while buffer.len() < stored {
        read_more_or_fail(stream, buffer).await?;
    }
    let body = buffer.split_to(stored).freeze();
    skip(stream, buffer, size - stored).await?;
    Ok(body)
}

async fn read_chunked(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    limit: usize,
    request: &mut RuntimeRequest,
) -> io::Result<()> {
    let mut body = BytesMut::new();
    loop {
        let size = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((taken, size))) => {
                    buffer.advance(taken);
                    break usize::try_from(size).map_err(invalid)?;
                }
                Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => {
                    read_more_or_fail(stream, buffer).await?;
                }
                _ => return Err(invalid("a chunk has no size")),
            }
        };
        if size == 0 {
            break;
        }
        request.size = request.size.saturating_add(size);
        let room = limit.saturating_sub(body.len());
        body.extend_from_slice(&read_sized(stream, buffer, size, room).await?);
        skip(stream, buffer, 2).await?;
    }
    request.body = body.freeze();
    read_trailer(stream, buffer, request).await
}

async fn read_trailer(
    stream: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    request: &mut RuntimeRequest,
) -> io::Result<()> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(buffer, &mut headers).map_err(invalid)? {
            httparse::Status::Complete((taken, headers)) => {
                headers
                    .iter()
                    .for_each(|header| store_error_header(request, header));
                buffer.advance(taken);
                return Ok(());
            }
            httparse::Status::Partial if buffer.len() > MAX_HEAD => {
                return Err(invalid("the trailer is too large"));
            }
            httparse::Status::Partial => read_more_or_fail(stream, buffer).await?,
        }
    }
}

/// Reads and discards this number of bytes.
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
        read_more_or_fail(stream, buffer).await?;
    }
}

/// Reads more bytes. Fails at the end of the connection.
async fn read_more_or_fail(stream: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<()> {
    match read_more(stream, buffer).await? {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads more bytes. Returns false at the end of the connection.
async fn read_more(stream: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<bool> {
    // Enough room for one read to take everything, which saves a second system call.
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

    /// Reads all requests of a client that writes these pieces one by one.
    async fn read_all(pieces: &[&str], limit: usize) -> io::Result<Vec<RuntimeRequest>> {
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
    async fn requests_are_read_from_pieces_of_any_size() {
        let text = "GET /next HTTP/1.1\r\nHost: x\r\n\r\nPOST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello\
                    POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\
                    Lambda-Runtime-Function-Error-Type: Bad\r\n\r\nGET /last HTTP/1.0\r\n\r\n";
        let bytes: Vec<&str> = text.split_inclusive("").collect();
        for pieces in [vec![text], bytes] {
            let requests = read_all(&pieces, 100).await.expect("requests");
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
        let requests = read_all(
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
    async fn invalid_http_is_an_error() {
        assert!(read_all(&["\0\0\r\n\r\n"], 10).await.is_err());
        assert!(
            read_all(&["POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"], 10)
                .await
                .is_err()
        );
        assert!(
            read_all(&["POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nshort"], 10)
                .await
                .is_err()
        );
        let chunk = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
        assert!(read_all(&[chunk], 10).await.is_err());
    }
}
