//! Listeners of APIs: one port per API.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::apis::{ApiListener, ProtocolType, StoredApi};
use stackgen_gateway_apis::http_api;
use stackgen_gateway_apis::management;
use stackgen_gateway_apis::server::{self, ServerRoutes};
use stackgen_gateway_apis::websocket::WebSocketApi;
use stackgen_gateway_common::{ApiId, Grants};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::tls::GatewayTls;

/// Listeners of all APIs.
pub(super) struct Listeners {
    plane: Arc<DataPlane>,
    grants: Arc<dyn Grants>,
    tls: Arc<GatewayTls>,
    /// Port for the next API; 0 for any free port.
    next: AtomicU16,
    open: Mutex<HashMap<ApiId, Listening>>,
}

struct Listening {
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Listeners {
    /// Creates the listeners. APIs get the ports after `after`, if they are free.
    pub(super) fn new(
        plane: Arc<DataPlane>,
        grants: Arc<dyn Grants>,
        tls: Arc<GatewayTls>,
        after: Option<u16>,
    ) -> Self {
        let next = after.map_or(0, |port| port.saturating_add(1));
        Listeners {
            plane,
            grants,
            tls,
            next: AtomicU16::new(next),
            open: Mutex::default(),
        }
    }

    /// Stops all listeners and waits for their connections to close.
    pub(super) async fn shutdown(&self) {
        let open = std::mem::take(&mut *self.open());
        for listening in open.values() {
            listening.stop.cancel();
        }
        for listening in open.into_values() {
            let _ = listening.serving.await;
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<ApiId, Listening>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn websocket_routes(&self, api: &ApiId) -> ServerRoutes {
        let (plane, grants) = (self.plane.clone(), self.grants.clone());
        ServerRoutes {
            websocket: Some(WebSocketApi::new(plane, api.clone(), grants)),
            http: management::router(api.clone(), self.plane.clone(), self.grants.clone()),
        }
    }

    fn http_routes(&self, api: &ApiId) -> ServerRoutes {
        ServerRoutes {
            websocket: None,
            http: http_api::router(api.clone(), self.plane.clone(), self.grants.clone()),
        }
    }

    /// Listens on the next port, or on any free one.
    pub(super) fn bind(&self) -> io::Result<tokio::net::TcpListener> {
        let next = self.next.load(Ordering::Relaxed);
        if next == 0 {
            return server::listen(None);
        }
        self.next.store(next.wrapping_add(1), Ordering::Relaxed);
        server::listen(Some(next)).or_else(|_| server::listen(None))
    }
}

impl ApiListener for Listeners {
    fn listen(&self, api: &StoredApi) -> io::Result<String> {
        let listener = self.bind()?;
        let authority = listener.local_addr()?;
        let stop = CancellationToken::new();
        let id = api.api_id.clone();
        let (scheme, routes) = match api.protocol_type {
            ProtocolType::WebSocket => ("ws", self.websocket_routes(&id)),
            ProtocolType::Http => ("http", self.http_routes(&id)),
        };
        let tls = self.tls.serve_api(&id, authority.port())?;
        let serving = tokio::spawn(server::serve(listener, stop.clone(), Some(tls), routes));
        self.open().insert(id, Listening { stop, serving });
        Ok(format!("{scheme}://{authority}"))
    }

    fn close(&self, api: &ApiId) {
        if let Some(listening) = self.open().remove(api) {
            self.tls.remove_api(api);
            listening.stop.cancel();
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").finish_non_exhaustive()
    }
}
