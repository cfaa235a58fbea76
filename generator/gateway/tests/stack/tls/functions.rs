//! Functions that post to `https://` + `domainName`, and to AWS's names.

use futures_util::{SinkExt, StreamExt};
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway_common::{FunctionSettings, Settings};
use tokio::net::TcpStream;

use super::{address, template};
use crate::support::apply;

/// Starts a gateway with a function of this runtime.
async fn start(runtime: &str, file: &str, source: &str, functions: FunctionSettings) -> Gateway {
    let folder = tempfile::tempdir().expect("a folder");
    let code = folder.path().join("code");
    std::fs::create_dir(&code).expect("a folder");
    std::fs::write(code.join(file), source).expect("written");
    let options = GatewayOptions {
        settings: Settings {
            functions,
            ..Settings::default()
        },
        ..GatewayOptions::default()
    };
    let gateway = Gateway::start(options).await.expect("a gateway");
    apply(&gateway, template(runtime, folder.path())).await;
    gateway
}

/// Asserts that the function can post in each of these ways, and read the keys of a user pool.
async fn assert_posts(gateway: Gateway, ways: &[&str]) {
    let address = address(&gateway);
    let stream = TcpStream::connect(address).await.expect("a connection");
    let url = format!("ws://{address}/prod");
    let opened = tokio_tungstenite::client_async(url, stream).await;
    let (mut socket, _) = opened.expect("a handshake");
    for by in ways {
        for (to, posted) in [
            ("domain", format!("{by} domain")),
            ("host", format!("{by} host")),
            ("keys", r#"["RSA"]"#.to_owned()),
        ] {
            let ask = serde_json::json!({ "by": by, "to": to }).to_string();
            socket.send(ask.into()).await.expect("sent");
            let answer = socket.next().await.expect("an answer").expect("a frame");
            let answer = answer.into_text().expect("text");
            assert_eq!(answer.as_str(), posted, "{by} {to}: {}", log(&gateway));
        }
    }
    gateway.shutdown().await;
}

/// Returns the log of the template's function.
fn log(gateway: &Gateway) -> String {
    let functions = gateway.account().functions.list();
    let name = &functions.first().expect("a function").function.name;
    let group = format!("/aws/lambda/{name}");
    let events = gateway.account().logs.events(&group, &Default::default());
    let lines = events.unwrap_or_default();
    let lines: Vec<_> = lines.iter().map(|it| it.message.to_string()).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_python_function_posts_with_its_code_as_it_is_on_aws() {
    let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    let environment = python.ancestors().nth(2).expect("a virtual environment");
    let settings = FunctionSettings {
        virtual_env: Some(environment.to_owned()),
        ..FunctionSettings::default()
    };
    let gateway = start("python3.13", "app.py", include_str!("app.py"), settings).await;
    assert_posts(gateway, &["boto3", "urllib", "http.client"]).await;
}

#[tokio::test]
async fn a_node_function_posts_with_its_code_as_it_is_on_aws() {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    if !folders.any(|folder| folder.join("node").is_file()) {
        stackgen_test_tools::skip("Node.js is not installed");
        return;
    }
    let settings = FunctionSettings {
        path: Some(path),
        ..FunctionSettings::default()
    };
    let gateway = start("nodejs20.x", "app.js", include_str!("app.js"), settings).await;
    assert_posts(gateway, &["https", "fetch"]).await;
}

#[tokio::test]
async fn a_function_that_sets_root_certificates_itself_keeps_them_and_is_listed() {
    let gateway = Gateway::start(GatewayOptions::default()).await;
    let gateway = gateway.expect("a gateway");
    let folder = tempfile::tempdir().expect("a folder");
    let mut template = template("nodejs22.x", folder.path());
    let own =
        "          NODE_EXTRA_CA_CERTS: /opt/ca.pem\n          NODE_OPTIONS: --trace-warnings\n";
    let pool = "          POOL: us-east-1_abc123\n";
    template.text = template.text.replace(pool, own);
    let applied = apply(&gateway, template).await;
    let notes = applied.not_run.iter().map(|note| note.reason.as_str());
    let notes: Vec<_> = notes.filter(|reason| reason.contains("_CA_")).collect();
    assert_eq!(
        notes,
        [
            "it sets NODE_EXTRA_CA_CERTS itself, so it trusts https:// of this gateway only if that file contains the \
          gateway's certificate"
        ]
    );
    gateway.shutdown().await;
}
