//! Pages in a real browser.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::{Value, json};
use stackgen_gateway_common::Event;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::support::{Served, program};

/// Time that a browser has to start, load a page and report.
const PATIENCE: Duration = Duration::from_secs(180);

/// A browser with one page.
struct Page {
    child: Child,
    telling: mpsc::Receiver<String>,
    server: JoinHandle<()>,
    _profile: TempDir,
}

impl Page {
    /// Opens a page that runs a script. The script has the stage's `URL`, and reports with `tell`.
    fn open(listener: TcpListener, url: &str, script: &str) -> Option<Page> {
        let places = [
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome",
        ];
        let browser = program("Chromium", &places.map(PathBuf::from))?;
        let html = format!(
            "<!doctype html><script>const URL = {};\
             const tell = what => fetch('/told', {{method: 'POST', body: JSON.stringify(what)}});\n{script}</script>",
            json!(url)
        );
        let (told, telling) = mpsc::channel(8);
        let pages = Router::new()
            .route("/", get(async move || Html(html)))
            .route(
                "/told",
                post(async move |body: String| drop(told.send(body).await)),
            );
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, pages).await.unwrap() });
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking"])
            .args([
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("http://{address}/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Some(Page {
            child,
            telling,
            server,
            _profile: profile,
        })
    }

    /// Waits for the page's next report.
    async fn told(&mut self) -> Value {
        let told = tokio::time::timeout(PATIENCE, self.telling.recv()).await;
        let told = told
            .expect("the page reports in time")
            .expect("the page's server runs");
        serde_json::from_str(&told).unwrap()
    }

    async fn close(mut self) {
        self.child.kill().await.unwrap();
        self.server.abort();
    }
}

/// Runs a script in a page and returns its first report.
async fn page(url: &str, script: &str) -> Option<Value> {
    let mut page = Page::open(listener().await, url, script)?;
    let told = page.told().await;
    page.close().await;
    Some(told)
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_page_connects_sends_and_gets_an_answer() {
    let served = Served::start().await;
    let script = "const socket = new WebSocket(URL);
        socket.onopen = () => socket.send('{\"action\":\"hello\"}');
        socket.onmessage = message => tell({heard: message.data, protocol: socket.protocol});";
    if let Some(told) = page(served.url(), script).await {
        assert_eq!(
            told,
            json!({"heard": "{\"action\":\"hello\"}", "protocol": ""})
        );
    }
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn row_x2_a_page_sees_1006_and_nothing_else_of_a_refused_handshake() {
    let served = Served::start().await;
    let url = format!("{}?auth=allow&do=status:403", served.url());
    let script = "const socket = new WebSocket(URL);
        socket.onclose = closed => tell({code: closed.code, reason: closed.reason, clean: closed.wasClean});";
    if let Some(told) = page(&url, script).await {
        assert_eq!(told, json!({"code": 1006, "reason": "", "clean": false}));
    }
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn row_c10_a_page_that_offers_a_subprotocol_which_nobody_echoes_sees_1006() {
    let served = Served::start().await;
    let script = "const socket = new WebSocket(URL, ['bearer', 'abc']);
        socket.onclose = closed => tell({code: closed.code});";
    if let Some(told) = page(served.url(), script).await {
        assert_eq!(told, json!({"code": 1006}));
    }
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn row_x1_a_page_that_closes_bare_sees_1005_and_so_does_the_gateway() {
    let served = Served::start().await;
    let mut events = served.gateway.events().subscribe();
    let script = "const socket = new WebSocket(URL);
        socket.onopen = () => socket.close();
        socket.onclose = closed => tell({code: closed.code, clean: closed.wasClean});";
    if let Some(told) = page(served.url(), script).await {
        assert_eq!(told, json!({"code": 1005, "clean": true}));
        let code = loop {
            if let Event::Closed { code, .. } = events.recv().await.unwrap() {
                break code;
            }
        };
        assert_eq!(code, 1005);
    }
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn row_m17_a_page_that_is_left_ends_with_1001() {
    let served = Served::start().await;
    let mut events = served.gateway.events().subscribe();
    let script = "const socket = new WebSocket(URL);
        socket.onopen = () => tell('connected').then(() => location.replace('about:blank'));";
    if let Some(mut page) = Page::open(listener().await, served.url(), script) {
        assert_eq!(page.told().await, "connected");
        let closed = loop {
            if let Event::Closed { code, reason, .. } = events.recv().await.unwrap() {
                break (code, reason);
            }
        };
        assert_eq!(closed, (1001, String::new()));
        page.close().await;
    }
    served.gateway.shutdown().await;
}
