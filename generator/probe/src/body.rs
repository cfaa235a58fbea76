//! The body of an answer that is not 101: its beginning, whichever way its end is told.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use crate::dial::Stream;
use crate::handshake::Handshake;

/// More of a body explains nothing.
const MOST: usize = 16 * 1024;

/// A body that does not end is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what there is; a body that breaks off is worth as much as one that ends.
pub(crate) async fn read(
    stream: &mut Stream,
    handshake: &Handshake,
    mut bytes: Vec<u8>,
    within: Duration,
) -> String {
    let chunked = handshake.header("transfer-encoding").is_some_and(|value| {
        let mut codings = value.split(',').map(str::trim);
        codings.any(|coding| coding.eq_ignore_ascii_case("chunked"))
    });
    let length = handshake
        .header("content-length")
        .and_then(|value| value.trim().parse().ok());
    let wanted = match (chunked, length) {
        (false, Some(length)) => MOST.min(length),
        _ => MOST,
    };
    let deadline = Instant::now() + within.min(PATIENCE);
    while bytes.len() < wanted && !(chunked && decoded(&bytes).1) {
        match timeout_at(deadline, stream.read_buf(&mut bytes)).await {
            Ok(Ok(read)) if read > 0 => {}
            _ => break,
        }
    }
    if chunked {
        bytes = decoded(&bytes).0;
    }
    bytes.truncate(wanted);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The chunks that are there whole or in part, and whether the last one is there.
fn decoded(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut body, mut rest) = (Vec::new(), bytes);
    while let Ok(httparse::Status::Complete((head, size))) = httparse::parse_chunk_size(rest) {
        if size == 0 {
            return (body, true);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let end = head.saturating_add(size).min(rest.len());
        body.extend_from_slice(&rest[head..end]);
        // Behind a chunk stands an empty line.
        rest = rest.get(end.saturating_add(2)..).unwrap_or_default();
    }
    (body, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        let whole = b"4\r\nWiki\r\n6\r\npedia \r\n0\r\n\r\n";
        assert_eq!(decoded(whole), (b"Wikipedia ".to_vec(), true));
        for cut in 0..whole.len() {
            let (body, _) = decoded(&whole[..cut]);
            assert!(b"Wikipedia ".starts_with(&body));
        }
        assert_eq!(decoded(b"ffffffffffffffff\r\nx").0, b"x");
    }
}
