//! Reads the beginning of a refusal's body.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use crate::response::HandshakeResponse;
use crate::stream::Stream;

/// Maximum number of bytes to read.
const MAX_BODY: usize = 16 * 1024;

/// Timeout for a body that does not end.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads the body until its end, the limit or the timeout. An incomplete body is returned as well.
pub(crate) async fn read(
    stream: &mut Stream,
    handshake: &HandshakeResponse,
    mut bytes: Vec<u8>,
    max_wait: Duration,
) -> String {
    let chunked = handshake.header("transfer-encoding").is_some_and(|value| {
        let mut codings = value.split(',').map(str::trim);
        codings.any(|coding| coding.eq_ignore_ascii_case("chunked"))
    });
    let length = handshake
        .header("content-length")
        .and_then(|value| value.trim().parse().ok());
    let limit = match (chunked, length) {
        (false, Some(length)) => MAX_BODY.min(length),
        _ => MAX_BODY,
    };
    let deadline = Instant::now() + max_wait.min(BODY_TIMEOUT);
    while bytes.len() < limit && !(chunked && decode_chunks(&bytes).1) {
        match timeout_at(deadline, stream.read_buf(&mut bytes)).await {
            Ok(Ok(read)) if read > 0 => {}
            _ => break,
        }
    }
    if chunked {
        bytes = decode_chunks(&bytes).0;
    }
    bytes.truncate(limit);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Joins the chunks that have arrived, the last of them perhaps in part. The flag is true if the final chunk has arrived.
fn decode_chunks(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut body, mut rest) = (Vec::new(), bytes);
    while let Ok(httparse::Status::Complete((head, size))) = httparse::parse_chunk_size(rest) {
        if size == 0 {
            return (body, true);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let end = head.saturating_add(size).min(rest.len());
        body.extend_from_slice(&rest[head..end]);
        // A chunk ends with CRLF.
        rest = rest.get(end.saturating_add(2)..).unwrap_or_default();
    }
    (body, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        let whole = b"4\r\nWiki\r\n6\r\npedia \r\n0\r\n\r\n";
        assert_eq!(decode_chunks(whole), (b"Wikipedia ".to_vec(), true));
        for cut in 0..whole.len() {
            let (body, _) = decode_chunks(&whole[..cut]);
            assert!(b"Wikipedia ".starts_with(&body));
        }
        assert_eq!(decode_chunks(b"ffffffffffffffff\r\nx").0, b"x");
    }
}
