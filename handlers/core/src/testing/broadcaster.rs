//! Connections that remember.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::Value;
use stackgen_websocket::{Broadcaster, ConnectionId, PostError};

/// Remembers what was posted to whom, and answers as told.
#[derive(Debug, Default)]
pub struct Posts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    posts: Vec<(ConnectionId, Value)>,
    reachable: HashMap<ConnectionId, Reachable>,
}

/// How a connection answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reachable {
    /// It takes what is posted.
    Yes,
    /// It does not.
    No(PostError),
    /// It does not answer at all.
    Never,
}

impl Posts {
    /// From now on the connection answers like this.
    pub fn answers(&self, id: &ConnectionId, reachable: Reachable) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.reachable.insert(id.clone(), reachable);
    }

    /// Takes out what was posted since the last time, in order.
    pub fn take(&self) -> Vec<(ConnectionId, Value)> {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        std::mem::take(&mut state.posts)
    }

    /// Takes out the types of the messages that were posted to this connection, in order; forgets all others.
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
