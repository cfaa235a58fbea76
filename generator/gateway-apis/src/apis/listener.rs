//! Listeners of APIs.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, PoisonError};

use stackgen_gateway_common::ApiId;

use super::{ApiError, Apis, StoredApi};

/// Gives each API an endpoint for as long as the API exists.
pub trait ApiListener: Debug + Send + Sync + 'static {
    /// Starts to serve an API. Returns its endpoint: `ws://127.0.0.1:{port}` or `http://127.0.0.1:{port}`.
    ///
    /// # Errors
    ///
    /// If no port is free.
    fn listen(&self, api: &StoredApi) -> io::Result<String>;

    /// Stops serving an API.
    fn close(&self, api: &ApiId);
}

impl Apis {
    /// Sets the listener for APIs that are created from now on. With `None`, new APIs get no endpoint.
    pub fn set_listener(&self, listen: Option<Arc<dyn ApiListener>>) {
        let mut current = self.listen.write().unwrap_or_else(PoisonError::into_inner);
        *current = listen;
    }

    fn listener(&self) -> Option<Arc<dyn ApiListener>> {
        let listen = self.listen.read().unwrap_or_else(PoisonError::into_inner);
        listen.clone()
    }

    /// Starts to serve a new API.
    pub(super) fn start_listening(&self, api: Arc<StoredApi>) -> Result<Arc<StoredApi>, ApiError> {
        let Some(listener) = self.listener() else {
            return Ok(api);
        };
        match listener.listen(&api) {
            Ok(endpoint) => self.set_api_endpoint(&api.api_id, endpoint),
            Err(error) => {
                self.delete_api(&api.api_id)?;
                let message = format!("No port is free for the API: {error}");
                Err(ApiError::bad_request(message))
            }
        }
    }

    pub(super) fn stop_listening(&self, api: &ApiId) {
        if let Some(listener) = self.listener() {
            listener.close(api);
        }
    }
}
