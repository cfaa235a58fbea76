//! The console's routes and the stream of events, at the control endpoint of a whole gateway.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use stackgen_gateway::ArnScope;
use stackgen_gateway::apis::Snapshot;
use stackgen_gateway::gateway::{
    ConsoleProject, DeploymentRecord, Gateway, GatewayOptions, RemoteGateway, StageRedeploy,
};
use stackgen_gateway::stack::StackTemplate;
use stackgen_gateway_common::{Event, Events};
use tokio::time::timeout;

use crate::support;

pub(crate) const KEY: &str = "x-stackgen-key";

#[derive(Debug)]
struct Project;

impl ConsoleProject for Project {
    fn explain_row(&self, id: &str) -> Option<String> {
        (id == "A2").then(|| "a text".to_owned())
    }

    fn findings(&self, template: &StackTemplate) -> Value {
        json!([{ "rule": "SG1", "stack": template.stack }])
    }

    fn digest(&self, snapshot: &Snapshot, _: &ArnScope) -> String {
        format!("{} routes", snapshot.routes.len())
    }

    fn commit(&self) -> Option<String> {
        Some("c0ffee".to_owned())
    }

    fn record(&self, description: &str) -> Option<DeploymentRecord> {
        description
            .strip_prefix("stackgen ")
            .map(|commit| DeploymentRecord {
                commit: Some(commit.to_owned()),
                ..DeploymentRecord::default()
            })
    }

    fn redeploy(&self, request: &StageRedeploy) -> Result<(), String> {
        let caller = request
            .caller
            .as_ref()
            .map(|caller| (&caller.place, caller.token.len() > 100));
        Err(format!(
            "{} of {}: {caller:?}",
            request.stage, request.api_id
        ))
    }
}

/// Returns the options of a gateway with a project.
pub(crate) fn options() -> GatewayOptions {
    GatewayOptions {
        project: Some(Arc::new(Project)),
        ..GatewayOptions::default()
    }
}

struct Fixture {
    gateway: Gateway,
    endpoint: String,
}

impl Fixture {
    async fn start() -> Self {
        let gateway = Gateway::start(options()).await.unwrap();
        let endpoint = gateway.state().await.endpoint;
        Fixture { gateway, endpoint }
    }

    fn get(&self, path: &str) -> Builder {
        Request::get(format!("{}/_stackgen/{path}", self.endpoint))
    }

    fn post(&self, path: &str) -> Builder {
        Request::post(format!("{}/_stackgen/{path}", self.endpoint))
            .header("content-type", "application/json")
    }

    /// Opens a link, and returns the cookie.
    async fn cookie(&self) -> String {
        let link = self.gateway.console_link().unwrap();
        let opened = support::get(&link).await;
        assert_eq!(opened.status(), StatusCode::OK);
        let cookie = opened.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/_stackgen/; HttpOnly; SameSite=Strict"));
        cookie.split(';').next().unwrap().to_owned()
    }

    fn log(&self, line: usize) {
        self.gateway.events().send(Event::Log {
            function: "echo".to_owned(),
            line: line.to_string(),
        });
    }

    /// Reads the stream until an event has this line.
    async fn stream_until(&self, last_id: Option<&str>, line: usize) -> Vec<StreamEvent> {
        let mut request = self.get("events").header(KEY, self.gateway.key());
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let response = client.request(request.body(Empty::new()).unwrap());
        let mut body = response.await.unwrap().into_body();
        let mut text = String::new();
        let last = format!("\"line\":\"{line}\"}}\n\n");
        while !text.ends_with(&last) {
            let frame = timeout(Duration::from_secs(30), body.frame()).await;
            let data = frame.unwrap().unwrap().unwrap().into_data().unwrap();
            text += std::str::from_utf8(&data).unwrap();
        }
        text.split("\n\n").filter_map(StreamEvent::parse).collect()
    }
}

