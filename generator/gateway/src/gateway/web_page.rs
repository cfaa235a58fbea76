//! Server of the stack's web page.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use stackgen_gateway_apis::apis::ProtocolType;
use stackgen_gateway_apis::server::{self, ServerRoutes};
use tokio::task::JoinHandle;

use super::{Gateway, Shared};
use crate::identity::SignInClients;
use crate::page::{self, PageSettings, PageSignIn};

/// Server of the web page, on a port of its own: the page must not have the origin of the control endpoint.
#[derive(Debug, Default)]
pub(super) struct PageServer {
    state: Mutex<PageState>,
}

#[derive(Debug, Default)]
struct PageState {
    /// Folder of the page, if the stack has one.
    folder: Option<PathBuf>,
    /// Address of the server, once it runs.
    address: Option<SocketAddr>,
    serving: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Serves the files of a folder as the stack's web page, with a `config.json` that has the addresses of the stack. The first
    /// call chooses a port, which stays when the folder changes. Without a folder, nothing is served.
    ///
    /// # Errors
    ///
    /// If no port of loopback is free.
    pub fn serve_page(&self, folder: Option<PathBuf>) -> io::Result<()> {
        let mut state = self.shared.page.state();
        if folder.is_some() && state.address.is_none() {
            let listener = self.shared.listeners.bind()?;
            state.address = Some(listener.local_addr()?);
            let shared = self.shared.clone();
            let routes = ServerRoutes {
                websocket: None,
                http: Router::new().fallback(move |request| answer(shared.clone(), request)),
            };
            let serving = server::serve(listener, self.shared.stop.clone(), None, routes);
            state.serving = Some(tokio::spawn(serving));
        }
        state.folder = folder;
        Ok(())
    }
}

impl PageServer {
    /// Returns the page's URL, if the stack has a page.
    pub(super) fn url(&self) -> Option<String> {
        let state = self.state();
        let address = state.folder.as_ref().and(state.address)?;
        Some(format!("http://{address}/"))
    }

    /// Waits until the server has stopped.
    pub(super) async fn stopped(&self) {
        let serving = self.state().serving.take();
        if let Some(serving) = serving {
            let _ = serving.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, PageState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(shared: Arc<Shared>, request: Request) -> Response {
    let folder = shared.page.state().folder.clone();
    match folder {
        Some(folder) => page::answer(&folder, async || shared.page_settings().await, request).await,
        None => {
            let text = "The stack has no web page: stackgen.yaml has no `page`.\n";
            (StatusCode::NOT_FOUND, text).into_response()
        }
    }
}

impl Shared {
    async fn page_settings(&self) -> PageSettings {
        let state = self.state().await;
        let client = self.declared_audiences().into_iter().next();
        let url = |protocol| {
            let of_protocol = state
                .apis
                .iter()
                .filter(|api| api.protocol_type == protocol);
            let mut stages = of_protocol.flat_map(|api| &api.stages);
            match (stages.next(), stages.next()) {
                (Some(only), None) => Some(only.url.clone()),
                _ => None,
            }
        };
        PageSettings {
            websocket_url: url(ProtocolType::WebSocket),
            http_url: url(ProtocolType::Http),
            sign_in: client.map(|client_id| PageSignIn {
                issuer: state.issuer.clone(),
                client_id,
            }),
        }
    }
}

impl SignInClients for Shared {
    fn origins(&self) -> Vec<String> {
        let state = self.page.state();
        let Some(address) = state.folder.as_ref().and(state.address) else {
            return Vec::new();
        };
        let port = address.port();
        ["127.0.0.1", "localhost"]
            .map(|host| format!("http://{host}:{port}"))
            .to_vec()
    }

    fn client_ids(&self) -> Vec<String> {
        self.declared_audiences()
    }
}
