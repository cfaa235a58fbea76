//! Where apis are reached.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, PoisonError};

use stackgen_gateway_common::ApiId;

use super::{Api, ApiError, Apis};

/// Gives every api a place where it is reached, for as long as there is the api.
pub trait Listen: Debug + Send + Sync + 'static {
    /// Begins to serve an api, and tells where: `ws://127.0.0.1:{port}` or `http://127.0.0.1:{port}`.
    ///
    /// # Errors
    ///
    /// If there is no port.
    fn listen(&self, api: &Api) -> io::Result<String>;

    /// Ends it.
    fn close(&self, api: &ApiId);
}

impl Apis {
    /// From now on, every new api gets its place from this; with `None`, none does.
    pub fn set_listen(&self, listen: Option<Arc<dyn Listen>>) {
        let mut current = self.listen.write().unwrap_or_else(PoisonError::into_inner);
        *current = listen;
    }

    fn listener(&self) -> Option<Arc<dyn Listen>> {
        let listen = self.listen.read().unwrap_or_else(PoisonError::into_inner);
        listen.clone()
    }

    /// Has a new api served.
    pub(super) fn begin(&self, api: Arc<Api>) -> Result<Arc<Api>, ApiError> {
        let Some(listener) = self.listener() else {
            return Ok(api);
        };
        match listener.listen(&api) {
            Ok(endpoint) => self.set_api_endpoint(&api.api_id, endpoint),
            Err(error) => {
                self.delete_api(&api.api_id)?;
                let message = format!("No port of this machine is free for the api: {error}");
                Err(ApiError::bad_request(message))
            }
        }
    }

    pub(super) fn end(&self, api: &ApiId) {
        if let Some(listener) = self.listener() {
            listener.close(api);
        }
    }
}
