//! The stack's web page on its own port.

use std::path::{Path, PathBuf};

use http::{Request, StatusCode};
use serde_json::Value;
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway_stack::StackTemplate;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support;

/// A gateway that runs the flagship and serves a page.
pub(crate) struct PageWorld {
    pub(crate) gateway: Gateway,
    pub(crate) folder: TempDir,
    /// Origin of the page.
    pub(crate) origin: String,
    pub(crate) issuer: String,
}

impl PageWorld {
    pub(crate) async fn start() -> Self {
        let gateway = Gateway::start(GatewayOptions::default()).await.unwrap();
        gateway.apply(flagship()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.html"), "page").unwrap();
        gateway.serve_page(Some(folder.path().to_owned())).unwrap();
        let state = gateway.state().await;
        let page = state.page.unwrap();
        PageWorld {
            gateway,
            folder,
            origin: page.trim_end_matches('/').to_owned(),
            issuer: state.issuer,
        }
    }
}

fn flagship() -> StackTemplate {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file: PathBuf = root.join("out/dev/template.yaml");
    StackTemplate {
        stack: "live-session-dev".to_owned(),
        text: std::fs::read_to_string(&file).unwrap(),
        file: file.display().to_string(),
        ..StackTemplate::default()
    }
}

async fn get(world: &PageWorld, path: &str) -> (StatusCode, String) {
    let response = support::get(&format!("{}{path}", world.origin)).await;
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status(), body)
}

#[tokio::test]
async fn the_page_has_a_port_of_its_own_and_the_addresses_of_the_stack() {
    let world = PageWorld::start().await;
    let config = r#"{ "websocketUrl": "wss://prod", "languages": ["en"] }"#;
    std::fs::write(world.folder.path().join("config.json"), config).unwrap();
    assert_eq!(get(&world, "/").await, (StatusCode::OK, "page".to_owned()));

    let state = world.gateway.state().await;
    let (_, settings) = get(&world, "/config.json").await;
    let settings: Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["websocketUrl"], state.apis[0].stages[0].url);
    assert_eq!(settings["httpUrl"], state.apis[1].stages[0].url);
    assert_eq!(settings["issuer"], state.issuer);
    assert_eq!(settings["clientId"], "example-client-id");
    assert_eq!(settings["languages"], serde_json::json!(["en"]));
    let others = [
        &state.endpoint,
        &state.apis[0].endpoint,
        &state.apis[1].endpoint,
    ];
    let port = world.origin.rsplit(':').next().unwrap();
    assert!(others.iter().all(|other| !other.ends_with(port)));
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn a_name_that_was_rebound_to_loopback_reaches_no_file() {
    let world = PageWorld::start().await;
    for (host, expected) in [
        ("rebound.example", StatusCode::FORBIDDEN),
        ("127.0.0.1.rebound.example", StatusCode::FORBIDDEN),
        ("localhost", StatusCode::OK),
    ] {
        let request = Request::get(format!("{}/", world.origin)).header("host", host);
        let response = support::send(request.body("").unwrap()).await;
        assert_eq!(response.status(), expected, "{host}");
        assert_eq!(response.body() == "page", expected == StatusCode::OK);
    }
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn another_folder_keeps_the_port_and_without_a_folder_nothing_is_served() {
    let world = PageWorld::start().await;
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("index.html"), "other").unwrap();
    let page = Some(other.path().to_owned());
    world.gateway.serve_page(page).unwrap();
    assert_eq!(get(&world, "/").await.1, "other");
    world.gateway.serve_page(None).unwrap();
    assert_eq!(get(&world, "/").await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.gateway.state().await.page, None);
    world.gateway.shutdown().await;
}

#[tokio::test]
async fn the_port_is_closed_after_the_shutdown() {
    let world = PageWorld::start().await;
    world.gateway.shutdown().await;
    let address = world.origin.trim_start_matches("http://");
    assert!(TcpStream::connect(address).await.is_err());
}