/// A server-sent event.
struct StreamEvent {
    id: Option<String>,
    data: Value,
}

impl StreamEvent {
    fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        Some(StreamEvent {
            id: field("id: ").map(str::to_owned),
            data: serde_json::from_str(field("data: ")?).unwrap(),
        })
    }
}

async fn status(request: Builder, body: &'static str) -> StatusCode {
    send(request, body).await.status()
}

async fn send(request: Builder, body: &'static str) -> Response<Bytes> {
    support::send(request.body(body).unwrap()).await
}

fn lines(events: &[StreamEvent]) -> Vec<&str> {
    let lines = events
        .iter()
        .filter_map(|event| event.data["line"].as_str());
    lines.collect()
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_and_not_in_another_run() {
    let fixture = Fixture::start().await;
    (1..=5).for_each(|line| fixture.log(line));
    let all = fixture.stream_until(None, 5).await;
    assert_eq!(all[0].data["event"], "started");
    assert_eq!(lines(&all), ["1", "2", "3", "4", "5"]);
    let run = all[0].data["run"].as_str().unwrap();
    let third = all[3].id.as_deref().unwrap();
    assert_eq!(third, format!("{run}-{}", all[3].data["id"]));
    let resumed = fixture.stream_until(Some(third), 5).await;
    assert_eq!(resumed[0].data["run"], run);
    assert_eq!(lines(&resumed), ["4", "5"]);
    let other = fixture.stream_until(Some("other-3"), 5).await;
    assert_eq!(lines(&other), lines(&all));
    fixture.gateway.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_resumes_learns_how_many_events_it_lost() {
    let fixture = Fixture::start().await;
    fixture.log(1);
    let first = fixture.stream_until(None, 1).await;
    let last = first[1].id.as_deref().unwrap();
    let count = Events::CAPACITY + 100;
    (2..=count).for_each(|line| fixture.log(line));
    let events = fixture.stream_until(Some(last), count).await;
    assert_eq!(events[1].data, json!({"event": "dropped", "count": 99}));
    assert_eq!(lines(&events).len(), Events::CAPACITY);
    // A new reader has lost nothing.
    let events = fixture.stream_until(None, count).await;
    assert_eq!(events[1].data["line"], "101");
    assert_eq!(lines(&events).len(), Events::CAPACITY);
    fixture.gateway.shutdown().await;
}

#[tokio::test]
async fn the_stream_ends_with_the_gateway() {
    let fixture = Fixture::start().await;
    let request = fixture.get("events").header(KEY, fixture.gateway.key());
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let response = client.request(request.body(Empty::new()).unwrap());
    let body = response.await.unwrap().into_body();
    fixture.gateway.shutdown().await;
    let rest = timeout(Duration::from_secs(30), body.collect()).await;
    assert!(rest.unwrap().is_ok());
}

#[tokio::test]
async fn a_link_opens_the_console_once() {
    let fixture = Fixture::start().await;
    let link = fixture.gateway.console_link().unwrap();
    assert_eq!(support::get(&link).await.status(), StatusCode::OK);
    let again = support::get(&link).await;
    assert_eq!(again.status(), StatusCode::FORBIDDEN);
    assert!(!again.headers().contains_key("set-cookie"));
    let remote = RemoteGateway::new(&fixture.endpoint, fixture.gateway.key());
    let other = remote.console_link().await.unwrap();
    assert_eq!(support::get(&other).await.status(), StatusCode::OK);
    // Only the latest links are valid.
    let first = remote.console_link().await.unwrap();
    for _ in 0..16 {
        remote.console_link().await.unwrap();
    }
    let status = support::get(&first).await.status();
    assert_eq!(status, StatusCode::FORBIDDEN);
    fixture.gateway.shutdown().await;
}

#[tokio::test]
async fn the_cookie_opens_what_the_console_needs_and_nothing_else() {
    let fixture = Fixture::start().await;
    let cookie = fixture.cookie().await;
    for path in [
        "console/",
        "console/main.js",
        "console/apis",
        "console/rows/A2",
        "console/stack",
    ] {
        let without = status(fixture.get(path), "").await;
        assert_eq!(without, StatusCode::FORBIDDEN, "{path}");
        let with = send(fixture.get(path).header("cookie", &cookie), "").await;
        assert_eq!(with.status(), StatusCode::OK, "{path}");
        let policy = with.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
    }
    let other = format!("{}x", &cookie[..cookie.len() - 1]);
    let wrong = fixture.get("console/apis").header("cookie", other);
    assert_eq!(status(wrong, "").await, StatusCode::FORBIDDEN);
    for path in ["apply", "keys", "schedules", "failures", "console/links"] {
        let request = fixture.post(path).header("cookie", &cookie);
        let request = request.header("origin", &fixture.endpoint);
        assert_eq!(status(request, "{}").await, StatusCode::FORBIDDEN, "{path}");
    }
    let state = fixture.get("state").header("cookie", &cookie);
    assert_eq!(status(state, "").await, StatusCode::FORBIDDEN);
    let missing = fixture.get("console/rows/Z9").header("cookie", &cookie);
    assert_eq!(status(missing, "").await, StatusCode::NOT_FOUND);
    fixture.gateway.shutdown().await;
}

#[tokio::test]
async fn only_the_consoles_own_page_can_use_the_cookie() {
    let fixture = Fixture::start().await;
    let cookie = fixture.cookie().await;
    let mint = || fixture.post("tokens").header("cookie", &cookie);
    let own = mint().header("origin", &fixture.endpoint);
    let minted = send(own, r#"{"subject":"ada"}"#).await;
    assert_eq!(minted.status(), StatusCode::OK);
    let own = mint().header("origin", &fixture.endpoint);
    for (name, request) in [
        ("no origin", mint()),
        (
            "another port",
            mint().header("origin", "http://127.0.0.1:1"),
        ),
        (
            "another site",
            mint().header("origin", "https://evil.example"),
        ),
        (
            "a page of the same site",
            own.header("sec-fetch-site", "same-site"),
        ),
        (
            "a rebound name",
            mint()
                .header("host", "evil.example")
                .header("origin", "http://evil.example"),
        ),
    ] {
        let status = status(request, r#"{"subject":"ada"}"#).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
    }
    for path in ["console/apis", "console/"] {
        for site in ["same-site", "cross-site"] {
            let read = fixture.get(path).header("cookie", &cookie);
            let read = read.header("sec-fetch-site", site);
            let status = status(read, "").await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}, {site}");
        }
    }
    let typed = fixture.get("console/").header("cookie", &cookie);
    let typed = typed.header("sec-fetch-site", "none");
    assert_eq!(status(typed, "").await, StatusCode::OK);
    fixture.gateway.shutdown().await;
}

#[tokio::test]
async fn a_refused_change_of_a_stage_has_a_message() {
    let fixture = Fixture::start().await;
    for (body, message) in [
        (
            r#"{"action":"activate","apiId":"none","stage":"prod","deploymentId":"x"}"#,
            "Invalid API identifier specified 000000000000:none",
        ),
        (
            r#"{"action":"redeploy","apiId":"none","stage":"prod"}"#,
            "prod of none: None",
        ),
        (
            r#"{"action":"redeploy","apiId":"none","stage":"prod","caller":{"subject":"ada","place":{"kind":"query","name":"token"}}}"#,
            "prod of none: Some((Query(\"token\"), true))",
        ),
    ] {
        let change = fixture.post("console/apis");
        let refused = send(change.header(KEY, fixture.gateway.key()), body).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        let refused: Value = serde_json::from_slice(refused.body()).unwrap();
        assert_eq!(refused, json!({ "message": message }));
    }
    fixture.gateway.shutdown().await;
}
