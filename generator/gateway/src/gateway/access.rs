//! Access to the private routes: by the gateway's key in a header, or by the console's cookie in a browser.
//!
//! The cookie does not contain the gateway's key: browsers send a cookie to every port of a host. It opens only what the
//! console needs, which excludes applying a template.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};

use super::answer::error;
use super::history::DeploymentHistory;
use super::requests::KEY_HEADER;
use super::{ConsoleProject, Shared, StartError};
use crate::secret::secret;

/// Maximum number of links that are not used yet. A new link replaces the oldest one.
const MAX_LINKS: usize = 16;

/// Access of browsers to the console, and the project that it shows.
pub(super) struct ConsoleAccess {
    /// Name of the cookie. It contains the port, because gateways on other ports have the same host.
    cookie: String,
    /// Value of the cookie.
    session: String,
    /// Codes of links that are not used yet.
    links: Mutex<VecDeque<String>>,
    pub(super) project: Option<Arc<dyn ConsoleProject>>,
    /// Records of deployments.
    pub(super) history: DeploymentHistory,
}

impl ConsoleAccess {
    /// Creates the session of a gateway on a port.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(super) fn new(
        port: u16,
        project: Option<Arc<dyn ConsoleProject>>,
    ) -> Result<Self, StartError> {
        Ok(ConsoleAccess {
            cookie: format!("stackgen-console-{port}"),
            session: secret().ok_or(StartError::Random)?,
            links: Mutex::default(),
            project,
            history: DeploymentHistory::default(),
        })
    }

    /// Creates the code of a link that opens the console once.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(super) fn link_code(&self) -> Result<String, StartError> {
        let code = secret().ok_or(StartError::Random)?;
        let mut links = self.links();
        if links.len() >= MAX_LINKS {
            links.pop_front();
        }
        links.push_back(code.clone());
        Ok(code)
    }

    /// Uses a link. Returns the `Set-Cookie` header, or `None` if the link is unknown or was used.
    pub(super) fn open(&self, code: &str) -> Option<String> {
        let mut links = self.links();
        let known = links.iter().position(|link| is_same(link, code))?;
        links.remove(known);
        let (name, value) = (&self.cookie, &self.session);
        Some(format!(
            "{name}={value}; Path=/_stackgen/; HttpOnly; SameSite=Strict"
        ))
    }

    /// Returns true if a request has the cookie.
    pub(super) fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::COOKIE).iter();
        let mut pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && is_same(value, &self.session))
    }

    fn links(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes requests with the gateway's key.
pub(super) async fn with_key(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    match has_key(&shared, request.headers()) {
        true => next.run(request).await,
        false => refusal(&format!("{KEY_HEADER} is missing or wrong")),
    }
}

/// Passes requests with the gateway's key, and those of the console's own page.
pub(super) async fn with_key_or_cookie(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if has_key(&shared, headers) {
        return next.run(request).await;
    }
    if !shared.console.has_cookie(headers) {
        return refusal(&format!(
            "{KEY_HEADER} is missing or wrong, and so is the cookie of the console; `stackgen console` prints a link"
        ));
    }
    match is_of_console(request.method(), headers) {
        true => next.run(request).await,
        false => refusal("only the console's own page may send this request"),
    }
}

fn has_key(shared: &Shared, headers: &HeaderMap) -> bool {
    let key = headers.get(KEY_HEADER).and_then(|key| key.to_str().ok());
    key.is_some_and(|key| is_same(key, &shared.key))
}

/// Returns true if a request with the cookie comes from a page of this origin. `SameSite` does not exclude pages of other ports of
/// this machine. The control endpoint has checked that an `Origin` is its own.
pub(super) fn is_of_console(method: &Method, headers: &HeaderMap) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let is_own = match site {
        None | Some(b"same-origin") => true,
        Some(b"none") => reads,
        Some(_) => false,
    };
    is_own && (reads || headers.contains_key(header::ORIGIN))
}

/// Compares secrets in constant time.
fn is_same(given: &str, secret: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), secret.as_bytes()).is_ok()
}

fn refusal(message: &str) -> Response {
    error(StatusCode::FORBIDDEN, message)
}
