//! Connections in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::Value;
use stackgen_websocket::{Broadcaster, ConnectionId, PostError};

/// Records posts to connections, and answers them as tests specify.
#[derive(Debug, Default)]
pub struct Posts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    posts: Vec<(ConnectionId, Value)>,
    reachable: HashMap<ConnectionId, Reachable>,
}

/// Answer of a connection to posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reachable {
    /// Accepts the post.
    Yes,
    /// Fails.
    No(PostError),
    /// Never answers.
    Never,
}

impl Posts {
    /// Sets the connection's answer to further posts.
    pub fn answers(&self, id: &ConnectionId, reachable: Reachable) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.reachable.insert(id.clone(), reachable);
    }

    /// Takes the posts since the last call, in order.
    pub fn take(&self) -> Vec<(ConnectionId, Value)> {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        std::mem::take(&mut state.posts)
    }

    /// Takes the types of the messages that were posted to this connection, in order. Discards all other posts.
    pub fn take_types(&self, id: &ConnectionId) -> Vec<String> {
        let mine = self.take().into_iter().filter(|(to, _)| to == id);
        mine.map(|(_, message)| message["type"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn reachable(&self, id: &ConnectionId) -> Reachable {
        let state = self.state.lock().expect("nobody panics while holding it");
        state.reachable.get(id).cloned().unwrap_or(Reachable::Yes)
    }
}

impl Broadcaster for Posts {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        match self.reachable(to) {
            Reachable::Yes => {}
            Reachable::No(error) => return Err(error),
            Reachable::Never => std::future::pending().await,
        }
        let message = serde_json::from_slice(&message)
            .map_err(|error| PostError::Failed(error.to_string()))?;
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.posts.push((to.clone(), message));
        Ok(())
    }
}
