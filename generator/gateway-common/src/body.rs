//! Bodies of requests, within a bound.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;

/// How much is read of what is over the limit, so that its sender gets the answer and not a broken pipe.
const DRAINED: usize = 10 * 1024 * 1024;

/// The whole body.
///
/// # Errors
///
/// How much was read of one that is too large, or was broken off.
pub async fn whole(body: Body, largest: usize) -> Result<Bytes, usize> {
    let mut whole = Vec::new();
    let mut size = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            return Err(size);
        };
        size += chunk.len();
        if size <= largest {
            whole.extend_from_slice(&chunk);
        } else if size > largest + DRAINED {
            break;
        }
    }
    if size > largest {
        return Err(size);
    }
    Ok(whole.into())
}
