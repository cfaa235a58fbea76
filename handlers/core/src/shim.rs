//! Stands in until the library has it.
#![allow(missing_docs)]
use bytes::Bytes;
use stackgen_websocket::{Broadcaster, ConnectionId, PostError};
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub sent: usize,
    pub gone: Vec<ConnectionId>,
    pub failed: Vec<(ConnectionId, PostError)>,
}
#[derive(Default)]
pub struct FanOut;
pub async fn fan_out(b: &impl Broadcaster, to: &[ConnectionId], m: Bytes, _: &FanOut) -> Report {
    let mut r = Report::default();
    for id in to {
        match b.post(id, m.clone()).await {
            Ok(()) => r.sent += 1,
            Err(PostError::Gone) => r.gone.push(id.clone()),
            Err(e) => r.failed.push((id.clone(), e)),
        }
    }
    r
}
