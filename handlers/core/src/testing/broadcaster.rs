//! Connections in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::Value;
use stackgen_websocket::{Broadcaster, ConnectionId, ConnectionProbe, PostError};

/// Records posts to connections, and answers them as tests specify.
#[derive(Debug, Default)]
pub struct MemoryBroadcaster {
    state: Mutex<BroadcasterState>,
}

#[derive(Debug, Default)]
struct BroadcasterState {
    posts: Vec<(ConnectionId, Value)>,
    behaviors: HashMap<ConnectionId, PostBehavior>,
    closed: Vec<ConnectionId>,
}

/// Answer of a connection to posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostBehavior {
    /// Accepts the post.
    Accepts,
    /// Fails.
    Fails(PostError),
    /// Never answers.
    Hangs,
}

impl MemoryBroadcaster {
    /// Sets the connection's answer to further posts.
    pub fn set_behavior(&self, id: &ConnectionId, behavior: PostBehavior) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.behaviors.insert(id.clone(), behavior);
    }

    /// Takes the posts since the last call, in order.
    pub fn take(&self) -> Vec<(ConnectionId, Value)> {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        std::mem::take(&mut state.posts)
    }

    /// Takes the types of the messages that were posted to this connection, in order. Discards all other posts.
    pub fn take_types(&self, id: &ConnectionId) -> Vec<String> {
        let posts = self.take().into_iter().filter(|(to, _)| to == id);
        posts
            .map(|(_, message)| message["type"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Returns the connections that were closed.
    pub fn closed(&self) -> Vec<ConnectionId> {
        let state = self.state.lock().expect("nobody panics while holding it");
        state.closed.clone()
    }

    fn behavior(&self, id: &ConnectionId) -> PostBehavior {
        let state = self.state.lock().expect("nobody panics while holding it");
        state
            .behaviors
            .get(id)
            .cloned()
            .unwrap_or(PostBehavior::Accepts)
    }
}

impl ConnectionProbe for MemoryBroadcaster {
    async fn probe(&self, id: &ConnectionId) -> Result<(), PostError> {
        match self.behavior(id) {
            PostBehavior::Accepts => Ok(()),
            PostBehavior::Fails(error) => Err(error),
            PostBehavior::Hangs => std::future::pending().await,
        }
    }
}

impl Broadcaster for MemoryBroadcaster {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        match self.behavior(to) {
            PostBehavior::Accepts => {}
            PostBehavior::Fails(error) => return Err(error),
            PostBehavior::Hangs => std::future::pending().await,
        }
        let message = serde_json::from_slice(&message)
            .map_err(|error| PostError::Failed(error.to_string()))?;
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.posts.push((to.clone(), message));
        Ok(())
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PostError> {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.closed.push(id.clone());
        Ok(())
    }
}
