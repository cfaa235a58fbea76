//! `stackgen dev` builds Rust functions with cargo, and again when their sources change.

use std::path::Path;

use crate::common::{Sandbox, toolchain};
use crate::running::Dev;

const SPEC: &str = "\
name: hot
functions:
  answer: { binary: answer }
websocket:
  name: hot-api
  stage: { name: prod }
  routes:
    $default: { function: answer, twoWay: true }
environments:
  dev: {}
";

/// Manifest without dependencies, so that the build is fast.
const MANIFEST: &str = "\
[package]
name = \"answer\"
version = \"0.1.0\"
edition = \"2021\"

[workspace]
";

/// Function that implements the Runtime API, and answers every event with `ANSWER`.
const FUNCTION: &str = r#"
use std::io::{Read, Write};
use std::net::TcpStream;

const BASE: &str = "/2018-06-01/runtime/invocation";
const ID: &str = "lambda-runtime-aws-request-id: ";

fn call(what: &str, body: &str) -> String {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut stream = TcpStream::connect(&api).unwrap();
    let length = body.len();
    let head = format!("{what} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn main() {
    loop {
        let event = call(&format!("GET {BASE}/next"), "");
        let mut ids = event.lines().filter_map(|line| {
            line.to_ascii_lowercase().strip_prefix(ID).map(str::to_owned)
        });
        let id = ids.next().unwrap();
        call(&format!("POST {BASE}/{id}/response"), "{\"body\":\"ANSWER\"}");
    }
}
"#;

fn save(sandbox: &Sandbox, answer: &str) {
    sandbox.write("src/main.rs", FUNCTION.replace("ANSWER", answer));
}

#[test]
fn row_d2_a_saved_source_is_built_and_live_at_once_and_one_that_cannot_be_built_changes_nothing() {
    let sandbox = Sandbox::with(SPEC);
    sandbox.write("Cargo.toml", MANIFEST);
    save(&sandbox, "version one");
    let toolchain = toolchain();
    let more: Vec<(&str, &Path)> = toolchain
        .iter()
        .map(|(name, path)| (*name, path.as_path()))
        .collect();
    let mut dev = Dev::spawn(sandbox, &[], &more);
    let url = dev.printed_url();
    dev.answers_at(&url, "hello", "version one");

    save(&dev.sandbox, "version two");
    let expected = dev.line("code");
    let live = "answer-dev: live now, no deployment needed (row D2)";
    assert_eq!(expected, format!("code       {live}"));
    dev.answers_at(&url, "hello", "version two");

    dev.sandbox
        .write("src/main.rs", "fn main() { this is no Rust }");
    dev.error("error: cargo could not build answer");
    dev.error("the previous version keeps running");
    dev.answers_at(&url, "hello", "version two");

    save(&dev.sandbox, "version three");
    assert_eq!(dev.line("code"), expected);
    dev.answers_at(&url, "hello", "version three");
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}
