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

use crate::support::{RunningGateway, program};

/// Time that a browser has to start, load a page and report.
const TIMEOUT: Duration = Duration::from_secs(180);

/// A browser with one page.
struct Page {
    child: Child,
    reports: mpsc::Receiver<String>,
    server: JoinHandle<()>,
    _profile: TempDir,
}

impl Page {
    /// Opens a page that runs a script. The script has the stage's `URL`, and reports with `report`.
    fn open(listener: TcpListener, url: &str, script: &str) -> Option<Page> {
        let paths = [
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome",
        ];
        let browser = program("Chromium", &paths.map(PathBuf::from))?;
        let html = format!(
            "<!doctype html><script>const URL = {};\
             const report = value => fetch('/report', {{method: 'POST', body: JSON.stringify(value)}});\n{script}</script>",
            json!(url)
        );
        let (reported, reports) = mpsc::channel(8);
        let pages = Router::new()
            .route("/", get(async move || Html(html)))
            .route(
                "/report",
                post(async move |body: String| drop(reported.send(body).await)),
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
            reports,
            server,
            _profile: profile,
        })
    }

    /// Waits for the page's next report.
    async fn reported(&mut self) -> Value {
        let reported = tokio::time::timeout(TIMEOUT, self.reports.recv()).await;
        let reported = reported
            .expect("the page reports in time")
            .expect("the page's server runs");
        serde_json::from_str(&reported).unwrap()
    }

    async fn close(mut self) {
        self.child.kill().await.unwrap();
        self.server.abort();
    }
}

/// Runs a script in a page and returns its first report.
async fn page(url: &str, script: &str) -> Option<Value> {
    let mut page = Page::open(listener().await, url, script)?;
    let reported = page.reported().await;
    page.close().await;
    Some(reported)
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_page_connects_sends_and_gets_an_answer() {
    let running = RunningGateway::start().await;
    let script = "const socket = new WebSocket(URL);
        socket.onopen = () => socket.send('{\"action\":\"hello\"}');
        socket.onmessage = message => report({received: message.data, protocol: socket.protocol});";
    if let Some(reported) = page(running.url(), script).await {
        assert_eq!(
            reported,
            json!({"received": "{\"action\":\"hello\"}", "protocol": ""})
        );
    }
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn row_x2_a_page_sees_only_1006_of_a_refused_handshake() {
    let running = RunningGateway::start().await;
    let url = format!("{}?auth=allow&do=status:403", running.url());
    let script = "const socket = new WebSocket(URL);
        socket.onclose = closed => report({code: closed.code, reason: closed.reason, clean: closed.wasClean});";
    if let Some(reported) = page(&url, script).await {
        assert_eq!(
            reported,
            json!({"code": 1006, "reason": "", "clean": false})
        );
    }
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn row_c10_a_page_sees_1006_if_its_subprotocol_is_not_echoed() {
    let running = RunningGateway::start().await;
    let script = "const socket = new WebSocket(URL, ['bearer', 'abc']);
        socket.onclose = closed => report({code: closed.code});";
    if let Some(reported) = page(running.url(), script).await {
        assert_eq!(reported, json!({"code": 1006}));
    }
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn row_x1_a_close_without_a_code_is_1005_for_page_and_gateway() {
    let running = RunningGateway::start().await;
    let mut events = running.gateway.events().subscribe();
    let script = "const socket = new WebSocket(URL);
        socket.onopen = () => socket.close();
        socket.onclose = closed => report({code: closed.code, clean: closed.wasClean});";
    if let Some(reported) = page(running.url(), script).await {
        assert_eq!(reported, json!({"code": 1005, "clean": true}));
        let code = loop {
            if let Event::Closed { code, .. } = events.recv().await.unwrap() {
                break code;
            }
        };
        assert_eq!(code, 1005);
    }
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn row_m17_leaving_a_page_closes_with_1001() {
    let running = RunningGateway::start().await;
    let mut events = running.gateway.events().subscribe();
    let script = "const socket = new WebSocket(URL);
        socket.onopen = () => report('connected').then(() => location.replace('about:blank'));";
    if let Some(mut page) = Page::open(listener().await, running.url(), script) {
        assert_eq!(page.reported().await, "connected");
        let closed = loop {
            if let Event::Closed { code, reason, .. } = events.recv().await.unwrap() {
                break (code, reason);
            }
        };
        assert_eq!(closed, (1001, String::new()));
        page.close().await;
    }
    running.gateway.shutdown().await;
}
