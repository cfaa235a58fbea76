//! Request bodies with a size limit.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;

/// Bytes that are read beyond the limit, so that the sender gets the answer and not a broken pipe.
const MAX_DRAINED_BYTES: usize = 10 * 1024 * 1024;

/// Reads the whole body.
///
/// # Errors
///
/// Returns the number of bytes read if the body is larger than `max_bytes`, or if the connection breaks.
pub async fn read_all(body: Body, max_bytes: usize) -> Result<Bytes, usize> {
    let mut bytes = Vec::new();
    let mut size = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            return Err(size);
        };
        size += chunk.len();
        if size <= max_bytes {
            bytes.extend_from_slice(&chunk);
        } else if size > max_bytes + MAX_DRAINED_BYTES {
            break;
        }
    }
    if size > max_bytes {
        return Err(size);
    }
    Ok(bytes.into())
}
