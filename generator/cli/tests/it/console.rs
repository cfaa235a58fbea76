//! The console in a browser, and the events that it reads.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stackgen_test_tools::{installed, on_path};

use crate::common::{Run, Sandbox, root};
use crate::running::{Dev, PATIENCE};

const TEMPLATE: &str = include_str!("console.yaml");

fn start() -> Dev {
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", TEMPLATE);
    Dev::of_template(sandbox, &[])
}

fn assert_succeeds(command: &mut Command) {
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn the_console_has_no_type_errors() {
    let Some(node) = on_path("node") else { return };
    let Some(compiler) = installed("browser/node_modules/typescript/bin/tsc") else {
        return;
    };
    let settings = root().join("generator/gateway/src/gateway/console/web/jsconfig.json");
    assert_succeeds(Command::new(node).arg(compiler).arg("-p").arg(settings));
}

#[test]
fn the_console_keeps_connections_within_a_fixed_memory() {
    let Some(node) = on_path("node") else { return };
    let tests = root().join("generator/cli/tests/console/store.test.mjs");
    assert_succeeds(Command::new(node).arg("--test").arg(tests));
}

#[test]
fn the_browser_opens_a_link_that_works() {
    let sandbox = Sandbox::starter("echo");
    sandbox.write("browser", "#!/bin/sh\necho \"$1\" >> opened\n");
    let browser = sandbox.path().join("browser");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let variables = [("BROWSER", browser.as_path())];
    let mut dev = Dev::spawn(sandbox, &["--json", "--no-build", "--open"], &variables);
    dev.ready = dev.event("ready");
    let mut command = dev.sandbox.command();
    let run = command.env("BROWSER", &browser).args(["console", "--open"]);
    let run = Run::of(run.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    let opened = || fs::read_to_string(dev.sandbox.path().join("opened")).unwrap_or_default();
    let started = Instant::now();
    while opened().lines().count() < 2 && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let opened = opened();
    assert!(opened.contains(run.stdout.trim()), "{opened}");
    for link in opened.lines() {
        let (authority, path) = link
            .strip_prefix("http://")
            .and_then(|link| link.split_once('/'))
            .unwrap();
        let mut stream = TcpStream::connect(authority).unwrap();
        let request =
            format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{link}: {answer}");
    }
    let none = dev.sandbox.run("console --open");
    insta::assert_snapshot!(none.stderr, @"
    error: no browser was opened, because there is no display
    help: open the link yourself
    ");
}

#[test]
fn the_console_explains_refusals_replays_frames_redeploys_stages_and_resists_attacks() {
    let (Some(node), Some(chromium)) = (on_path("node"), on_path("chromium")) else {
        return;
    };
    let Some(modules) = installed("browser/node_modules") else {
        return;
    };
    let dev = start();
    let link = || dev.sandbox.run("console --file template.yaml").stdout;
    let settings = json!({
        "console": dev.ready["console"],
        "link": link().trim(),
        "endpoint": dev.ready["gateway"]["endpoint"],
        "url": dev.url(),
        "template": dev.sandbox.path().join("template.yaml"),
        "modules": modules,
        "chromium": chromium,
        "screenshots": std::env::var_os("STACKGEN_SCREENSHOTS").map(|folder| folder.into_string().unwrap()),
    });
    let script = root().join("generator/cli/tests/console/console.mjs");
    assert_succeeds(Command::new(node).arg(script).arg(settings.to_string()));
}

#[test]
fn every_event_of_dev_is_valid_against_the_schema() {
    if on_path("node").is_none() {
        return;
    }
    let dev = start();
    let token = dev.sandbox.run("token --sub ada --file template.yaml");
    assert_eq!(token.code, Some(0), "{token}");
    let url = format!("{}?token={}", dev.url(), token.stdout.trim());
    dev.answers_at(&url, r#"{"action":"echo"}"#, "echo");
    dev.answers_at(&url, r#"{"action":"fail"}"#, "Internal server error");
    dev.answers_at(&url, r#"{"action":"post"}"#, "posted");
    let refused = dev.sandbox.run(&format!("probe {}", dev.url()));
    assert_eq!(refused.code, Some(3), "{refused}");

    let schema = dev.sandbox.run("schema --events").json();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|kind| kind != "refused") {
        let line = dev.line("\"event\":");
        assert!(!line.contains("eyJ"), "a token is not masked: {line}");
        let event: Value = serde_json::from_str(&line).unwrap();
        if let Err(error) = schema.validate(&event) {
            panic!("{error}: {line}");
        }
        seen.push(event["event"].as_str().unwrap().to_owned());
    }
    for kind in ["connected", "message", "posted", "closed", "disconnected"] {
        assert!(seen.iter().any(|seen| seen == kind), "{kind}: {seen:?}");
    }
    let unknown = json!({ "event": "unknown" });
    assert!(!schema.is_valid(&unknown));
}

#[test]
fn a_link_is_printed_again_while_the_gateway_runs() {
    let dev = Dev::start(&[]);
    let first = dev.sandbox.run("console");
    assert_eq!(first.code, Some(0), "{first}");
    let endpoint = dev.ready["gateway"]["endpoint"].as_str().unwrap();
    let start = format!("{endpoint}/_stackgen/console/open?code=");
    assert!(first.stdout.starts_with(&start), "{first}");
    let second = dev.sandbox.run("console --json").json();
    assert_ne!(second["link"], first.stdout.trim());
    let none = Sandbox::starter("echo").run("console");
    insta::assert_snapshot!(none, @"
    exit 1
    --- stderr
    error: no local gateway runs for stackgen.yaml
    help: start one with `stackgen dev`, or name another project with `--file`
    ");
}
