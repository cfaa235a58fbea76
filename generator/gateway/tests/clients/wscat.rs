//! `wscat --connect`, as used in manual tests.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{RunningGateway, program, root};

/// Connects and sends messages.
fn wscat(url: &str, messages: &[&str]) -> Option<Child> {
    let path = root().join(".tools/wscat/node_modules/.bin/wscat");
    let wscat: PathBuf = program("wscat", &[path])?;
    let child = Command::new(wscat)
        .args(["--connect", url, "--no-color", "--wait", "-1"])
        .args(messages.iter().flat_map(|message| ["--execute", message]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    Some(child.unwrap())
}

#[tokio::test]
async fn a_listener_connects_without_a_token_and_gets_an_answer() {
    let running = RunningGateway::start().await;
    let url = format!(
        "{}?sessionId=merciful-truth-455-k7dq2m9x4hw3t&targetLanguage=de",
        running.url()
    );
    let message = r#"{"action":"heartbeat"}"#;
    let Some(mut child) = wscat(&url, &[message]) else {
        return;
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let printed = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(message) {
                return true;
            }
        }
        false
    };
    assert!(printed.await, "wscat ended without an answer");
    child.kill().await.unwrap();
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn row_c5_wscat_shows_the_status_of_a_refused_handshake() {
    let running = RunningGateway::start().await;
    let Some(mut child) = wscat(&format!("{}?auth=allow&do=status:401", running.url()), &[]) else {
        return;
    };
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let refused = async {
        // Node may print warnings first.
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("error: ") {
                return line;
            }
        }
        String::new()
    };
    let line = refused.await;
    assert_eq!(line, "error: Unexpected server response: 401");
    child.kill().await.unwrap();
    running.gateway.shutdown().await;
}
